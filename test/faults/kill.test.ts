import { describe, expect, it } from "vitest";
import { cutCommands } from "./commands.ts";
import { sweepKills } from "./sweep.ts";

// A sample; test/real/faults.test.ts tries every point of every command.
const sampled = ["set"] as const;

describe("a command that is killed", () => {
  it.each(sampled)(
    "%s leaves old or new, and ends its work when run again",
    async (name) => {
      const { points, damage } = await sweepKills(cutCommands[name], 6);
      expect(damage).toEqual([]);
      expect(points).toBeGreaterThan(40);
    },
    120_000,
  );
});
