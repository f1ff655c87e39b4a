import type { CommandEntry } from "./program.ts";

/** The commands of the group `rotation`, for the table of all. */
export const rotationEntries: Readonly<Record<string, CommandEntry>> = {
  rotate: {
    group: "rotation",
    summary: "give secrets new values",
    load: async () => (await import("./commands/rotate.ts")).rotate,
  },
  "rotation status": {
    group: "rotation",
    summary: "how old the values are, and when they are due",
    load: async () => (await import("./commands/rotation-status.ts")).rotationStatusCommand,
  },
  "rotation plan": {
    group: "rotation",
    summary: "the rotations of the coming weeks",
    load: async () => (await import("./commands/rotation-plan.ts")).rotationPlan,
  },
  "rotation rules": {
    group: "rotation",
    summary: "which rule holds for which secret, and why",
    load: async () => (await import("./commands/rotation-rules.ts")).rotationRules,
  },
  "rotation notify": {
    group: "rotation",
    summary: "tell what is due, overdue, stuck or without a rule",
    load: async () => (await import("./commands/rotation-notify.ts")).rotationNotify,
  },
};
