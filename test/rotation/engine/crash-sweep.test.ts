import { describe, expect, it } from "vitest";
import { crashAt, type Scenario } from "./crash-sweep.ts";
import type { CrashPlace } from "./cut-off.ts";
import type { ModelKind } from "./model-provider.ts";

/** A few of what test/real/rotation/crash-sweep.test.ts tries: places where much hangs on the next run. */
const rows: [ModelKind, Scenario, ...CrashPlace[]][] = [
  ["two users", "a rotation", { point: "apply:before", occurrence: 1 }, { point: "apply:after", occurrence: 1 }],
  ["two keys", "a rotation", { point: "mint:after", occurrence: 1 }, { point: "mint:after", occurrence: 1 }],
];

describe("a run that is cut off", () => {
  it.each(rows)("loses nothing of %s in %s at %o", async (kind, scenario, ...places) => {
    expect(await crashAt(kind, scenario, places)).toEqual([]);
  });
});
