import { secretSchemaPath } from "../../store/layout.ts";
import { coversScope, listRequired } from "../../values/secret-schema.ts";
import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const requiredName: Rule = {
  name: "required-name",
  describe:
    "Every scope has the secrets that policies/schema.yaml requires of it, and every rule there is for some scope.",
  checkScope({ scope, file, entries, fileProblems }, { schema }) {
    // A file with mistakes may have the name on a line that cannot be read.
    if (schema === undefined || fileProblems.length > 0) return [];
    const missing = listRequired(schema, scope).filter((name) => !entries.has(name));
    const [first] = missing;
    if (first === undefined) return [];
    return [
      {
        rule: "required-name",
        severity: "error",
        message: `${scope} lacks what ${secretSchemaPath} requires: ${shortList(missing)}`,
        file,
        line: 1,
        hint: `sealtree set ${scope}/${first}`,
      },
    ];
  },
  checkTree({ schema, scopes }) {
    const known = [...scopes.keys()];
    const idle = schema?.rules.filter((rule) => !known.some((scope) => coversScope(rule, scope))) ?? [];
    return idle.map(({ line }) => ({
      rule: "required-name",
      severity: "warning",
      message: "the rule is for no scope there is",
      file: secretSchemaPath,
      line,
      hint: "mend its patterns; sealtree list shows the scopes",
    }));
  },
};
