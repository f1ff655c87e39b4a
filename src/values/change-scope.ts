import type { Policy } from "../access/policy.ts";
import { nowSeconds, type Session } from "../access/session.ts";
import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { readKeyring, readScope } from "../store/keyring.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import { isComment, printScopeFile, type ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { openEntries, type OpenScope } from "./open-scope.ts";
import { dropSealer, recordSealer, type Sealing, type ValueOrigin } from "./seal-value.ts";

/** What is to become of one secret. */
export type ValueChange =
  | {
      readonly action: "set";
      readonly secret: Secret;
      /** New comment lines; the present ones stay without. */
      readonly comments?: readonly string[];
      /** Identity and age of a value that is moved or rolled back to; a new value has neither. */
      readonly origin?: ValueOrigin;
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
  /** Files outside `secrets/` that tell of the change, written in the same commit. */
  readonly alongside?: readonly FileChange[];
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
  /** Those of `added` and `changed` that were sealed as drops. */
  readonly drops: readonly SecretName[];
}

export interface PlannedScope {
  readonly files: readonly FileChange[];
  readonly touched: readonly string[];
  readonly summary: ChangeSummary;
}

/**
 * Plans a change of one scope against `tree`: which values differ, and the files that record
 * it, keyring before scope. A value that is set to what it is keeps its bytes. Mints the
 * first generation of a new scope, or a new one when no present one is fit. With the sealing
 * `drop` nothing is opened or minted, and every value that is set is a new one. Writes nothing.
 */
export async function planScopeChange(
  session: Session,
  policy: Policy,
  tree: Tree,
  change: ScopeChange,
  sealing: Sealing,
): Promise<PlannedScope> {
  const { scope } = change;
  const before = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
  const keyring = sealing === "drop" ? new Map<never, never>() : await readKeyring(tree, scope);
  const open = openEntries(tree, scope, before, await session.identities());
  const sealer = sealing === "drop" ? dropSealer(session, policy, scope) : recordSealer(session, policy, keyring, open);
  const entries = new Map(before);
  const lists = {
    added: [] as SecretName[],
    changed: [] as SecretName[],
    unchanged: [] as SecretName[],
    removed: [] as SecretName[],
    missing: [] as SecretName[],
    drops: [] as SecretName[],
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
    } else if (entry !== undefined && sealing === "record" && (await isHeld(open, name, entry, item))) {
      entries.set(name, { ...entry, comments });
      lists.unchanged.push(name);
    } else {
      const origin = item.origin ?? {
        valueId: Buffer.from(session.random(8)).toString("hex"),
        createdAt: nowSeconds(session),
      };
      entries.set(name, { record: await sealer.seal(name, origin, item.secret), comments, line: 0 });
      lists[entry === undefined ? "added" : "changed"].push(name);
      if (sealing === "drop") lists.drops.push(name);
    }
  }

  const files: FileChange[] = [...sealer.files];
  const path = scopeFilePath(scope);
  const text = printScopeFile(scope, entries);
  const old = await tree.read(path);
  const isSame = old === undefined ? entries.size === 0 : Buffer.from(old).toString("utf8") === text;
  const isGone = change.whenEmpty === "remove" && entries.size === 0;
  if (isGone ? old !== undefined : !isSame) files.push({ path, bytes: isGone ? undefined : text });
  files.push(...(change.alongside ?? []));
  const touched = [...[...keyring.keys()].map((id) => generationPath(scope, id)), ...(old === undefined ? [] : [path])];
  return { files, touched, summary: { scope, ...lists } };
}

function checkExpected(change: ScopeChange, name: SecretName, record: string | undefined): void {
  if (change.expected === undefined || sameValue(change.expected.get(name), record)) return;
  throw new SealtreeError("E_RACED", `${change.scope}/${name} was changed by somebody else in the meantime`, {
    hints: ["nothing was written; look at it with sealtree log, then run the command again"],
  });
}

/**
 * True when a record holds `secret`. One that is broken or belongs elsewhere holds no value:
 * setting one repairs it. Nor does a drop: setting its value makes a record of it.
 */
export async function holdsValue(open: OpenScope, name: SecretName, secret: Secret): Promise<boolean> {
  if (isDrop(open.entries.get(name)?.record ?? "")) return false;
  try {
    return (await open.open(name)).equals(secret);
  } catch (error) {
    if (hasCode(error, "E_RECORD_INTEGRITY", "E_RECORD_MALFORMED", "E_GENERATION_UNKNOWN")) return false;
    throw error;
  }
}

async function isHeld(
  open: OpenScope,
  name: SecretName,
  entry: ScopeEntry,
  { secret, origin }: Extract<ValueChange, { action: "set" }>,
): Promise<boolean> {
  if (!(await holdsValue(open, name, secret))) return false;
  return origin === undefined || readSealedHeader(entry.record).valueId === origin.valueId;
}
