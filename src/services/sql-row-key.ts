import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { decryptWithIdentities } from "../crypto/age.ts";
import { parseArmor } from "../crypto/age-armor.ts";
import { encryptToRecipients } from "../crypto/age-encrypt.ts";
import type { Identity } from "../crypto/identity.ts";
import { encodeParts } from "../crypto/pae.ts";
import type { RandomSource } from "../crypto/random.ts";
import type { Recipient } from "../crypto/recipient.ts";
import { Secret } from "../secret/secret.ts";

/** Whom the rows of an owner are sealed to. */
export type RowReaders =
  | { readonly kind: "recipients"; readonly recipients: readonly Recipient[] }
  /** Whoever has this key of 32 bytes, made by {@link parseRowKey}. */
  | { readonly kind: "key"; readonly key: Secret };

/** What rows are opened with: each is tried. */
export interface RowKeys {
  readonly identities?: readonly Identity[];
  /** Made by {@link parseRowKey}; several while one takes the place of another. */
  readonly keys?: readonly Secret[];
}

/** First byte of a wrapped key. */
const wrappings = { key: 0x01, age: 0x02 } as const;
const [keyBytes, saltBytes, tagBytes] = [32, 32, 16];
const keyWrapBytes = 1 + saltBytes + keyBytes + tagBytes;
/** Longest wrapped key: 256 post-quantum recipients fit. */
const maxWrappedKeyBytes = 512 * 1024;

/**
 * The key of 32 bytes in a value: the bytes themselves, 64 hex digits, or their base64 in either
 * alphabet. Throws E_INPUT_INVALID, which repeats nothing of the value.
 */
export function parseRowKey(value: Secret): Secret {
  const text = value.revealText()?.trim() ?? "";
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, "hex")
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(text)
      ? Buffer.from(text, "base64url")
      : value.reveal();
  if (bytes.length === keyBytes) return Secret.of(Buffer.from(bytes), "binary");
  throw new SealtreeError("E_INPUT_INVALID", "the key of a table is not 32 bytes", {
    hints: ["make one with: openssl rand -base64 32"],
  });
}

/** Names the readers, 16 hex digits: it differs when the recipients or the key do. Says nothing of the key. */
export function readersId(readers: RowReaders): string {
  const label = "sealtree/sql/readers/v1";
  if (readers.kind === "key") {
    return createHmac("sha256", readers.key.reveal()).update(label).digest("hex").slice(0, 16);
  }
  const texts = [...new Set(readers.recipients.map(({ text }) => text))].toSorted();
  return createHash("sha256")
    .update(encodeParts([label, ...texts]))
    .digest("hex")
    .slice(0, 16);
}

/** The wrapped form of a row's key (docs/targets/sql-format.md). Throws what encryptToRecipients throws. */
export async function wrapRowKey(
  readers: RowReaders,
  dek: Uint8Array,
  context: Uint8Array,
  random: RandomSource,
): Promise<Uint8Array> {
  if (readers.kind === "recipients") {
    const file = parseArmor(await encryptToRecipients(readers.recipients, dek, "refused"));
    return Buffer.concat([Buffer.of(wrappings.age), file]);
  }
  const salt = random(saltBytes);
  const { key, nonce } = deriveWrap(readers.key, salt);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(context);
  const body = Buffer.concat([cipher.update(dek), cipher.final()]);
  return Buffer.concat([Buffer.of(wrappings.key), salt, body, cipher.getAuthTag()]);
}

/**
 * The row's key; undefined when none of `keys` opens it, which is also so for one that was changed.
 * Throws E_RECORD_MALFORMED for what no writer makes, and E_AGE_MALFORMED.
 */
export async function unwrapRowKey(
  keys: RowKeys,
  wrapped: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array | undefined> {
  const dek = await unwrap(keys, wrapped, context);
  if (dek !== undefined && dek.length !== keyBytes) throw malformed();
  return dek;
}

async function unwrap(keys: RowKeys, wrapped: Uint8Array, context: Uint8Array): Promise<Uint8Array | undefined> {
  if (wrapped.length > maxWrappedKeyBytes) throw malformed();
  if (wrapped[0] === wrappings.age) {
    const file = await decryptWithIdentities(wrapped.subarray(1), keys.identities ?? [], {
      maxBytes: maxWrappedKeyBytes,
    });
    return file?.plaintext;
  }
  if (wrapped[0] !== wrappings.key || wrapped.length !== keyWrapBytes) throw malformed();
  for (const key of keys.keys ?? []) {
    const dek = unwrapWithKey(key, wrapped, context);
    if (dek !== undefined) return dek;
  }
  return undefined;
}

function unwrapWithKey(own: Secret, wrapped: Uint8Array, context: Uint8Array): Uint8Array | undefined {
  const { key, nonce } = deriveWrap(own, wrapped.subarray(1, 1 + saltBytes));
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(wrapped.subarray(keyWrapBytes - tagBytes));
  try {
    const body = wrapped.subarray(1 + saltBytes, keyWrapBytes - tagBytes);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** A key and a nonce for one wrap: the salt is random, so no two wraps share them. */
function deriveWrap(key: Secret, salt: Uint8Array) {
  const okm = Buffer.from(hkdfSync("sha256", key.reveal(), salt, "sealtree/sql/wrap/v1", 44));
  return { key: okm.subarray(0, 32), nonce: okm.subarray(32) };
}

function malformed(): SealtreeError {
  return new SealtreeError("E_RECORD_MALFORMED", "a wrapped key of the table is malformed");
}
