import { generationPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";
import { driftOf } from "../scope-drift.ts";

/** Line of `wrapped_for` in a generation file. */
const wrappedForLine = 7;

export const readerDrift: Rule = {
  name: "reader-drift",
  describe: "Keyrings are wrapped for exactly those who may read by the policy.",
  check({ policy, scopes }) {
    if (policy === undefined) return [];
    return scopes.flatMap((reviewed) => {
      const { missing, extra } = driftOf(policy, reviewed);
      const [first] = reviewed.keyring.keys();
      if (first === undefined || missing.length + extra.length === 0) return [];
      const parts = [
        ...(missing.length === 0 ? [] : [`not wrapped for ${missing.join(", ")}`]),
        ...(extra.length === 0 ? [] : [`still wrapped for ${extra.join(", ")}`]),
      ];
      return [
        {
          rule: "reader-drift",
          severity: "error" as const,
          message: `the keyring of ${reviewed.scope} differs from the policy: ${parts.join("; ")}`,
          file: generationPath(reviewed.scope, first),
          line: wrappedForLine,
          hint: "sealtree rekey makes it agree",
        },
      ];
    });
  },
};
