import { isDeepStrictEqual } from "node:util";
import type { Policy } from "../../access/policy.ts";
import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";
import { sayBase } from "../say-base.ts";

export const policyVersion: Rule = {
  name: "policy-version",
  describe:
    "The version of the access policy is one more with every change of the policy or a key file, and never less.",
  checkTree({ base, basePolicy: before, policy: now, accessDocument }) {
    if (base === undefined || before === undefined || now === undefined) return [];
    const isChanged = !isDeepStrictEqual(withoutVersion(before), withoutVersion(now));
    const wanted = before.version + 1;
    const since = sayBase(base);
    const message =
      now.version < before.version
        ? `the version went back from ${before.version}, in ${since}, to ${now.version}`
        : isChanged && now.version === before.version
          ? `the policy or a key file is another than in ${since}, and the version is still ${now.version}`
          : base.isOneStep && now.version > wanted
            ? `the version went from ${before.version}, in ${since}, to ${now.version} in one step`
            : undefined;
    if (message === undefined) return [];
    const line = accessDocument?.lineOf(["version"]) ?? 1;
    const hint = `set version: ${isChanged ? wanted : before.version}`;
    return [{ rule: "policy-version", severity: "error", message, file: accessPolicyPath, line, hint }];
  },
};

function withoutVersion(policy: Policy): Policy {
  return { ...policy, version: 0 };
}
