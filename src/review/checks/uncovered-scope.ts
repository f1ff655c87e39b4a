import type { Rule } from "../rule.ts";

export const uncoveredScope: Rule = {
  name: "uncovered-scope",
  describe: "Every scope has a member who may read it; recovery keys do not count.",
  checkTree(_state, scopes) {
    return scopes
      .filter(({ readers }) => readers?.members.length === 0)
      .map(({ scope, file }) => ({
        rule: "uncovered-scope",
        severity: "error",
        message: `no member may read ${scope}`,
        file,
        line: 2,
        hint: "give a role read access to it in policies/access.yaml",
      }));
  },
};
