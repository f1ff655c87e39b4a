import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const rotationDue: Rule = {
  name: "rotation-due",
  describe: "Values whose rotation fell due within the last day, or that are dated in the future, as a notice.",
  checkScope({ scope, file, entries, rotation }) {
    const due = rotation.filter(({ state }) => state === "due");
    const [first] = due;
    if (first === undefined) return [];
    return [
      {
        rule: "rotation-due",
        severity: "notice",
        message: `due for rotation: ${shortList(due.map(({ name }) => name))}`,
        file,
        line: entries.get(first.name)?.line ?? 1,
        hint: `sealtree ${first.isManual ? "set" : "rotate"} ${scope}/${first.name}`,
      },
    ];
  },
};
