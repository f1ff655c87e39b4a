import { encryptToRecipients } from "../crypto/age-encrypt.ts";
import { encodeGeneration, generateDek, generationId, hashReaders } from "../crypto/generation.ts";
import { isPostQuantum } from "../crypto/recipient.ts";
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
  const readers = requireReaders(policy, scope);
  checkPostQuantum(policy, scope, readers);
  const { file, opened } = draftGeneration(session, scope, readers, findTips(keyring)[0]?.id);
  const recipients = readers.map(({ recipient }) => recipient);
  const armored = await encryptToRecipients(recipients, opened.payload, "allowed", () => session.plugins());
  return { file: { ...file, armored }, opened };
}

/** A generation whose key is made and not wrapped yet. */
export interface DraftGeneration {
  readonly file: Omit<GenerationFile, "armored">;
  readonly opened: OpenGeneration;
}

/** A new generation for `readers` that follows the one named `previous`; undefined for the first of a scope. */
export function draftGeneration(
  session: Session,
  scope: ScopePath,
  readers: readonly Reader[],
  previous: string | undefined,
): DraftGeneration {
  const dek = generateDek(session.random);
  const createdAt = nowSeconds(session);
  const mintedFor = toReaderList(readers);
  const payload = encodeGeneration({ dek, createdAt, previous, mintedForHash: hashReaders(mintedFor), scope });
  const id = generationId(dek, scope);
  return {
    file: { id, previous, createdAt, mintedFor, wrappedFor: mintedFor },
    opened: { id, dek, payload, reader: undefined },
  };
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

/** Throws E_RECIPIENTS_MIXED when the policy requires post-quantum recipients and a reader has another. */
export function checkPostQuantum(policy: Policy, scope: ScopePath, readers: readonly Reader[]): void {
  const classical = readers.filter(({ recipient }) => !isPostQuantum(recipient));
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
}
