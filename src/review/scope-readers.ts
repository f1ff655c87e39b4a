import { listReaders, type Reader } from "../access/permission.ts";
import type { Grant, Policy } from "../access/policy.ts";
import { matchesPatterns } from "../access/scope-pattern.ts";
import type { ScopePath } from "../secret/address.ts";

/** Who may read a scope by the policy. Scopes with the same grants share one of these. */
export interface ScopeReaders {
  /** Recovery keys included, as {@link listReaders} gives them. */
  readonly readers: readonly Reader[];
  /** Names of those that are members. */
  readonly members: readonly string[];
}

/**
 * Gives the readers of any scope, as {@link listReaders} does, in a fraction of its time for
 * many scopes: each grant is matched once a scope, and scopes that the same grants cover have
 * the same readers.
 */
export function createReaderLookup(policy: Policy): (scope: ScopePath) => ScopeReaders {
  const questions = listQuestions(policy);
  const known = new Map<string, ScopeReaders>();
  return (scope) => {
    const key = questions
      .map(({ grant, member }) => (matchesPatterns(grant.scopes, scope, member) ? "1" : "0"))
      .join("");
    const found = known.get(key) ?? readersOf(policy, scope);
    known.set(key, found);
    return found;
  };
}

/** Every grant to read that a member has; one that says `${member}` once for each of them. */
function listQuestions(policy: Policy): { grant: Grant; member: string }[] {
  const questions = new Map<string, { grant: Grant; member: string }>();
  for (const member of policy.members.values()) {
    for (const role of member.roles) {
      for (const [index, grant] of (policy.roles.get(role)?.grants ?? []).entries()) {
        if (!grant.allow.includes("read")) continue;
        const own = grant.scopes.some((pattern) => pattern.includes("${member}")) ? member.name : "";
        questions.set(`${role} ${index} ${own}`, { grant, member: own });
      }
    }
  }
  return [...questions.values()];
}

function readersOf(policy: Policy, scope: ScopePath): ScopeReaders {
  const readers = listReaders(policy, scope);
  const members = [...new Set(readers.map(({ name }) => name))].filter((name) => policy.members.has(name));
  return { readers, members };
}
