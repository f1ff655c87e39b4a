import { generationPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

/** Line of `wrapped_for` in a generation file. */
const wrappedForLine = 7;
/** Most generations of one scope that are named. */
const maxGenerations = 10;

export const readerDrift: Rule = {
  name: "reader-drift",
  describe: "Keyrings are wrapped for exactly those who may read by the policy.",
  mendedBy: "sealtree rekey",
  checkScope({ scope, drift }) {
    const differing = drift?.generations ?? [];
    return differing.slice(0, maxGenerations).map(({ id, missing, extra }, index) => {
      const parts = [
        ...(missing.length === 0 ? [] : [`not wrapped for ${missing.join(", ")}`]),
        ...(extra.length === 0 ? [] : [`still wrapped for ${extra.join(", ")}`]),
      ];
      const left = index === maxGenerations - 1 ? differing.length - maxGenerations : 0;
      return {
        rule: "reader-drift",
        severity: "error",
        message: `the keyring of ${scope} differs from the policy: ${parts.join("; ")}${left > 0 ? `; and ${left} more generations do` : ""}`,
        file: generationPath(scope, id),
        line: wrappedForLine,
        hint: "sealtree rekey makes it agree",
      };
    });
  },
};
