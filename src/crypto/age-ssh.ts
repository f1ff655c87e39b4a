import { constants, createHash, createPublicKey, hkdfSync, privateDecrypt, publicEncrypt } from "node:crypto";
import { parseBase64, printBase64 } from "./age-base64.ts";
import { fileKeyBytes } from "./age-file.ts";
import type { Stanza } from "./age-header.ts";
import { openChunk, sealChunk } from "./age-stream.ts";
import { agreeX25519, ephemeralX25519Key, importX25519Key } from "./age-x25519.ts";
import { printBase64url } from "./base64url.ts";
import { findMontgomeryKey } from "./ed25519-point.ts";
import { type Recipient } from "./recipient.ts";
import { sshKeyOf } from "./parse-recipient.ts";
import type { SshKeyPair } from "./ssh-key-pair.ts";
import { ed25519BytesOf, rsaNumbersOf, type RsaNumbers, type SshPublicKey } from "./ssh-public-key.ts";
import { printUnsigned } from "./ssh-wire.ts";

// There is no C2SP text for these stanzas: the source is age's own package agessh.

const ed25519Label = "age-encryption.org/v1/ssh-ed25519";
const oaep = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: "sha256",
  oaepLabel: Buffer.from("age-encryption.org/v1/ssh-rsa"),
};
const zeroNonce = new Uint8Array(12);
const wrappedKeyBytes = fileKeyBytes + 16;

/** `fileKey` for an ssh-ed25519 or ssh-rsa recipient. Throws E_RECIPIENT_INVALID for one that nobody checked. */
export function wrapSsh(recipient: Recipient, fileKey: Uint8Array): Stanza {
  const key = sshKeyOf(recipient);
  const numbers = rsaNumbersOf(key);
  return numbers === undefined ? wrapEd25519(key, fileKey) : wrapRsa(key, numbers, fileKey);
}

/**
 * True for a stanza that names the key: by its type and the first 4 bytes of SHA-256 of its
 * blob. Another key has the same tag once in 2^32, by chance, or by somebody's effort.
 */
export function isTaggedFor(stanza: Stanza, key: SshPublicKey): boolean {
  return stanza.args[0] === key.type && stanza.args[1] === tagOf(key);
}

/** The file key in a stanza that {@link isTaggedFor} the pair; undefined when it does not open. */
export function unwrapSsh(pair: SshKeyPair, stanza: Stanza): Uint8Array | undefined {
  return pair.kind === "ssh-ed25519" ? unwrapEd25519(pair, stanza) : unwrapRsa(pair, stanza);
}

function wrapEd25519(key: SshPublicKey, fileKey: Uint8Array): Stanza {
  const recipient = findMontgomeryKey(ed25519BytesOf(key) ?? new Uint8Array(0));
  const ephemeral = ephemeralX25519Key();
  const shared = recipient && tweak(agreeX25519(ephemeral, recipient), key);
  if (recipient === undefined || shared === undefined) throw new Error("an SSH key was not checked");
  const share = ephemeral.publicKey;
  const args = [key.type, tagOf(key), printBase64(share, "bare")];
  return { args, body: sealChunk(wrappingKey(shared, share, recipient), zeroNonce, fileKey) };
}

function unwrapEd25519(
  { publicKey, agreement }: SshKeyPair & { readonly kind: "ssh-ed25519" },
  { args, body }: Stanza,
): Uint8Array | undefined {
  const share = args.length === 3 ? parseBase64(args[2] ?? "", "bare") : undefined;
  if (share?.length !== 32 || body.length !== wrappedKeyBytes) return undefined;
  const shared = tweak(agreeX25519(agreement, share), publicKey);
  return shared && openChunk(wrappingKey(shared, share, agreement.publicKey), zeroNonce, body);
}

/** Binds the shared secret to the SSH key: multiplies by a scalar made of the blob as salt and no key at all. */
function tweak(shared: Uint8Array | undefined, key: SshPublicKey): Uint8Array | undefined {
  if (shared === undefined) return undefined;
  const scalar = Buffer.from(hkdfSync("sha256", "", key.blob, ed25519Label, 32));
  return agreeX25519(importX25519Key(scalar), shared);
}

function wrappingKey(shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return Buffer.from(hkdfSync("sha256", shared, Buffer.concat([share, recipient]), ed25519Label, 32));
}

function wrapRsa(key: SshPublicKey, { modulus, exponent }: RsaNumbers, fileKey: Uint8Array): Stanza {
  const jwk = { kty: "RSA", n: printBase64url(printUnsigned(modulus)), e: printBase64url(printUnsigned(exponent)) };
  const body = publicEncrypt({ key: createPublicKey({ key: jwk, format: "jwk" }), ...oaep }, fileKey);
  return { args: [key.type, tagOf(key)], body };
}

function unwrapRsa(
  { decryption }: SshKeyPair & { readonly kind: "ssh-rsa" },
  { args, body }: Stanza,
): Uint8Array | undefined {
  // OpenSSL takes a body whose leading zero is missing for the same number; there is one form of a stanza.
  const modulusBits = decryption.asymmetricKeyDetails?.modulusLength ?? 0;
  if (args.length !== 2 || body.length !== Math.ceil(modulusBits / 8)) return undefined;
  try {
    const fileKey = privateDecrypt({ key: decryption, ...oaep }, body);
    return fileKey.length === fileKeyBytes ? fileKey : undefined;
  } catch {
    return undefined;
  }
}

function tagOf(key: SshPublicKey): string {
  return printBase64(createHash("sha256").update(key.blob).digest().subarray(0, 4), "bare");
}
