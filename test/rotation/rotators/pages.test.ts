import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { findOptionsProblem, type RotatorName, rotatorNames } from "../../../src/rotation/rotators/registry.ts";
import { headingsOf } from "../../support/markdown.ts";

const folder = new URL("../../../docs/rotators/", import.meta.url);
const pages = readdirSync(folder).map((file) => [
  file.replace(/\.md$/, ""),
  readFileSync(new URL(file, folder), "utf8"),
]);

interface WrittenRule {
  readonly rotator: RotatorName;
  readonly options: Readonly<Record<string, unknown>>;
}

describe.each(pages)("the page of the rotator %s", (name = "", text = "") => {
  const [, example = ""] = /^```yaml\n([\s\S]*?)^```$/m.exec(text) ?? [];

  it("has an example of a rule that is a right one", () => {
    const { secrets } = parse(example) as { readonly secrets: Readonly<Record<string, WrittenRule>> };
    const rules = Object.values(secrets);
    expect(new Set(rules.map(({ rotator }) => rotator))).toEqual(new Set([name]));
    expect(rotatorNames).toContain(name);
    expect(
      rules
        .map(({ rotator, options }) => findOptionsProblem(rotator, options))
        .filter((problem) => problem !== undefined),
    ).toEqual([]);
  });

  it("says what may go wrong, and what it was tested against", () => {
    const headings = ["A rule", "The administrator", "What a crash leaves", "Limits", "Tested"];
    expect(headingsOf(text)).toEqual(expect.arrayContaining(headings));
  });
});
