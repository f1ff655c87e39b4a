import { hashReaders, type ReaderList } from "../crypto/generation.ts";
import { parseRecordHeader, type RecordHeader, sealRecord } from "../crypto/record.ts";
import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { GenerationFile } from "../store/generation-file.ts";
import { findStaleGenerations, type Keyring, readKeyring, readScope } from "../store/keyring.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import { openGeneration, type OpenGeneration } from "../store/open-generation.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { checkStanzas } from "./check-stanzas.ts";
import { findLostGenerations, type FormerAccess } from "./former-access.ts";
import { checkPostQuantum, currentGeneration, draftGeneration, findTips, requireReaders } from "./generations.ts";
import { mayMakeFirst, openOwnDrops } from "./own-drops.ts";
import { toReaderList } from "./permission.ts";
import type { Policy } from "./policy.ts";
import { type RecordJob, recordRandomBytes, type SealJob } from "./seal-job.ts";
import type { Session } from "./session.ts";

export interface PlannedRekey {
  readonly scope: ScopePath;
  /** Keyring files first, the new ones before the others, then the scope file. */
  readonly files: readonly FileChange[];
  readonly touched: readonly string[];
  /** The generation that was minted, if one was; of several, the first. */
  readonly minted: string | undefined;
  /** Generations that were wrapped again for other readers. */
  readonly rewrapped: number;
  /** Records sealed again. */
  readonly resealed: number;
  /** Drops that became records. */
  readonly adopted: number;
}

export interface RekeyOptions {
  /**
   * `always` gives the scope a new generation and seals every record under it; `if-needed`
   * mints only when no present generation is fit, and seals only stale records again.
   */
  readonly mint: "always" | "if-needed";
  /** Access as it was: who lost it may know every generation of that time. */
  readonly former?: FormerAccess | undefined;
}

/** A rekey whose keys are open, and whose sealing is left to do. */
export interface OpenRekey {
  /** What makes the files of the plan. */
  readonly job: SealJob;
  /** True when a recipient is a plugin's, which takes this process. */
  readonly needsPlugin: boolean;
  /** The plan without its files. */
  readonly result: Omit<PlannedRekey, "files">;
}

/**
 * Decides what makes a scope agree with the policy, and opens the generations that it takes,
 * and no other. Every generation gets its present readers, no record stays under a generation
 * that somebody else could open, and drops become records where the scope file is written
 * anyhow. Values, their ids and times stay. Throws E_NO_READERS, E_RECIPIENTS_MIXED,
 * E_GENERATION_UNKNOWN, E_KEYRING_INTEGRITY for a generation with stanzas for nobody it lists,
 * and E_NO_ACCESS when no identity opens what must be opened.
 */
export async function openRekey(
  session: Session,
  policy: Policy,
  tree: Tree,
  scope: ScopePath,
  { mint, former }: RekeyOptions,
): Promise<OpenRekey> {
  const keyring = await readKeyring(tree, scope);
  const entries: ScopeEntries = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
  checkStanzas(scope, keyring);
  const readers = requireReaders(policy, scope);
  checkPostQuantum(policy, scope, readers);
  const wanted = toReaderList(readers);
  const stale = new Set([
    ...findStaleGenerations(keyring, new Set(readers.map(({ fingerprint }) => fingerprint))),
    ...findLostGenerations(former, policy, scope, keyring),
  ]);

  // Each tip that a merge left gets a successor: without one it would look fit once its stanzas are in order.
  const followed = findTips(keyring).filter(({ id }) => mint === "always" || stale.has(id));
  const fit = currentGeneration(policy, scope, keyring);
  const current = fit === undefined || stale.has(fit.id) ? undefined : fit;
  const predecessors: (string | undefined)[] = followed.map(({ id }) => id);
  if (current === undefined && followed.length === 0 && (await mayMakeFirst(session, scope, entries)))
    predecessors.push(undefined);
  const minted = predecessors.map((id) => draftGeneration(session, scope, readers, id));
  const rewrapped = [...keyring.values()].filter((file) => !sameReaders(file.wrappedFor, wanted));

  const due = listRecords(scope, entries, keyring).filter(({ file }) => mint === "always" || stale.has(file.id));
  const drops =
    minted.length + due.length === 0 ? new Map<SecretName, Secret>() : await openOwnDrops(session, scope, entries);
  const isSealing = due.length + drops.size > 0;
  const under = isSealing && mint === "if-needed" ? current : undefined;
  const opened = await openAll(session, scope, [
    ...rewrapped,
    ...due.map(({ file }) => file),
    ...(under === undefined ? [] : [under]),
  ]);
  const target = under === undefined ? minted[0]?.opened : opened(under);
  const records: RecordJob[] = due.map(({ name, header, file }) => ({
    name,
    source: opened(file).dek,
    header: { ...header, generation: target?.id ?? header.generation },
    random: session.random(recordRandomBytes),
  }));
  const written = new Map(entries);
  for (const [name, secret] of drops) {
    const entry = entries.get(name);
    if (entry === undefined || target === undefined) throw new Error("there is a drop to adopt, and no key for it");
    written.set(name, { ...entry, record: adopt(session, { scope, name }, entry.record, secret, target) });
  }

  return {
    needsPlugin: readers.some(({ recipient }) => recipient.kind === "plugin"),
    job: {
      scope,
      recipients: readers.map(({ recipient }) => recipient.text),
      // New ones first, so that a crash never leaves a generation that lost a stanza and has no successor.
      generations: [
        ...minted.map((draft) => ({ file: draft.file, payload: draft.opened.payload })),
        ...rewrapped.map(({ id, previous, createdAt, mintedFor }) => ({
          file: { id, previous, createdAt, mintedFor, wrappedFor: wanted },
          payload: opened({ id }).payload,
        })),
      ],
      entries: isSealing ? written : undefined,
      target: target?.dek,
      records,
    },
    result: {
      scope,
      touched: [
        ...[...keyring.keys()].map((id) => generationPath(scope, id)),
        ...(entries.size > 0 ? [scopeFilePath(scope)] : []),
      ],
      minted: minted[0]?.file.id,
      rewrapped: rewrapped.length,
      resealed: records.length,
      adopted: drops.size,
    },
  };
}

interface ScopeRecord {
  readonly name: SecretName;
  readonly header: RecordHeader;
  /** The generation it is under. */
  readonly file: GenerationFile;
}

/** The records of a scope, without its drops. Throws E_RECORD_MALFORMED, E_GENERATION_UNKNOWN. */
function listRecords(scope: ScopePath, entries: ScopeEntries, keyring: Keyring): ScopeRecord[] {
  return [...entries].flatMap(([name, { record }]) => {
    if (isDrop(record)) return [];
    const header = parseRecordHeader(record);
    const file = keyring.get(header.generation);
    if (file === undefined) throw unknownGeneration(scope, name, header.generation);
    return [{ name, header, file }];
  });
}

/** Opens generations, all at the same time, so that a plugin is asked once. Gives what looks them up. */
async function openAll(
  session: Session,
  scope: ScopePath,
  files: readonly GenerationFile[],
): Promise<(file: Pick<GenerationFile, "id">) => OpenGeneration> {
  const opened = new Map<string, OpenGeneration>();
  const unique = new Map(files.map((file) => [file.id, file]));
  await Promise.all(
    [...unique.values()].map(async (file) => opened.set(file.id, await openOrThrow(session, scope, file))),
  );
  return ({ id }) => {
    const found = opened.get(id);
    if (found === undefined) throw new Error("a generation is needed that was not opened");
    return found;
  };
}

async function openOrThrow(session: Session, scope: ScopePath, file: GenerationFile): Promise<OpenGeneration> {
  const opened = await openGeneration(scope, file, await session.identities());
  if (opened !== undefined) return opened;
  throw new SealtreeError("E_NO_ACCESS", `none of your identities can open generation ${file.id} of ${scope}`, {
    hints: [`readers: ${[...file.wrappedFor.keys()].join(", ")}`, "ask one of them to run sealtree rekey"],
  });
}

/** A drop that was opened, as a record of the same value. */
function adopt(
  session: Session,
  place: { readonly scope: ScopePath; readonly name: SecretName },
  drop: string,
  secret: Secret,
  { dek, id }: OpenGeneration,
): string {
  const { valueId, createdAt } = readSealedHeader(drop);
  const header = { generation: id, valueId, createdAt };
  return sealRecord(dek, { ...place, purpose: "value" }, header, secret, session.random);
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
