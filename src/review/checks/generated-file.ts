import type { Rule } from "../rule.ts";

export const generatedFile: Rule = {
  name: "generated-file",
  describe: "Code owners and allowed signers that sealtree wrote still say what the policy says.",
  checkTree({ generatedDrift }) {
    return generatedDrift.map(({ file, command }) => ({
      rule: "generated-file",
      severity: "warning",
      message: "the file was made from the policy and differs from it now",
      file,
      line: 1,
      hint: `sealtree ${command} writes it anew`,
    }));
  },
};
