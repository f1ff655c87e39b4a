import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const unreadableScope: Rule = {
  name: "unreadable-scope",
  describe: "Every record is under a generation that a present reader, or a recovery key, can open.",
  checkScope({ file, entries, headers, keyring, readers }) {
    if (readers === undefined || readers.readers.length === 0) return [];
    const present = new Set(readers.readers.map(({ fingerprint }) => fingerprint));
    const closed = new Set(
      [...keyring.values()]
        .filter(({ wrappedFor }) => ![...wrappedFor.values()].flat().some((print) => present.has(print)))
        .map(({ id }) => id),
    );
    const names = [...headers].filter(([, { generation }]) => closed.has(generation)).map(([name]) => name);
    const [first] = names;
    if (first === undefined) return [];
    return [
      {
        rule: "unreadable-scope",
        severity: "error",
        message: `nobody who may read now has a key to ${shortList(names)}`,
        file,
        line: entries.get(first)?.line ?? 1,
        hint: "let back in who could open it, run sealtree rekey there, or set the values anew",
      },
    ];
  },
};
