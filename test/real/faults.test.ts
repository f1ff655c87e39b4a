import { describe, expect, it } from "vitest";
import { cutCommands } from "../faults/commands.ts";
import { howMany } from "../faults/how-many.ts";
import { sweepErrors, sweepKills } from "../faults/sweep.ts";

const timeoutMs = 600_000;

describe.each(Object.entries(cutCommands))("%s", (name, command) => {
  it(
    "leaves old or new when it is killed",
    async () => {
      const { points, tried, damage } = await sweepKills(command, howMany(name, 16));
      expect(damage).toEqual([]);
      expect(tried).toBe(Math.min(points, howMany(name, 16)));
    },
    timeoutMs,
  );

  it.each(["ENOSPC", "EIO", "EACCES"] as const)(
    "leaves old or new on %s",
    async (code) => {
      const { points, tried, damage } = await sweepErrors(command, howMany(name, 4), [code]);
      expect(damage).toEqual([]);
      expect(tried).toBe(Math.min(points, howMany(name, 4)));
    },
    timeoutMs,
  );
});
