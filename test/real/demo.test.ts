import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { builtBin } from "../support/build.ts";

describe.each(["node", "node24"])("sealtree demo on %s", (node) => {
  it("gives its figures as JSON, and every claim holds", () => {
    const output = execFileSync(node, [builtBin, "demo", "--json"], { encoding: "utf8" });
    expect(JSON.parse(output)).toMatchObject({
      ok: true,
      failed: [],
      kept: null,
      figures: { secrets: 202, scopes: 20, members: 3, rotated: 21 },
    });
  });
});
