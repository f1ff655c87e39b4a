import { findingOf } from "../finding-of.ts";
import type { Rule } from "../rule.ts";

export const scopeFile: Rule = {
  name: "scope-file",
  describe:
    "Scope files are written as sealtree writes them: no plaintext, no conflict markers, and at the path they were sealed for.",
  check({ scopes }) {
    return scopes.flatMap(({ file, fileProblems }) =>
      fileProblems.map((error) => findingOf("scope-file", error, { file })),
    );
  },
};
