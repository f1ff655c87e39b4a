import { findPolicy, type Policy } from "../access/policy.ts";
import { isSealtreeError } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { listGenerations, listScopes, readKeyring } from "../store/keyring.ts";
import { generationPath, policiesDirectory, scopeFilePath } from "../store/layout.ts";
import { parseScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { compareReaders, readersOf, type ReaderChange, type ScopeReaders } from "./compare-readers.ts";
import { compareSecrets, type SecretChange } from "./compare-secrets.ts";

/** A scope that differs between two trees. */
export interface ScopeDifference {
  readonly scope: ScopePath;
  readonly secrets: readonly SecretChange[];
  readonly readers: readonly ReaderChange[];
}

export interface TreeDifference {
  /** Sorted by scope; those without a difference are left out. */
  readonly scopes: readonly ScopeDifference[];
  /** What cannot be read, one sentence each; nothing is said of it. */
  readonly problems: readonly string[];
}

/** A tree that knows the object ids of its files, as a commit does. */
type Side = Tree & { idOf?(path: string): string | undefined };

/**
 * What two trees of a repository have otherwise: secrets by name and value id, and who can read
 * them. Needs no key. `includes` says which scopes are looked at.
 */
export async function compareTrees(
  before: Side,
  after: Side,
  includes: (scope: ScopePath) => boolean,
): Promise<TreeDifference> {
  const problems: string[] = [];
  const scopes = [...new Set([...(await listScopes(before)), ...(await listScopes(after))])]
    .filter(includes)
    .sort(compareText);
  const isSamePolicy = await hasSamePolicy(before, after);
  let loaded: Promise<Policies> | undefined;
  const policies = () => (loaded ??= loadPolicies(before, after));
  const found: ScopeDifference[] = [];
  for (const scope of scopes) {
    try {
      const secrets = await compareScope(before, after, scope);
      const readers = await compareScopeReaders({ before, after, isSamePolicy, policies }, scope);
      if (secrets.length + readers.length > 0) found.push({ scope, secrets, readers });
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      problems.push(`passed over ${scope}: ${error.message}`);
    }
  }
  return { scopes: found, problems };
}

async function compareScope(before: Side, after: Side, scope: ScopePath): Promise<SecretChange[]> {
  if (await isSameFile(before, after, scopeFilePath(scope))) return [];
  return compareSecrets(await readEntries(before, scope), await readEntries(after, scope));
}

/** Undefined when it has no file. */
async function readEntries(tree: Tree, scope: ScopePath): Promise<ScopeEntries | undefined> {
  const bytes = await tree.read(scopeFilePath(scope));
  return bytes === undefined ? undefined : parseScopeFile(bytes, scope);
}

interface Policies {
  readonly before: Policy | undefined;
  readonly after: Policy | undefined;
}

interface Sides {
  readonly before: Side;
  readonly after: Side;
  readonly isSamePolicy: boolean;
  readonly policies: () => Promise<Policies>;
}

/** A policy that is not right as a whole counts as far as it can be understood. */
async function loadPolicies(before: Tree, after: Tree): Promise<Policies> {
  return { before: (await findPolicy(before)).policy, after: (await findPolicy(after)).policy };
}

async function compareScopeReaders(
  { before, after, isSamePolicy, policies }: Sides,
  scope: ScopePath,
): Promise<ReaderChange[]> {
  const [old, now] = [await listGenerations(before, scope), await listGenerations(after, scope)];
  const paths = old.map((id) => generationPath(scope, id));
  if (isSamePolicy && old.join() === now.join() && (await hasSameFiles(before, after, paths))) return [];
  const sides = await policies();
  return compareReaders(await readReaders(before, scope, sides.before), await readReaders(after, scope, sides.after));
}

/** Who can read a scope of a tree. One that has no file there has no readers, whatever the policy says. */
export async function readReaders(tree: Tree, scope: ScopePath, policy: Policy | undefined): Promise<ScopeReaders> {
  const isThere = (await tree.read(scopeFilePath(scope))) !== undefined;
  return readersOf(isThere ? policy : undefined, scope, isThere ? await readKeyring(tree, scope) : new Map());
}

async function hasSamePolicy(before: Side, after: Side): Promise<boolean> {
  const [old, now] = [await before.list(policiesDirectory), await after.list(policiesDirectory)];
  return old.join("\n") === now.join("\n") && (await hasSameFiles(before, after, old));
}

async function hasSameFiles(before: Side, after: Side, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (!(await isSameFile(before, after, path))) return false;
  return true;
}

async function isSameFile(before: Side, after: Side, path: string): Promise<boolean> {
  const [old, now] = [before.idOf?.(path), after.idOf?.(path)];
  if (old !== undefined && now !== undefined) return old === now;
  const [bytes, others] = [await before.read(path), await after.read(path)];
  return bytes === undefined || others === undefined ? bytes === others : Buffer.compare(bytes, others) === 0;
}
