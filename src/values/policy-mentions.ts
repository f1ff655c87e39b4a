import { printAddress } from "../secret/address.ts";
import { accessPolicyPath, policiesDirectory } from "../store/layout.ts";
import { readText, type Tree } from "../store/tree.ts";
import type { Move } from "./move-values.ts";

/** A line of a policy that names what was moved. */
export interface PolicyMention {
  readonly file: string;
  /** One-based. */
  readonly line: number;
  /** What stands there, an address or a scope. */
  readonly written: string;
  /** What it has to be now. */
  readonly meant: string;
}

/**
 * Lines of the policies that name a moved secret, or a secret or the path of a moved scope,
 * by their text. Scope patterns in the access policy are left to the reader: they may well
 * be meant to stay.
 */
export async function findPolicyMentions(tree: Tree, move: Move): Promise<PolicyMention[]> {
  const [from, to] = move.kind === "scope" ? [move.from, move.to] : [printAddress(move.from), printAddress(move.to)];
  const names = move.kind === "scope" ? "(?:/[A-Za-z_][A-Za-z0-9_.-]*)?" : "";
  const pattern = new RegExp(`(?<![A-Za-z0-9_./-])${from.replaceAll(".", "\\.")}${names}(?![A-Za-z0-9_./-])`, "g");
  const mentions: PolicyMention[] = [];
  for (const file of await tree.list(policiesDirectory)) {
    if (!file.endsWith(".yaml") || file === accessPolicyPath) continue;
    const text = (await readText(tree, file)) ?? "";
    for (const [index, line] of text.split("\n").entries()) {
      for (const [written] of line.replace(/(?:^|\s)#.*$/, "").matchAll(pattern)) {
        mentions.push({ file, line: index + 1, written, meant: `${to}${written.slice(from.length)}` });
      }
    }
  }
  return mentions;
}
