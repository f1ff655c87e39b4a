import { listGithubNames, listGithubWriters } from "../access/github-owners.ts";
import { loadPolicy } from "../access/policy.ts";
import { loadRotationPolicy, ruleFor } from "../rotation/policy.ts";
import type { Address } from "../secret/address.ts";
import type { Tree } from "../store/tree.ts";

/** GitHub takes no more reviewers of one pull request. */
const maxReviewers = 15;

/**
 * Who is to look at new values, as names at GitHub: the owners of their rules, and the people who may
 * write in the scope of a secret whose rule has none with such a name. At most 15, without `author`.
 */
export async function listRotationReviewers(
  tree: Tree,
  addresses: readonly Address[],
  author: string,
): Promise<readonly string[]> {
  const [policy, rules] = [await loadPolicy(tree), await loadRotationPolicy(tree)];
  const names = addresses.flatMap((address) => {
    const owner = ruleFor(rules, address)?.owner;
    const own = listGithubNames(policy, ({ name }) => name === owner);
    return own.length > 0 ? own : listGithubWriters(policy, address.scope);
  });
  const others = names.filter((name) => name.toLowerCase() !== author.toLowerCase());
  // GitHub does not tell the case of a name.
  return [...new Map(others.map((name) => [name.toLowerCase(), name])).values()].slice(0, maxReviewers);
}
