import { listDrops, openOwnDrops } from "../access/own-drops.ts";
import { checkAllowed, findMember, isAllowed } from "../access/permission.ts";
import { loadPolicy, type Member, type Policy } from "../access/policy.ts";
import type { Session } from "../access/session.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { listScopes, readKeyring, readScope } from "../store/keyring.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import { printScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { writeFiles, type FileChange, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { findUncommittedAdoptions } from "./cut-off-adoption.ts";
import { openEntries } from "./open-scope.ts";
import { recordSealer } from "./seal-value.ts";

export interface AdoptRequest extends WriteOptions {
  /** Only this scope; every scope that the member may read and write without. */
  readonly scope?: ScopePath | undefined;
  readonly note?: string | undefined;
}

/** The drops of one scope, by name, each list in the order of the file. */
export interface AdoptedScope {
  readonly scope: ScopePath;
  /** Drops that became records. */
  readonly adopted: readonly SecretName[];
  /** Drops that are sealed to none of the user's identities: somebody could read when they were set, and it was not this user. */
  readonly closed: readonly SecretName[];
}

export interface Adoption {
  /** Scopes that had drops. */
  readonly scopes: readonly AdoptedScope[];
  /** Scopes with drops that the member may not both read and write. */
  readonly left: readonly { readonly scope: ScopePath; readonly drops: number }[];
}

/**
 * Turns drops into records under the current generation of their scopes, or under a new one
 * where none is fit, in one commit. Value ids, times and comments stay. Drops for others stay
 * as they are. Throws E_SCOPE_NOT_FOUND and E_PERMISSION_DENIED for a scope that is named,
 * E_RECORD_MALFORMED and E_RECORD_INTEGRITY for a drop that does not open where it stands,
 * E_NO_ACCESS for a keyring that does not open; nothing is then written.
 */
export async function adoptDrops(session: Session, request: AdoptRequest): Promise<WriteOutcome<Adoption>> {
  return await writeFiles(session.place, request, async (tree) => {
    const policy = await loadPolicy(tree);
    const member = await findMember(policy, await session.identities());
    const scopes: PlannedAdoption[] = [];
    const left: { scope: ScopePath; drops: number }[] = [];
    for (const scope of request.scope === undefined ? await listScopes(tree) : [request.scope]) {
      const entries = await readEntries(tree, scope);
      const drops = listDrops(entries);
      if (drops.length === 0) continue;
      if (request.scope !== undefined) checkMayAdopt(policy, member, scope);
      if (mayAdopt(policy, member, scope)) scopes.push(await planAdoption(session, policy, tree, scope, entries));
      else left.push({ scope, drops: drops.length });
    }
    const cutOff = await findUncommittedAdoptions(session.place, tree, request.scope);
    return {
      changes: scopes.flatMap(({ files }) => files),
      touched: [...scopes.flatMap(({ touched }) => touched), ...cutOff.flatMap(({ touched }) => touched)],
      text: { subject: subjectOf([...scopes, ...cutOff]), reason: "adopt", note: request.note },
      result: { scopes: scopes.map(({ scope, adopted, closed }) => ({ scope, adopted, closed })), left },
    };
  });
}

interface PlannedAdoption extends AdoptedScope {
  readonly files: readonly FileChange[];
  readonly touched: readonly string[];
}

async function readEntries(tree: Tree, scope: ScopePath): Promise<ScopeEntries> {
  const entries = await readScope(tree, scope);
  if (entries !== undefined) return entries;
  const { scopeNotFound } = await import("./not-found.ts");
  throw await scopeNotFound(tree, scope);
}

async function planAdoption(
  session: Session,
  policy: Policy,
  tree: Tree,
  scope: ScopePath,
  before: ScopeEntries,
): Promise<PlannedAdoption> {
  const keyring = await readKeyring(tree, scope);
  const sealer = recordSealer(session, policy, keyring, openEntries(tree, scope, before, await session.identities()));
  const opened = await openOwnDrops(session, scope, before);
  const entries = new Map(before);
  for (const [name, secret] of opened) {
    const entry = before.get(name);
    if (entry === undefined) continue;
    const { valueId, createdAt } = readSealedHeader(entry.record);
    entries.set(name, { ...entry, record: await sealer.seal(name, { valueId, createdAt }, secret) });
  }
  const adopted = [...opened.keys()];
  const closed = listDrops(before).filter((name) => !opened.has(name));
  if (adopted.length === 0) return { scope, adopted, closed, files: [], touched: [] };
  const path = scopeFilePath(scope);
  return {
    scope,
    adopted,
    closed,
    files: [...sealer.files, { path, bytes: printScopeFile(scope, entries) }],
    touched: [...keyring.keys()].map((id) => generationPath(scope, id)),
  };
}

function mayAdopt(policy: Policy, member: Member | undefined, scope: ScopePath): boolean {
  return member !== undefined && isAllowed(policy, member, "read", scope) && isAllowed(policy, member, "write", scope);
}

function checkMayAdopt(policy: Policy, member: Member | undefined, scope: ScopePath): void {
  checkAllowed(policy, member, "read", scope);
  checkAllowed(policy, member, "write", scope);
}

function subjectOf(scopes: readonly { readonly scope: ScopePath; readonly adopted: readonly unknown[] }[]): string {
  const names = [...new Set(scopes.filter(({ adopted }) => adopted.length > 0).map(({ scope }) => scope))];
  const amount = scopes.reduce((total, { adopted }) => total + adopted.length, 0);
  const what = `adopt ${amount} ${amount === 1 ? "drop" : "drops"}`;
  return names.length === 1 ? `secrets(${names[0] ?? ""}): ${what}` : `secrets: ${what} in ${names.length} scopes`;
}
