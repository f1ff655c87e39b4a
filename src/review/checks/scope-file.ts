import { findingOf } from "../../store/finding-of.ts";
import type { Rule } from "../rule.ts";

export const scopeFile: Rule = {
  name: "scope-file",
  describe:
    "Scope files are written as sealtree writes them: no plaintext, no conflict markers, and at the path they were sealed for.",
  checkScope({ file, fileProblems, isTidy }) {
    if (isTidy) return fileProblems.map((error) => findingOf("scope-file", error, { file }));
    const message = "the secrets do not stand in the order and form in which sealtree writes them";
    const hint = "sealtree check --fix writes them so";
    return [{ rule: "scope-file", severity: "warning", message, file, line: 3, hint }];
  },
};
