import { listReaders } from "../../access/permission.ts";
import type { Rule } from "../rule.ts";

export const uncoveredScope: Rule = {
  name: "uncovered-scope",
  describe: "Every scope has a member who may read it; recovery keys do not count.",
  check({ policy, scopes }) {
    if (policy === undefined) return [];
    return scopes
      .filter(({ scope }) => !listReaders(policy, scope).some(({ name }) => policy.members.has(name)))
      .map(({ scope, file }) => ({
        rule: "uncovered-scope",
        severity: "error",
        message: `no member may read ${scope}`,
        file,
        hint: "give a role read access to it in policies/access.yaml",
      }));
  },
};
