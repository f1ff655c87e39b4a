import { createDecipheriv, timingSafeEqual, type CipherGCMTypes } from "node:crypto";
import { deriveWithBcrypt } from "./bcrypt-kdf.ts";
import { ed25519Pair, type LockedSshKey, rsaPairOfNumbers, type SshKeyPair } from "./ssh-key-pair.ts";
import { checkUsable, refuseDamaged, refuseKey, refuseType } from "./ssh-refusal.ts";
import { findSshBlob, type SshPublicKey } from "./ssh-public-key.ts";
import { readWire, type WireReader } from "./ssh-wire.ts";

interface Cipher {
  readonly algorithm: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly tagBytes: number;
}

/** The outside of the file, which anybody can read. */
interface Container {
  readonly cipher: Cipher | undefined;
  readonly salt: Uint8Array;
  readonly rounds: number;
  readonly publicKey: SshPublicKey;
  /** The private keys, encrypted when there is a cipher. */
  readonly sealed: Uint8Array;
  readonly tag: Uint8Array;
}

const magic = "openssh-key-v1\0";
const maxRounds = 10_000;
const plainBlockBytes = 8;
const cipherBlockBytes = 16;
const ciphers = new Map<string, Cipher>(
  [128, 192, 256].flatMap((bits) => [
    [`aes${bits}-ctr`, { algorithm: `aes-${bits}-ctr`, keyBytes: bits / 8, ivBytes: 16, tagBytes: 0 }],
    [`aes${bits}-cbc`, { algorithm: `aes-${bits}-cbc`, keyBytes: bits / 8, ivBytes: 16, tagBytes: 0 }],
    [`aes${bits}-gcm@openssh.com`, { algorithm: `aes-${bits}-gcm`, keyBytes: bits / 8, ivBytes: 12, tagBytes: 16 }],
  ]),
);

/**
 * The key in the bytes of a file that OpenSSH writes (PROTOCOL.key of OpenSSH). Throws
 * E_IDENTITY_INVALID, also for a key that age cannot use.
 */
export function parseOpenSshFile(bytes: Uint8Array, name: string): SshKeyPair | LockedSshKey {
  const found = readWire(bytes, (wire) => readContainer(wire, name));
  if (found === undefined) throw refuseDamaged(name);
  checkUsable(name, found.publicKey);
  if (found.cipher === undefined) return openContainer(found, found.sealed, name);
  const { cipher } = found;
  return {
    isLocked: true,
    publicKey: found.publicKey,
    kinds: [],
    unlock: async (passphrase) => {
      const opened = await decrypt(found, cipher, passphrase);
      return opened && openContainer(found, opened, name);
    },
  };
}

function readContainer(wire: WireReader, name: string): Container | undefined {
  if (Buffer.compare(wire.bytes(magic.length), Buffer.from(magic, "latin1")) !== 0) return undefined;
  const cipherName = wire.text();
  const kdfName = wire.text();
  const kdfOptions = wire.string();
  const keyCount = wire.u32();
  const blob = wire.string();
  const sealed = wire.string();
  const tag = wire.rest();
  if (isDsa(blob)) throw refuseType(name, "DSA");
  const publicKey = findSshBlob(blob);
  if (keyCount !== 1 || publicKey === undefined) return undefined;
  if (cipherName === "none") {
    const isPlain = kdfName === "none" && kdfOptions.length === 0 && tag.length === 0;
    const isWhole = sealed.length % plainBlockBytes === 0;
    return isPlain && isWhole
      ? { cipher: undefined, salt: new Uint8Array(0), rounds: 0, publicKey, sealed, tag }
      : undefined;
  }
  const cipher = ciphers.get(cipherName);
  const kdf = readWire(kdfOptions, (options) => ({ salt: options.string(), rounds: options.u32() }));
  if (cipher === undefined || kdfName !== "bcrypt" || kdf === undefined || kdf.rounds > maxRounds) {
    throw refuseKey(
      name,
      "is encrypted in a way that cannot be opened here",
      "save it anew: ssh-keygen -p -Z aes256-ctr -a 16 -f FILE",
    );
  }
  const isWhole = sealed.length % cipherBlockBytes === 0 && tag.length === cipher.tagBytes;
  return isWhole && kdf.rounds > 0 ? { cipher, ...kdf, publicKey, sealed, tag } : undefined;
}

function isDsa(blob: Uint8Array): boolean {
  return Buffer.from(blob).toString("latin1", 4, 11) === "ssh-dss";
}

/** Undefined when the passphrase is not the key's. */
async function decrypt(
  { sealed, tag, salt, rounds }: Container,
  { algorithm, keyBytes, ivBytes, tagBytes }: Cipher,
  passphrase: string,
): Promise<Uint8Array | undefined> {
  const derived = await deriveWithBcrypt(Buffer.from(passphrase), salt, rounds, keyBytes + ivBytes);
  if (derived === undefined) return undefined;
  const [key, iv] = [derived.subarray(0, keyBytes), derived.subarray(keyBytes)];
  const decipher =
    tagBytes === 0
      ? createDecipheriv(algorithm, key, iv).setAutoPadding(false)
      : createDecipheriv(algorithm as CipherGCMTypes, key, iv, { authTagLength: tagBytes }).setAuthTag(tag);
  try {
    const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
    return opened.length >= 8 && timingSafeEqual(opened.subarray(0, 4), opened.subarray(4, 8)) ? opened : undefined;
  } catch {
    return undefined;
  }
}

function openContainer({ publicKey }: Container, opened: Uint8Array, name: string): SshKeyPair {
  const pair = readWire(opened, readPrivateKey);
  if (pair === undefined || pair.publicKey.text !== publicKey.text) throw refuseDamaged(name);
  return pair;
}

function readPrivateKey(wire: WireReader): SshKeyPair | undefined {
  if (wire.u32() !== wire.u32()) return undefined;
  const type = wire.text();
  const pair = type === "ssh-ed25519" ? readEd25519(wire) : type === "ssh-rsa" ? readRsa(wire) : undefined;
  wire.string();
  const isPadded = wire.rest().every((byte, index) => byte === index + 1);
  return isPadded ? pair : undefined;
}

function readEd25519(wire: WireReader): SshKeyPair | undefined {
  const publicBytes = wire.string();
  const privateBytes = wire.string();
  if (privateBytes.length !== 64) return undefined;
  const pair = ed25519Pair(privateBytes.subarray(0, 32));
  const expected = pair.publicKey.blob.subarray(-32);
  const isWhole = [publicBytes, privateBytes.subarray(32)].every((bytes) => Buffer.compare(bytes, expected) === 0);
  return isWhole ? pair : undefined;
}

function readRsa(wire: WireReader): SshKeyPair | undefined {
  return rsaPairOfNumbers({
    modulus: wire.number(),
    exponent: wire.number(),
    privateExponent: wire.number(),
    coefficient: wire.number(),
    p: wire.number(),
    q: wire.number(),
  });
}
