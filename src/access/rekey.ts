import { parseRecordHeader, openRecord, sealRecord } from "../crypto/record.ts";
import { hashReaders, type ReaderList } from "../crypto/generation.ts";
import { SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { GenerationFile } from "../store/generation-file.ts";
import { findStaleGenerations, readKeyring, readScope } from "../store/keyring.ts";
import { scopeFilePath } from "../store/layout.ts";
import { openGeneration, type OpenGeneration } from "../store/open-generation.ts";
import { printScopeFile, type ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import {
  currentGeneration,
  findTips,
  generationChange,
  mintSuccessor,
  requireReaders,
  rewrapGeneration,
  type WrittenGeneration,
} from "./generations.ts";
import { toReaderList } from "./permission.ts";
import type { Policy } from "./policy.ts";
import type { Session } from "./session.ts";

export interface PlannedRekey {
  readonly scope: ScopePath;
  /** Keyring files first, then the scope file. */
  readonly files: readonly FileChange[];
  readonly touched: readonly string[];
  /** The generation that was minted, if one was; of several, the first. */
  readonly minted: string | undefined;
  /** Generations that were wrapped again for other readers. */
  readonly rewrapped: number;
  /** Records sealed again. */
  readonly resealed: number;
}

export interface RekeyOptions {
  /**
   * `always` gives the scope a new generation and seals every record under it; `if-needed`
   * mints only when no present generation is fit, and seals only stale records again.
   */
  readonly mint: "always" | "if-needed";
}

/**
 * Plans what makes a scope agree with the policy: every generation wrapped for its present
 * readers, no record under a generation that somebody else could open. The values, their ids
 * and times stay. A scope that agrees already has no files to write. Takes an identity that can open the whole
 * keyring: throws E_NO_ACCESS, and whatever a broken record throws, before anything is written.
 */
export async function planRekey(
  session: Session,
  policy: Policy,
  tree: Tree,
  scope: ScopePath,
  options: RekeyOptions,
): Promise<PlannedRekey> {
  const keyring = await readKeyring(tree, scope);
  const entries = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
  const readers = requireReaders(policy, scope);
  const wanted = toReaderList(readers);
  const stale = findStaleGenerations(keyring, new Set(readers.map(({ fingerprint }) => fingerprint)));
  const opened = new Map<string, OpenGeneration>();
  const open = async (file: GenerationFile) => {
    const known = opened.get(file.id) ?? (await openOrThrow(session, scope, file));
    opened.set(file.id, known);
    return known;
  };

  // Each tip that a merge left gets a successor: without one it would look fit once its stanzas are in order.
  const followed = findTips(keyring).filter(({ id }) => options.mint === "always" || stale.has(id));
  const minted: WrittenGeneration[] = [];
  for (const { id } of followed) minted.push(await mintSuccessor(session, policy, scope, id));
  if (keyring.size === 0) minted.push(await mintSuccessor(session, policy, scope, undefined));
  const current = currentGeneration(policy, scope, keyring);
  // New ones first, so that a crash never leaves a generation that lost a stanza and has no successor.
  const files: FileChange[] = minted.map(({ file }) => generationChange(scope, file));
  let rewrapped = 0;
  for (const file of keyring.values()) {
    if (sameReaders(file.wrappedFor, wanted)) continue;
    files.push(generationChange(scope, await rewrapGeneration(policy, scope, file, (await open(file)).payload)));
    rewrapped += 1;
  }

  const resealed = new Map(entries);
  let target = options.mint === "always" || current === undefined ? minted[0]?.opened : undefined;
  let count = 0;
  for (const [name, entry] of entries) {
    const header = parseRecordHeader(entry.record);
    const source = keyring.get(header.generation);
    if (source === undefined) throw unknownGeneration(scope, name, header.generation);
    if (options.mint === "if-needed" && !stale.has(source.id)) continue;
    target ??= current === undefined ? undefined : await open(current);
    if (target === undefined) continue;
    const place = { scope, name, purpose: "value" } as const;
    const secret = openRecord((await open(source)).dek, place, entry.record);
    resealed.set(name, {
      ...entry,
      record: sealRecord(target.dek, place, { ...header, generation: target.id }, secret, session.random),
    });
    count += 1;
  }
  if (count > 0) files.push({ path: scopeFilePath(scope), bytes: printScopeFile(scope, resealed) });
  const touched = [
    ...[...keyring.values()].map((file) => generationChange(scope, file).path),
    ...(entries.size > 0 ? [scopeFilePath(scope)] : []),
  ];
  return { scope, files, touched, minted: minted[0]?.file.id, rewrapped, resealed: count };
}

async function openOrThrow(session: Session, scope: ScopePath, file: GenerationFile): Promise<OpenGeneration> {
  const opened = await openGeneration(scope, file, await session.identities());
  if (opened !== undefined) return opened;
  throw new SealtreeError("E_NO_ACCESS", `none of your identities can open generation ${file.id} of ${scope}`, {
    hints: [`readers: ${[...file.wrappedFor.keys()].join(", ")}`, "ask one of them to run sealtree rekey"],
  });
}

function unknownGeneration(scope: ScopePath, name: SecretName, id: string): SealtreeError {
  return new SealtreeError(
    "E_GENERATION_UNKNOWN",
    `${scope}/${name} is sealed under generation ${id}, which the keyring lacks`,
    {
      hints: [`restore it from history: git log --all -- 'secrets/**/${id}.yaml'`],
    },
  );
}

function sameReaders(a: ReaderList, b: ReaderList): boolean {
  return Buffer.compare(hashReaders(a), hashReaders(b)) === 0;
}
