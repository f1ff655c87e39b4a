import { ruleFor } from "../../rotation/policy.ts";
import type { Rule } from "../rule.ts";

const maxNames = 10;

export const noRotationRule: Rule = {
  name: "no-rotation-rule",
  describe: "Every secret has a rule in policies/rotation.yaml that says when it gets a new value.",
  check({ rotation, scopes }) {
    if (rotation === undefined) return [];
    return scopes.flatMap(({ scope, file, entries }) => {
      const names = [...entries.keys()].filter((name) => ruleFor(rotation, { scope, name }) === undefined);
      const [first] = names;
      if (first === undefined) return [];
      const listed =
        names.length <= maxNames
          ? names.join(", ")
          : `${names.slice(0, maxNames).join(", ")} and ${names.length - maxNames} more`;
      return [
        {
          rule: "no-rotation-rule",
          severity: "warning" as const,
          message: `never rotated, as no rule names it: ${listed}`,
          file,
          line: entries.get(first)?.line ?? 1,
          hint: `name it under secrets in policies/rotation.yaml: ${scope}/${first}: { type: api-tokens }`,
        },
      ];
    });
  },
};
