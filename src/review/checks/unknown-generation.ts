import type { Rule } from "../rule.ts";

export const unknownGeneration: Rule = {
  name: "unknown-generation",
  describe:
    "Every record is sealed under a generation that the scope's keyring has; without it nobody can open the record.",
  checkScope({ file, entries, headers, generations }) {
    const known = new Set(generations);
    return [...headers]
      .filter(([, { generation }]) => !known.has(generation))
      .map(([name, { generation }]) => ({
        rule: "unknown-generation",
        severity: "error",
        message: `${name} is sealed under a generation that the keyring lacks`,
        file,
        line: entries.get(name)?.line ?? 1,
        hint: `restore it from history: git log --all -- 'secrets/**/${generation}.yaml'`,
      }));
  },
};
