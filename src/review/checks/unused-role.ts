import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const unusedRole: Rule = {
  name: "unused-role",
  describe: "Every role has a member, as a notice.",
  checkTree({ policy, accessDocument }) {
    if (policy === undefined) return [];
    const used = new Set([...policy.members.values()].flatMap(({ roles }) => roles));
    return [...policy.roles.keys()]
      .filter((role) => !used.has(role))
      .map((role) => ({
        rule: "unused-role",
        severity: "notice",
        message: `no member has the role ${role}`,
        file: accessPolicyPath,
        line: accessDocument?.lineOf(["roles", role]) ?? 1,
      }));
  },
};
