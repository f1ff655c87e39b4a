import type { AgeHeader } from "./age-header.ts";

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

/** A binary age file to checked recipients, by age-encryption; stanzas in the order given. */
export async function encryptWithLibrary(recipients: readonly string[], plaintext: Uint8Array): Promise<Uint8Array> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(plaintext);
}
