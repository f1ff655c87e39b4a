import { describe, expect, it } from "vitest";
import { cutCommands } from "../faults/commands.ts";
import { howMany } from "../faults/how-many.ts";
import { sweepGit } from "./cut-git.ts";

describe.each(Object.entries(cutCommands))("%s whose git is killed while it writes", (name, command) => {
  it.each(["git", "both"] as const)(
    "leaves old or new, and ends its work when run again: %s",
    async (victim) => {
      const { points, tried, damage } = await sweepGit(command, victim, howMany(name, 10));
      expect(damage).toEqual([]);
      expect(tried).toBe(Math.min(points, howMany(name, 10)));
      expect(points).toBeGreaterThan(40);
    },
    600_000,
  );
});
