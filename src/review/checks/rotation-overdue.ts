import { dayMs } from "../../rotation/duration.ts";
import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const rotationOverdue: Rule = {
  name: "rotation-overdue",
  describe: "No value is older than its rotation rule allows.",
  checkScope({ scope, file, entries, rotation }, { now }) {
    const overdue = rotation.filter(({ state }) => state === "overdue");
    const [first] = overdue;
    if (first === undefined) return [];
    const words = overdue.map(({ name, setAtMs }) => `${name} (${sayDays(now.getTime() - setAtMs)} old)`);
    return [
      {
        rule: "rotation-overdue",
        severity: "warning",
        message: `overdue for rotation: ${shortList(words)}`,
        file,
        line: entries.get(first.name)?.line ?? 1,
        hint: `sealtree ${first.isManual ? "set" : "rotate"} ${scope}/${first.name}`,
      },
    ];
  },
};

function sayDays(ageMs: number): string {
  const days = Math.floor(ageMs / dayMs);
  return days === 1 ? "1 day" : `${days} days`;
}
