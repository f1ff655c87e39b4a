import type { Finding } from "../../store/finding.ts";
import type { Rule } from "../rule.ts";

export const drop: Rule = {
  name: "drop",
  describe:
    "No drop waits: a value set by a member who may not read, which only the readers of then can open, until one of them adopts it.",
  mendedBy: "sealtree adopt",
  checkScope({ scope, file, entries, drops, readers }) {
    const wanted = readers?.readers.length;
    return [...drops].map(([name, { stanzas }]): Finding => {
      const isOther = wanted !== undefined && wanted !== stanzas;
      const others = `; it is sealed to other readers than today's: ${sayKeys(stanzas)} can open it, and ${wanted ?? 0} should`;
      return {
        rule: "drop",
        severity: "warning",
        message: `${name} is a drop that no reader has adopted yet${isOther ? others : ""}`,
        file,
        line: entries.get(name)?.line ?? 1,
        hint: `sealtree adopt ${scope}`,
      };
    });
  },
};

function sayKeys(amount: number): string {
  return amount === 1 ? "1 key" : `${amount} keys`;
}
