import { type AgeHeader, macFits, parseHeader, type Stanza } from "./age-header.ts";

/**
 * The public half of an identity, by age-encryption. For keys this Node cannot use; loading
 * the library takes longer than all the rest of opening a file.
 */
export async function recipientFromLibrary(identity: string): Promise<string> {
  const { identityToRecipient } = await import("age-encryption");
  return identityToRecipient(identity);
}

/**
 * The file key `identity` finds in a header, by age-encryption: `foreign` when no stanza is
 * for it, `broken` when a stanza or the MAC is wrong.
 */
export async function unwrapWithLibrary(
  identity: string,
  header: AgeHeader,
): Promise<Uint8Array | "foreign" | "broken"> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  let reachedEnd = false;
  const sentinel = {
    unwrapFileKey: () => {
      reachedEnd = true;
      return null;
    },
  };
  decrypter.addIdentity(identity);
  decrypter.addIdentity(sentinel);
  try {
    return await decrypter.decryptHeader(header.bytes);
  } catch {
    return reachedEnd ? "foreign" : "broken";
  }
}

/** A new file key, and the stanzas that wrap it. */
export interface WrappedFileKey {
  readonly fileKey: Uint8Array;
  readonly stanzas: readonly Stanza[];
}

/**
 * A new file key and one stanza for each of the checked recipients, in their order, by
 * age-encryption. The library tells a file key only to recipients of its own interface, so
 * one that wraps nothing takes it down while an empty file is made.
 */
export async function wrapWithLibrary(recipients: readonly string[]): Promise<WrappedFileKey> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  let fileKey: Uint8Array | undefined;
  const listener = {
    wrapFileKey: (key: Uint8Array) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  };
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  encrypter.addRecipient(listener);
  const header = parseHeader(await encrypter.encrypt(new Uint8Array(0)));
  if (fileKey === undefined || header.stanzas.length !== recipients.length || !macFits(header, fileKey)) {
    throw new Error("age-encryption made something else than one stanza a recipient");
  }
  return { fileKey, stanzas: header.stanzas };
}
