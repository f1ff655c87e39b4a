import { encryptToRecipients } from "../crypto/age.ts";
import { encodeGeneration, generateDek, generationId, hashReaders } from "../crypto/generation.ts";
import { SealtreeError } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { printGenerationFile, type GenerationFile } from "../store/generation-file.ts";
import { findCurrentGeneration, type Keyring } from "../store/keyring.ts";
import { generationPath } from "../store/layout.ts";
import type { OpenGeneration } from "../store/open-generation.ts";
import type { FileChange } from "../store/write.ts";
import { checkHasReaders, listReaders, toReaderList, type Reader } from "./permission.ts";
import type { Policy } from "./policy.ts";
import { nowSeconds, type Session } from "./session.ts";

/** A generation that is new or newly wrapped, and its key. */
export interface WrittenGeneration {
  readonly file: GenerationFile;
  readonly opened: OpenGeneration;
}

/** The readers of a scope by the policy, at least one of them a member. Throws E_NO_READERS. */
export function requireReaders(policy: Policy, scope: ScopePath): Reader[] {
  const readers = listReaders(policy, scope);
  checkHasReaders(policy, scope, readers);
  return readers;
}

/** The generation new values go under; undefined when one must be minted. */
export function currentGeneration(policy: Policy, scope: ScopePath, keyring: Keyring): GenerationFile | undefined {
  return findCurrentGeneration(keyring, new Set(listReaders(policy, scope).map(({ fingerprint }) => fingerprint)));
}

/**
 * Makes a generation for the present readers of a scope. It follows the newest one there is.
 * Throws E_NO_READERS, E_RECIPIENTS_MIXED.
 */
export async function mintGeneration(
  session: Session,
  policy: Policy,
  scope: ScopePath,
  keyring: Keyring,
): Promise<WrittenGeneration> {
  return await mintSuccessor(session, policy, scope, findTips(keyring)[0]?.id);
}

/** {@link mintGeneration} that follows the generation named `previous`; undefined for the first of a scope. */
export async function mintSuccessor(
  session: Session,
  policy: Policy,
  scope: ScopePath,
  previous: string | undefined,
): Promise<WrittenGeneration> {
  const readers = requireReaders(policy, scope);
  const dek = generateDek(session.random);
  const createdAt = nowSeconds(session);
  const mintedFor = toReaderList(readers);
  const payload = encodeGeneration({ dek, createdAt, previous, mintedForHash: hashReaders(mintedFor), scope });
  const id = generationId(dek, scope);
  const armored = await wrap(policy, scope, readers, payload);
  return {
    file: { id, previous, createdAt, mintedFor, wrappedFor: mintedFor, armored },
    opened: { id, dek, payload, reader: undefined },
  };
}

/** The same generation wrapped for the present readers. */
export async function rewrapGeneration(
  policy: Policy,
  scope: ScopePath,
  file: GenerationFile,
  payload: Uint8Array,
): Promise<GenerationFile> {
  const readers = requireReaders(policy, scope);
  return { ...file, wrappedFor: toReaderList(readers), armored: await wrap(policy, scope, readers, payload) };
}

/** The file change that writes a generation. */
export function generationChange(scope: ScopePath, file: GenerationFile): FileChange {
  return { path: generationPath(scope, file.id), bytes: printGenerationFile(scope, file) };
}

/** The generations that are nobody's `previous`, newest first, then by id: one, or one a merged branch. */
export function findTips(keyring: Keyring): GenerationFile[] {
  const replaced = new Set([...keyring.values()].map(({ previous }) => previous));
  return [...keyring.values()]
    .filter(({ id }) => !replaced.has(id))
    .sort((a, b) => b.createdAt - a.createdAt || compareText(a.id, b.id));
}

async function wrap(
  policy: Policy,
  scope: ScopePath,
  readers: readonly Reader[],
  payload: Uint8Array,
): Promise<string> {
  const classical = readers.filter(({ recipient }) => recipient.kind !== "hybrid");
  if (policy.postQuantum === "require" && classical.length > 0) {
    throw new SealtreeError(
      "E_RECIPIENTS_MIXED",
      `the policy requires post-quantum recipients, and ${classical[0]?.name ?? ""} has a classical one`,
      {
        hints: [
          `readers of ${scope} need age1pq1... recipients: sealtree keygen makes one`,
          "or set post_quantum: prefer in policies/access.yaml",
        ],
      },
    );
  }
  return await encryptToRecipients(
    readers.map(({ recipient }) => recipient),
    payload,
    "allowed",
  );
}
