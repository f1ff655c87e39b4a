import { readText, type Tree } from "../store/tree.ts";
import { sortedMembers, type Policy } from "./policy.ts";

/** Where the allowed signers of git stand. */
export const signersPath = "policies/allowed_signers";

/**
 * The signing keys of all members in the syntax of `allowed_signers` (ssh-keygen(1), ALLOWED
 * SIGNERS), for git alone: principal, the namespace of git, key. Sorted by member.
 */
export function printSigners(policy: Policy): string {
  const lines = sortedMembers(policy).flatMap(({ name, signingKeys }) =>
    signingKeys.map((key) => `${name} namespaces="git" ${key}\n`),
  );
  return `# Made by sealtree signers from policies/. For git log --show-signature; it proves nothing to who can change it.\n${lines.join("")}`;
}

/** The file as it stands in a tree; undefined when there is none. */
export async function readSigners(tree: Tree): Promise<string | undefined> {
  return await readText(tree, signersPath);
}
