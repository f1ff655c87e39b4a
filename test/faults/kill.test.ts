import { describe, expect, it } from "vitest";
import { cutCommands } from "./commands.ts";
import { sweepKills } from "./sweep.ts";

// A sample; test/real/faults.test.ts tries every point of every command.
describe("a command that is killed", () => {
  it.each(Object.entries(cutCommands))(
    "%s leaves old or new, and ends its work when run again",
    async (name, command) => {
      const { points, damage } = await sweepKills(command, name === "set" ? Infinity : 5);
      expect(damage).toEqual([]);
      expect(points).toBeGreaterThan(40);
    },
    120_000,
  );
});
