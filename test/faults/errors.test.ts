import { describe, expect, it } from "vitest";
import { cutCommands } from "./commands.ts";
import { sweepErrors } from "./sweep.ts";

// A sample; test/real/faults.test.ts tries every point of every command with every error.
const sampled = ["set"] as const;

describe("a command on a disk that is full, broken or closed", () => {
  it.each(sampled)(
    "%s names the file, leaves old or new, and ends its work when run again",
    async (name) => {
      const { points, damage } = await sweepErrors(cutCommands[name], 4, ["ENOSPC", "EIO", "EACCES"]);
      expect(damage).toEqual([]);
      expect(points).toBeGreaterThan(15);
    },
    120_000,
  );
});
