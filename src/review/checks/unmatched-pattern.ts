import type { Policy } from "../../access/policy.ts";
import { matchesPatterns } from "../../access/scope-pattern.ts";
import type { ScopePath } from "../../secret/address.ts";
import { accessPolicyPath } from "../../store/layout.ts";
import type { Rule } from "../rule.ts";

export const unmatchedPattern: Rule = {
  name: "unmatched-pattern",
  describe:
    "Every pattern of a grant that somebody has matches a scope. A warning; a notice for one with !, which may stand there for a scope to come.",
  checkTree({ policy, accessDocument, scopes }) {
    if (policy === undefined || scopes.size === 0) return [];
    const known = [...scopes.keys()];
    return listPatterns(policy)
      .filter(({ pattern }) => !matchesAny(pattern, known))
      .map(({ pattern, place }) => {
        const isExclusion = pattern.startsWith("!");
        return {
          rule: "unmatched-pattern",
          severity: isExclusion ? "notice" : "warning",
          message: `the pattern ${pattern} matches no scope, so it ${isExclusion ? "takes nothing away" : "gives nothing"}`,
          file: accessPolicyPath,
          line: accessDocument?.lineOf(place) ?? 1,
          hint: "look for a typing error; sealtree list shows the scopes",
        };
      });
  },
};

interface WrittenPattern {
  readonly pattern: string;
  readonly place: readonly PropertyKey[];
}

/** Every pattern of the roles that have a member, with its place in the policy. */
function listPatterns({ roles, members }: Policy): WrittenPattern[] {
  return [...roles].flatMap(([role, { grants }]) => {
    if (![...members.values()].some((member) => member.roles.includes(role))) return [];
    return grants.flatMap(({ scopes }, grant) =>
      scopes.map((pattern, index) => ({
        pattern,
        place: ["roles", role, "grants", grant, "scopes", index],
      })),
    );
  });
}

/** Any name will do for `${member}`: a scope of somebody who is gone is a match too. */
function matchesAny(pattern: string, scopes: readonly ScopePath[]): boolean {
  const positive = [pattern.replace(/^!/, "").replaceAll("${member}", "*")];
  return scopes.some((scope) => matchesPatterns(positive, scope, ""));
}
