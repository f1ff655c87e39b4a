import { findMember } from "../access/permission.ts";
import { loadPolicy } from "../access/policy.ts";
import type { Session } from "../access/session.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { holdsValue, type ChangeSummary, type ScopeChange, type ValueChange } from "./change-scope.ts";
import type { Comments } from "./edit-buffer.ts";
import type { Entries } from "./entries.ts";
import { openEntries, openScope } from "./open-scope.ts";
import { sealingOf } from "./seal-value.ts";

/** Values that are to become a scope, or a part of one. */
export interface ImportRequest {
  readonly scope: ScopePath;
  readonly entries: Entries;
  /** Comments by name; the present ones stay without. */
  readonly comments?: Comments;
  /** `new`: the scope must not be there; `merge`: nothing is removed; `replace`: the scope then holds exactly `entries`. */
  readonly mode: "new" | "merge" | "replace";
}

export interface ImportPlan {
  readonly change: ScopeChange;
  readonly summary: ChangeSummary;
}

/**
 * What an import would do to the scope as it is in `tree`. The change holds what the scope
 * looked like, so that somebody else's write in between is E_RACED. For a member who may not
 * read, every value that is there counts as changed. Throws E_EXISTS,
 * E_INPUT_INVALID for no values at all, and what opening the scope throws.
 */
export async function planImport(session: Session, tree: Tree, request: ImportRequest): Promise<ImportPlan> {
  const { scope, entries, comments, mode } = request;
  if (entries.size === 0) throw new SealtreeError("E_INPUT_INVALID", "the input holds no values");
  const present = await readScope(tree, scope);
  if (mode === "new" && present !== undefined) {
    throw new SealtreeError("E_EXISTS", `the scope ${scope} is there already`, {
      hints: ["--merge adds to it and changes it; --replace also removes what the input does not have"],
    });
  }
  const before = present ?? new Map<never, never>();
  const identities = await session.identities();
  const policy = await loadPolicy(tree);
  const sealing = sealingOf(policy, await findMember(policy, identities), scope);
  const open = openEntries(tree, scope, before, identities);
  const changes = new Map<SecretName, ValueChange>();
  const lists = { added: [] as SecretName[], changed: [] as SecretName[], unchanged: [] as SecretName[] };
  for (const [name, secret] of entries) {
    const above = comments?.get(name) ?? [];
    const keepsComments = comments === undefined || (mode === "merge" && above.length === 0);
    changes.set(name, { action: "set", secret, ...(keepsComments ? {} : { comments: above }) });
    if (!open.entries.has(name)) lists.added.push(name);
    else lists[sealing === "record" && (await holdsValue(open, name, secret)) ? "unchanged" : "changed"].push(name);
  }
  const removed = mode === "replace" ? [...open.entries.keys()].filter((name) => !entries.has(name)) : [];
  for (const name of removed) changes.set(name, { action: "unset" });
  const expected = new Map([...changes.keys()].map((name) => [name, open.entries.get(name)?.record]));
  const drops = sealing === "drop" ? [...lists.added, ...lists.changed] : [];
  return { change: { scope, changes, expected }, summary: { scope, ...lists, removed, missing: [], drops } };
}

/**
 * Opens the scope in `tree` anew and compares every imported value, byte for byte. Throws
 * E_RECORD_INTEGRITY naming the first that differs.
 */
export async function verifyImport(session: Session, tree: Tree, request: ImportRequest): Promise<void> {
  const { scope, entries } = request;
  const open = await openScope(tree, scope, await session.identities());
  for (const [name, secret] of entries) {
    if ((await open.open(name)).equals(secret)) continue;
    throw new SealtreeError("E_RECORD_INTEGRITY", `${printAddress({ scope, name })} reads back differently`, {
      hints: ["keep the input, and run the command again; if it stays so, this is a bug"],
    });
  }
}
