import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const rotationDue: Rule = {
  name: "rotation-due",
  describe: "Values whose rotation fell due within the last day, or that are dated in the future, as a notice.",
  checkScope({ scope, file, entries, rotation }) {
    const due = rotation.filter(({ state }) => state === "due").map(({ name }) => name);
    const [first] = due;
    if (first === undefined) return [];
    return [
      {
        rule: "rotation-due",
        severity: "notice",
        message: `due for rotation: ${shortList(due)}`,
        file,
        line: entries.get(first)?.line ?? 1,
        hint: `sealtree rotate ${scope}/${first}`,
      },
    ];
  },
};
