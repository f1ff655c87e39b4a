import type { Rule } from "../rule.ts";

export const attributes: Rule = {
  name: "attributes",
  describe: ".gitattributes tells git to merge scope files by secret and to keep their line ends.",
  check({ hasAttributes }) {
    if (hasAttributes) return [];
    const message = "the lines that tell git how to merge scope files are missing or changed";
    return [
      {
        rule: "attributes",
        severity: "warning",
        message,
        file: ".gitattributes",
        hint: "sealtree git-setup writes them",
      },
    ];
  },
};
