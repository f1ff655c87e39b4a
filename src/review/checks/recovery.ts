import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const recovery: Rule = {
  name: "recovery",
  describe: "The policy names a recovery key, so that losing every member's key does not lose the secrets.",
  checkTree({ policy, accessDocument }) {
    if (policy === undefined || policy.recovery.size > 0) return [];
    const message = "there is no recovery key: when all members lose their keys, the secrets are gone";
    const hint =
      "lock one away: sealtree keygen -o FILE, then sealtree member add recovery --recovery --recipient age1pq1...";
    const line = accessDocument?.lineOf(["recovery"]) ?? 1;
    return [{ rule: "recovery", severity: "warning", message, file: accessPolicyPath, line, hint }];
  },
};
