import { printAddress, type Address } from "../../secret/address.ts";
import type { Finding } from "../../store/finding.ts";
import type { ReviewState } from "../state.ts";
import type { Rule } from "../rule.ts";

export const rotationPolicy: Rule = {
  name: "rotation-policy",
  describe: "policies/rotation.yaml follows its schema, and every secret that has a rule is there.",
  checkScope({ scope, entries, fileProblems }, state) {
    // A file with mistakes may have the secret on a line that cannot be read.
    if (fileProblems.length > 0) return [];
    const ruled = state.ruled.get(scope) ?? [];
    return reportStrangers(
      ruled.filter(({ name }) => !entries.has(name)),
      state,
    );
  },
  checkTree(state) {
    const gone = [...state.ruled].filter(([scope]) => !state.scopes.has(scope));
    return reportStrangers(
      gone.flatMap(([, addresses]) => addresses),
      state,
    );
  },
};

function reportStrangers(addresses: readonly Address[], { rotationFile }: ReviewState): Finding[] {
  return addresses.flatMap((address) => rotationFile?.strangerFinding(printAddress(address)) ?? []);
}
