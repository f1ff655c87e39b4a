import type { Rule } from "../rule.ts";
import { driftOf } from "../scope-drift.ts";

const maxNames = 10;

export const staleRecord: Rule = {
  name: "stale-record",
  describe: "No record is sealed under a generation that somebody who may not read now may know, or that was replaced.",
  check({ policy, scopes }) {
    if (policy === undefined) return [];
    return scopes.flatMap((reviewed) => {
      const { stale, staleFor } = driftOf(policy, reviewed);
      const [first] = stale;
      if (first === undefined) return [];
      const names =
        stale.length <= maxNames
          ? stale.join(", ")
          : `${stale.slice(0, maxNames).join(", ")} and ${stale.length - maxNames} more`;
      const why = staleFor.length === 0 ? "that was replaced" : `that ${staleFor.join(", ")} could open`;
      return [
        {
          rule: "stale-record",
          severity: "error" as const,
          message: `sealed under a generation ${why}: ${names}`,
          file: reviewed.file,
          line: reviewed.entries.get(first)?.line ?? 1,
          hint: "sealtree rekey seals them again; whoever read a value still knows it: sealtree rotate",
        },
      ];
    });
  },
};
