import { currentGeneration, generationChange, mintGeneration } from "../access/generations.ts";
import type { Policy } from "../access/policy.ts";
import { nowSeconds, type Session } from "../access/session.ts";
import { parseRecordHeader, sealRecord } from "../crypto/record.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { readKeyring, readScope } from "../store/keyring.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import type { OpenGeneration } from "../store/open-generation.ts";
import { isComment, printScopeFile, type ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { openEntries, type OpenScope } from "./open-scope.ts";

/** What is to become of one secret. */
export type ValueChange =
  | {
      readonly action: "set";
      readonly secret: Secret;
      /** New comment lines; the present ones stay without. */
      readonly comments?: readonly string[];
      /** Identity and age of a value that is moved or rolled back to; a new value has neither. */
      readonly origin?: { readonly valueId: string; readonly createdAt: number };
    }
  | { readonly action: "comment"; readonly comments: readonly string[] }
  | { readonly action: "unset" };

export interface ScopeChange {
  readonly scope: ScopePath;
  readonly changes: ReadonlyMap<SecretName, ValueChange>;
  /** Records as they were when the change was decided on; a value that is another by now is E_RACED. */
  readonly expected?: ReadonlyMap<SecretName, string | undefined>;
  /** What becomes of the file when nothing is left in it; it is kept without. */
  readonly whenEmpty?: "keep" | "remove";
}

/** What a change did, by name, each list in the order of the change. */
export interface ChangeSummary {
  readonly scope: ScopePath;
  readonly added: readonly SecretName[];
  readonly changed: readonly SecretName[];
  readonly unchanged: readonly SecretName[];
  readonly removed: readonly SecretName[];
  /** Names to unset that were not there. */
  readonly missing: readonly SecretName[];
}

export interface PlannedScope {
  readonly files: readonly FileChange[];
  readonly touched: readonly string[];
  readonly summary: ChangeSummary;
}

/**
 * Plans a change of one scope against `tree`: which values differ, and the files that record
 * it, keyring before scope. A value that is set to what it is keeps its bytes. Mints the
 * first generation of a new scope, or a new one when no present one is fit. Writes nothing.
 */
export async function planScopeChange(
  session: Session,
  policy: Policy,
  tree: Tree,
  change: ScopeChange,
): Promise<PlannedScope> {
  const { scope } = change;
  const before = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
  const keyring = await readKeyring(tree, scope);
  const open = openEntries(tree, scope, before, await session.identities());
  const entries = new Map(before);
  const files: FileChange[] = [];
  const lists = {
    added: [] as SecretName[],
    changed: [] as SecretName[],
    unchanged: [] as SecretName[],
    removed: [] as SecretName[],
    missing: [] as SecretName[],
  };
  let generation: OpenGeneration | undefined;

  const fitGeneration = async () => {
    const current = currentGeneration(policy, scope, keyring);
    if (current !== undefined) return await open.generation(current.id);
    const minted = await mintGeneration(session, policy, scope, keyring);
    files.push(generationChange(scope, minted.file));
    return minted.opened;
  };

  for (const [name, item] of change.changes) {
    const entry = before.get(name);
    checkExpected(change, name, entry?.record);
    const comments = ("comments" in item ? item.comments : undefined) ?? entry?.comments ?? [];
    if (!comments.every(isComment))
      throw new SealtreeError("E_INPUT_INVALID", `a comment above ${name} has a control character`);
    if (item.action === "unset") {
      lists[entries.delete(name) ? "removed" : "missing"].push(name);
    } else if (item.action === "comment") {
      if (entry !== undefined) entries.set(name, { ...entry, comments });
    } else if (entry !== undefined && (await holdsValue(open, name, item.secret)) && isOrigin(entry, item.origin)) {
      entries.set(name, { ...entry, comments });
      lists.unchanged.push(name);
    } else {
      generation ??= await fitGeneration();
      const valueId = item.origin?.valueId ?? Buffer.from(session.random(8)).toString("hex");
      const header = { generation: generation.id, valueId, createdAt: item.origin?.createdAt ?? nowSeconds(session) };
      const record = sealRecord(generation.dek, { scope, name, purpose: "value" }, header, item.secret, session.random);
      entries.set(name, { record, comments, line: 0 });
      lists[entry === undefined ? "added" : "changed"].push(name);
    }
  }

  const path = scopeFilePath(scope);
  const text = printScopeFile(scope, entries);
  const old = await tree.read(path);
  const isSame = old === undefined ? entries.size === 0 : Buffer.from(old).toString("utf8") === text;
  const isGone = change.whenEmpty === "remove" && entries.size === 0;
  if (isGone ? old !== undefined : !isSame) files.push({ path, bytes: isGone ? undefined : text });
  const touched = [...[...keyring.keys()].map((id) => generationPath(scope, id)), ...(old === undefined ? [] : [path])];
  return { files, touched, summary: { scope, ...lists } };
}

function checkExpected(change: ScopeChange, name: SecretName, record: string | undefined): void {
  if (change.expected === undefined || sameValue(change.expected.get(name), record)) return;
  throw new SealtreeError("E_RACED", `${change.scope}/${name} was changed by somebody else in the meantime`, {
    hints: ["nothing was written; look at it with sealtree log, then run the command again"],
  });
}

/** A record that is broken or belongs elsewhere holds no value: setting one repairs it. */
export async function holdsValue(open: OpenScope, name: SecretName, secret: Secret): Promise<boolean> {
  try {
    return (await open.open(name)).equals(secret);
  } catch (error) {
    if (hasCode(error, "E_RECORD_INTEGRITY", "E_RECORD_MALFORMED", "E_GENERATION_UNKNOWN")) return false;
    throw error;
  }
}

function isOrigin(entry: ScopeEntry, origin: { readonly valueId: string } | undefined): boolean {
  return origin === undefined || parseRecordHeader(entry.record).valueId === origin.valueId;
}
