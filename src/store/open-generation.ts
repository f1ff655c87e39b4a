import { decryptWithIdentities, listStanzas, maxKeyringFileBytes } from "../crypto/age.ts";
import { decodeGeneration, generationId, hashReaders, sameHash } from "../crypto/generation.ts";
import type { Identity } from "../crypto/identity.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { countFingerprints, type GenerationFile } from "./generation-file.ts";
import { generationPath } from "./layout.ts";

/** A generation whose key is open in memory. */
export interface OpenGeneration {
  readonly id: string;
  readonly dek: Uint8Array;
  /** The wrapped bytes, to wrap them again for other readers. */
  readonly payload: Uint8Array;
  /** Name of the reader whose stanza opened it, as the file lists them; undefined when not known. */
  readonly reader: string | undefined;
}

/**
 * Opens a generation and checks that the file says what its sealed payload says: scope,
 * name, predecessor, time and the readers it was minted for, and that it has as many stanzas
 * as it names. Undefined when it is for none of the identities. Throws E_KEYRING_INTEGRITY,
 * E_AGE_MALFORMED, and E_PLUGIN_FAILED when a plugin that may have the key could not say.
 */
export async function openGeneration(
  scope: ScopePath,
  file: GenerationFile,
  identities: readonly Identity[],
): Promise<OpenGeneration | undefined> {
  const path = generationPath(scope, file.id);
  const broken = (what: string) =>
    new SealtreeError("E_KEYRING_INTEGRITY", `${path}: ${what}`, {
      file: path,
      hints: [`restore it: git log -- ${path}, then git checkout COMMIT -- ${path}`],
    });
  const limits = { maxBytes: maxKeyringFileBytes };
  const opened = await decryptWithIdentities(file.armored, identities, limits).catch(async (error: unknown) => {
    if (hasCode(error, "E_PLUGIN_FAILED") && (await isForNoneOf(file, identities))) return undefined;
    throw error;
  });
  const stanzas = opened?.stanzaCount ?? listStanzas(file.armored, limits).length;
  if (stanzas !== countFingerprints(file.wrappedFor)) {
    throw broken("it is wrapped to another number of recipients than it lists");
  }
  if (opened === undefined) {
    if ((await readerOf(file, identities)) === undefined) return undefined;
    throw broken("it lists you as a reader, but your key does not open it");
  }
  const payload = decodeGeneration(opened.plaintext);
  if (payload === undefined) throw broken("its payload is not one of sealtree");
  if (payload.scope !== scope) throw broken(`it was made for ${payload.scope}, found at ${scope}`);
  if (generationId(payload.dek, scope) !== file.id) throw broken("its key does not belong to its name");
  if (payload.previous !== file.previous || payload.createdAt !== file.createdAt)
    throw broken("its clear lines were changed");
  if (!sameHash(payload.mintedForHash, hashReaders(file.mintedFor))) throw broken("its list minted_for was changed");
  const reader = readerAt(file, opened.stanza) ?? (await readerOf(file, identities));
  return { id: file.id, dek: payload.dek, payload: opened.plaintext, reader };
}

/** Stanzas stand in the order of the list, sorted by name and fingerprint. */
function readerAt(file: GenerationFile, stanza: number | undefined): string | undefined {
  if (stanza === undefined) return undefined;
  return [...file.wrappedFor].flatMap(([name, prints]) => prints.map(() => name))[stanza];
}

/** True when the public halves of all identities are known, and the file lists none of them. */
async function isForNoneOf(file: GenerationFile, identities: readonly Identity[]): Promise<boolean> {
  const own = await Promise.all(identities.map(async (identity) => await identity.recipients()));
  return own.every((recipients) => recipients.length > 0) && (await readerOf(file, identities)) === undefined;
}

/** The first reader that one of `identities` belongs to, for a key that does not tell which stanza it opened. */
async function readerOf(file: GenerationFile, identities: readonly Identity[]): Promise<string | undefined> {
  for (const identity of identities) {
    const own = new Set((await identity.recipients()).map(({ text }) => fingerprintOf(text)));
    const found = [...file.wrappedFor].find(([, prints]) => prints.some((print) => own.has(print)));
    if (found !== undefined) return found[0];
  }
  return undefined;
}
