import { encryptToRecipients } from "../crypto/age-encrypt.ts";
import type { LoadPlugins } from "../crypto/plugin-host.ts";
import { parseRecipient } from "../crypto/parse-recipient.ts";
import { openRecord, sealRecord, type RecordHeader } from "../crypto/record.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { printGenerationFile, type GenerationFile } from "../store/generation-file.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import { printScopeFile, type ScopeEntries } from "../store/scope-file.ts";

/**
 * The costly part of the rekey of one scope, as plain data that a worker thread takes: keys of
 * generations to wrap, and records to seal again. It holds keys, and never an identity.
 */
export interface SealJob {
  readonly scope: ScopePath;
  /** Texts of the recipients, in the order of the stanzas. */
  readonly recipients: readonly string[];
  /** Generations to wrap for the recipients, and what is sealed in them, in the order they are written. */
  readonly generations: readonly { readonly file: Omit<GenerationFile, "armored">; readonly payload: Uint8Array }[];
  /** What the scope file has, with the records as they are now; undefined when it stays as it is. */
  readonly entries: ScopeEntries | undefined;
  /** The key that the records go under. */
  readonly target: Uint8Array | undefined;
  readonly records: readonly RecordJob[];
}

/** A record to be sealed again. */
export interface RecordJob {
  readonly name: SecretName;
  /** The key it is under now. */
  readonly source: Uint8Array;
  /** The header it will have. */
  readonly header: RecordHeader;
  /** {@link recordRandomBytes} fresh random bytes: made where the job is made, so that one source of randomness serves all. */
  readonly random: Uint8Array;
}

/** A file that a job came to. Its bytes have a buffer of their own, which a thread can hand over. */
export interface SealedFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What sealing one record takes from a source of randomness. */
export const recordRandomBytes = 32;

/**
 * Does a job: the files of its generations, then the scope file. Recipients of plugins take
 * `plugins`. Throws what encryptToRecipients, openRecord and printScopeFile throw.
 */
export async function sealJob(job: SealJob, plugins?: LoadPlugins): Promise<SealedFile[]> {
  const { scope, generations } = job;
  const recipients = job.recipients.map((text) => parseRecipient(text));
  const files = generations.map(async ({ file, payload }) => {
    const armored = await encryptToRecipients(recipients, payload, "allowed", plugins);
    return encode(generationPath(scope, file.id), printGenerationFile(scope, { ...file, armored }));
  });
  const entries = job.entries === undefined ? [] : [encode(scopeFilePath(scope), printScopeFile(scope, sealAll(job)))];
  return [...(await Promise.all(files)), ...entries];
}

/** How much work a job is, in wrapped keys: sealing a record takes about a quarter of wrapping a key. */
export function weighJob({ recipients, generations, records }: SealJob): number {
  return recipients.length * generations.length + records.length / 4;
}

function sealAll(job: SealJob): ScopeEntries {
  const entries = new Map(job.entries);
  for (const due of job.records) {
    const entry = entries.get(due.name);
    if (entry !== undefined) entries.set(due.name, { ...entry, record: sealAgain(job, due, entry.record) });
  }
  return entries;
}

function sealAgain({ scope, target }: SealJob, { name, source, header, random }: RecordJob, record: string): string {
  if (target === undefined) throw new Error("there are records to seal, and no key for them");
  const place = { scope, name, purpose: "value" } as const;
  const once = (size: number) => {
    if (size !== random.length) throw new Error("a record takes another number of random bytes");
    return random;
  };
  return sealRecord(target, place, header, openRecord(source, place, record), once);
}

function encode(path: string, text: string): SealedFile {
  return { path, bytes: new TextEncoder().encode(text) };
}
