import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const recovery: Rule = {
  name: "recovery",
  describe: "The policy names a recovery key, so that losing every member's key does not lose the secrets.",
  check({ policy }) {
    if (policy === undefined || policy.recovery.size > 0) return [];
    const message = "there is no recovery key: when all members lose their keys, the secrets are gone";
    const hint =
      "sealtree keygen -o FILE, put its public key in policies/members/recovery.pub, name it under recovery, then sealtree rekey";
    return [{ rule: "recovery", severity: "warning", message, file: accessPolicyPath, hint }];
  },
};
