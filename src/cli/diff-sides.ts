import { isScopePattern, matchesPatterns } from "../access/scope-pattern.ts";
import { SealtreeError, usageError } from "../errors.ts";
import { listMergeBases } from "../git/commit-graph.ts";
import type { GitPlace } from "../git/place.ts";
import { isRevision, resolveCommit } from "../git/revision.ts";
import { baseUnclear } from "../review/base.ts";
import { isScopePath, type ScopePath } from "../secret/address.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { scopeNotFound } from "../values/not-found.ts";

/** What `sealtree diff` is to compare. */
export interface DiffSides {
  /** Full ids; undefined for the work tree. */
  readonly before: string;
  readonly after: string | undefined;
  readonly pattern: string | undefined;
}

/**
 * The arguments of diff: a range `A..B` or `A...B`, two revisions, one against the work tree, or
 * none for HEAD; and then a scope or a pattern of scopes. Throws E_USAGE for a word that names both
 * a commit and a scope, E_REVISION_NOT_FOUND, and E_BASE_UNCLEAR for `A...B` that parted in several places.
 */
export async function parseDiffArguments(
  place: GitPlace,
  args: readonly string[],
  option: unknown,
): Promise<DiffSides> {
  const words = [...args];
  const revisions: string[] = [];
  let hasBase = false;
  const [, from, dots, to] = /^(.*?)(\.{2,3})(.*)$/.exec(words[0] ?? "") ?? [];
  if (dots !== undefined) {
    words.shift();
    revisions.push(from === "" ? "HEAD" : (from ?? ""), to === "" ? "HEAD" : (to ?? ""));
    hasBase = dots === "...";
  }
  while (revisions.length < 2 && words[0] !== undefined && (await isCommitHere(place, words[0])))
    revisions.push(words.shift() ?? "");
  const pattern = checkPattern(words.shift() ?? option);
  // A word that is neither a commit nor a pattern is taken for a commit that is not there.
  if (words.length > 0) throw usageError("too many arguments", "sealtree diff A B PATTERN has them all");
  const [before, after] = [await resolveCommit(place, revisions[0] ?? "HEAD"), revisions[1]];
  const end = after === undefined ? undefined : await resolveCommit(place, after);
  const [base, ...others] = hasBase && end !== undefined ? await listMergeBases(place, before, end) : [before];
  if (base === undefined) throw usageError("the two commits have no common ancestor", "use A..B, with two dots");
  if (others.length > 0) throw baseUnclear();
  return { before: base, after: end, pattern };
}

/** A pattern as a function of a scope; a folder has the scopes below it too. */
export function scopeFilter(pattern: string | undefined): (scope: ScopePath) => boolean {
  if (pattern === undefined) return () => true;
  const patterns = /[*?!]/.test(pattern) ? [pattern] : [pattern, `${pattern}/**`];
  return (scope) => matchesPatterns(patterns, scope, "");
}

/**
 * Makes sure that a name on the command line is a scope, or a folder of scopes, on one side at
 * least: a typing error must not look like no difference. Throws E_SCOPE_NOT_FOUND.
 */
export async function requireScope(pattern: string | undefined, before: Tree, after: Tree): Promise<void> {
  if (pattern === undefined || !isScopePath(pattern)) return;
  const includes = scopeFilter(pattern);
  for (const tree of [after, before]) if ((await listScopes(tree)).some(includes)) return;
  throw await scopeNotFound(after, pattern);
}

/** A pattern that somebody typed. Throws E_REVISION_NOT_FOUND for what could not be one. */
export function checkPattern(option: unknown): string | undefined {
  if (typeof option !== "string") return undefined;
  if (isScopePattern(option)) return option;
  throw new SealtreeError("E_REVISION_NOT_FOUND", "an argument is neither a commit nor a pattern of scopes", {
    hints: ["git log --oneline lists commits; a pattern is such as prod/api or prod/**"],
  });
}

async function isCommitHere(place: GitPlace, word: string): Promise<boolean> {
  if (!(await isRevision(place, word))) return false;
  const scopes = await listScopes(openWorkTree(place.root));
  if (!scopes.some((scope) => scope === word || scope.startsWith(`${word}/`))) return true;
  throw usageError(
    "an argument names both a commit and a scope",
    "for the scope: --scope SCOPE; for the commit: refs/heads/NAME",
  );
}
