import { createPrivateKey, type KeyObject, type PrivateKeyInput } from "node:crypto";
import { errnoOf } from "../errors.ts";
import { ed25519Pair, type LockedSshKey, rsaPair, type SshKeyPair } from "./ssh-key-pair.ts";
import { checkUsable, refuseDamaged, refuseKey, refuseType } from "./ssh-refusal.ts";

/** One PEM block (RFC 7468, and RFC 1421 for the headers of encrypted PKCS#1). */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly headers: string | undefined;
  /** All of it. */
  readonly text: string;
}

const derTypes = new Map<string, "pkcs1" | "pkcs8">([
  ["RSA PRIVATE KEY", "pkcs1"],
  ["PRIVATE KEY", "pkcs8"],
]);
/**
 * What OpenSSL says when it does not know how a key was encrypted. A wrong passphrase gives another
 * code: BAD_DECRYPT, or once in 256 times, when the padding fits by chance, plain UNSUPPORTED.
 */
const unknownEncryption = ["ERR_OSSL_EVP_UNSUPPORTED", "ERR_OSSL_PEM_UNSUPPORTED_ENCRYPTION"];

/** The key in a PEM block. Throws E_IDENTITY_INVALID, also for a key that age cannot use. */
export function parsePemFile(block: PemBlock, name: string): SshKeyPair | LockedSshKey {
  const { label, bytes, headers, text } = block;
  if (label === "EC PRIVATE KEY") throw refuseType(name, "ECDSA");
  if (label === "DSA PRIVATE KEY") throw refuseType(name, "DSA");
  const isLegacy = label === "RSA PRIVATE KEY" && headers?.startsWith("Proc-Type: 4,ENCRYPTED\nDEK-Info: ") === true;
  if (isLegacy || (label === "ENCRYPTED PRIVATE KEY" && headers === undefined && isOneSequence(bytes))) {
    return {
      isLocked: true,
      publicKey: undefined,
      kinds: isLegacy ? ["ssh-rsa"] : ["ssh-ed25519", "ssh-rsa"],
      unlock: async (passphrase) => unlock(text, passphrase, name),
    };
  }
  const type = derTypes.get(label);
  if (type === undefined || headers !== undefined || !isOneSequence(bytes)) throw refuseDamaged(name);
  const key = importOr(() => refuseDamaged(name), { key: Buffer.from(bytes), format: "der", type });
  return toPair(key, name);
}

function unlock(text: string, passphrase: string, name: string): SshKeyPair | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, format: "pem", passphrase });
  } catch (error) {
    if (!unknownEncryption.includes(errnoOf(error) ?? "")) return undefined;
    throw refuseKey(name, "is encrypted in a way that cannot be opened here", "save it anew: ssh-keygen -p -f FILE");
  }
  return toPair(key, name);
}

function importOr(failure: () => Error, input: PrivateKeyInput): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    throw failure();
  }
}

function toPair(key: KeyObject, name: string): SshKeyPair {
  const pair = findPair(key, name);
  checkUsable(name, pair.publicKey);
  return pair;
}

function findPair(key: KeyObject, name: string): SshKeyPair {
  if (key.asymmetricKeyType === "rsa") return rsaPair(key);
  if (key.asymmetricKeyType === "ed25519") {
    return ed25519Pair(Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url"));
  }
  if (key.asymmetricKeyType === "ec") throw refuseType(name, "ECDSA");
  if (key.asymmetricKeyType === "dsa") throw refuseType(name, "DSA");
  throw refuseKey(name, "holds a key of a type that age cannot use", "ssh-ed25519 and ssh-rsa keys can be used");
}

/** True for one DER SEQUENCE (X.690, section 8.9) and nothing behind it. */
function isOneSequence(bytes: Uint8Array): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== 0x30) return false;
  if (first < 0x80) return bytes.length === 2 + first;
  const lengthBytes = first & 0x7f;
  if (lengthBytes < 1 || lengthBytes > 2 || bytes.length < 2 + lengthBytes) return false;
  const length = Buffer.from(bytes).readUIntBE(2, lengthBytes);
  return bytes.length === 2 + lengthBytes + length;
}
