import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const staleRecord: Rule = {
  name: "stale-record",
  describe: "No record is sealed under a generation that somebody who may not read now may know, or that was replaced.",
  mendedBy: "sealtree rekey",
  checkScope({ file, entries, drift }) {
    const [first] = drift?.stale ?? [];
    if (drift === undefined || first === undefined) return [];
    const why = drift.staleFor.length === 0 ? "that was replaced" : `that ${drift.staleFor.join(", ")} could open`;
    return [
      {
        rule: "stale-record",
        severity: "error",
        message: `sealed under a generation ${why}: ${shortList(drift.stale)}`,
        file,
        line: entries.get(first)?.line ?? 1,
        hint: "sealtree rekey seals them again; whoever read a value still knows it: sealtree rotate",
      },
    ];
  },
};
