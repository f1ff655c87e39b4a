import { accessPolicyPath, policiesDirectory } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const policy: Rule = {
  name: "policy",
  describe:
    "The policies follow their schema, name roles and types that are defined, and every member has a key file in order.",
  checkTree({ policy: found, policyFindings, scopes, reader }) {
    if (found !== undefined || policyFindings.length > 0 || scopes.size === 0) return policyFindings;
    if (reader.unsafe.some(({ file }) => file?.split("/")[0] === policiesDirectory)) return [];
    const message = "there are secrets, and no policy says who may read them";
    const hint = `restore it: git log -- ${accessPolicyPath}`;
    return [{ rule: "policy", severity: "error", message, file: accessPolicyPath, line: 1, hint }];
  },
};
