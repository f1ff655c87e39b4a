import { describe, expect, it } from "vitest";
import { cutCommands } from "../faults/commands.ts";
import { sweepErrors, sweepKills } from "../faults/sweep.ts";

const timeoutMs = 600_000;

describe.each(Object.entries(cutCommands))("%s at every point", (_name, command) => {
  it(
    "leaves old or new when it is killed",
    async () => {
      const { points, tried, damage } = await sweepKills(command, Infinity);
      expect(damage).toEqual([]);
      expect(tried).toBe(points);
    },
    timeoutMs,
  );

  it.each(["ENOSPC", "EIO", "EACCES"] as const)(
    "leaves old or new on %s",
    async (code) => {
      const { points, tried, damage } = await sweepErrors(command, Infinity, [code]);
      expect(damage).toEqual([]);
      expect(tried).toBe(points);
    },
    timeoutMs,
  );
});
