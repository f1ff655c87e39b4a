import { describe, expect, it } from "vitest";
import { explore, sweeps } from "../../rotation/engine/crash-sweep.ts";

/**
 * SWEEP=all takes every provider in every scenario; SWEEP=pairs besides goes on from every cut,
 * whatever state it left: each place after each place.
 */
const asked = process.env["SWEEP"];
const most = asked === "pairs" ? 2 : undefined;
const chosen = sweeps.filter(
  ([kind, scenario]) => asked !== undefined || (kind.startsWith("two") && scenario !== "an emergency in a grace"),
);

describe("runs that are cut off at every place, again and again", () => {
  it.each(chosen)("lose nothing of %s in %s", { timeout: 7_200_000 }, async (kind, scenario) => {
    const { states, cuts, damage } = await explore(kind, scenario, most);
    process.stderr.write(`${kind}, ${scenario}: ${cuts} runs cut off, ${states} states\n`);
    expect(damage).toEqual([]);
    expect(states).toBeGreaterThan(2);
    expect(cuts).toBeGreaterThan(20);
  });
});
