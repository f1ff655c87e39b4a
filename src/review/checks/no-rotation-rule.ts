import { printAddress } from "../../secret/address.ts";
import type { Rule } from "../rule.ts";
import { shortList } from "../short-list.ts";

export const noRotationRule: Rule = {
  name: "no-rotation-rule",
  describe: "Every secret has a rule in policies/rotation.yaml that says when it gets a new value.",
  checkScope({ scope, file, entries }, { rotation }) {
    if (rotation === undefined) return [];
    const names = [...entries.keys()].filter((name) => !rotation.secrets.has(printAddress({ scope, name })));
    const [first] = names;
    if (first === undefined) return [];
    return [
      {
        rule: "no-rotation-rule",
        severity: "warning",
        message: `never rotated, as no rule names it: ${shortList(names)}`,
        file,
        line: entries.get(first)?.line ?? 1,
        hint: `name it under secrets in policies/rotation.yaml: ${scope}/${first}: { type: api-tokens }`,
      },
    ];
  },
};
