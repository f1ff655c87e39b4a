import { isPostQuantum } from "../../crypto/recipient.ts";
import { memberPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const postQuantum: Rule = {
  name: "post-quantum",
  describe:
    "No scope has a classical recipient: what git history keeps today can be opened by a quantum computer later. An error under post_quantum: require, a warning under prefer.",
  checkTree({ policy }, scopes) {
    if (policy === undefined || policy.postQuantum === "off") return [];
    const severity = policy.postQuantum === "require" ? "error" : "warning";
    const reach = new Map<string, string[]>();
    for (const { scope, readers } of scopes) {
      const classical = readers?.readers.filter(({ recipient }) => !isPostQuantum(recipient)) ?? [];
      for (const name of new Set(classical.map((reader) => reader.name))) {
        const scopesOf = reach.get(name);
        if (scopesOf === undefined) reach.set(name, [scope]);
        else scopesOf.push(scope);
      }
    }
    return [...reach].map(([name, open]) => ({
      rule: "post-quantum",
      severity,
      message: `${name} has a classical recipient, so ${sayScopes(open)} not protected against quantum computers`,
      file: memberPath(name),
      line: 1,
      hint: "sealtree keygen makes a post-quantum key; put its age1pq1... line in place of the other, then sealtree rekey",
    }));
  },
};

function sayScopes(scopes: readonly string[]): string {
  if (scopes.length > 3) return `${scopes.length} scopes are`;
  return `${scopes.join(", ")} ${scopes.length === 1 ? "is" : "are"}`;
}
