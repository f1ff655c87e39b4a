import { attributesPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const attributes: Rule = {
  name: "attributes",
  describe:
    ".gitattributes tells git to merge scope files by secret, to show them by name and to keep their line ends.",
  checkTree({ hasAttributes }) {
    if (hasAttributes) return [];
    const message = "the lines that tell git how to merge and show scope files are missing or changed";
    const hint = "sealtree check --fix writes them, and so does sealtree git-setup";
    return [{ rule: "attributes", severity: "warning", message, file: attributesPath, line: 1, hint }];
  },
};
