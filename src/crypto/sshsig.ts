import { createHash } from "node:crypto";
import { findSshBlob, type SshPublicKey } from "./ssh-public-key.ts";
import { isSshSignature } from "./ssh-verify.ts";
import { printWire, readWire } from "./ssh-wire.ts";

/** A detached SSH signature (PROTOCOL.sshsig of OpenSSH), as it says of itself: nothing is verified yet. */
export interface SshSignature {
  /** The key that claims to have signed. */
  readonly publicKey: SshPublicKey;
  /** What the signature is for, such as `git`. */
  readonly namespace: string;
  readonly hash: SshsigHash;
  /** The signature in SSH's own form, its algorithm included. */
  readonly signature: Uint8Array;
}

type SshsigHash = "sha256" | "sha512";

const magic = "SSHSIG";
const version = 1;
const armorBegin = "-----BEGIN SSH SIGNATURE-----";
const armorEnd = "-----END SSH SIGNATURE-----";
const maxLineChars = 76;
/** Far above the signature of the largest RSA key. */
const maxArmoredChars = 16_384;

/**
 * The signature in armored text, which has nothing before or after it and ends with a line break.
 * Undefined when it is anything else: another version, a key of a type we do not know, an unknown
 * hash, bytes in the reserved field or behind the end, base64 that is not canonical, or lines that
 * are too long or of different lengths.
 */
export function findSshSignature(armored: string): SshSignature | undefined {
  const bytes = findArmored(armored);
  if (bytes === undefined) return undefined;
  return readWire(bytes, (wire) => {
    if (Buffer.from(wire.bytes(magic.length)).toString("latin1") !== magic || wire.u32() !== version) return undefined;
    const publicKey = findSshBlob(wire.string());
    const namespace = wire.text();
    const reserved = wire.string();
    const hash = wire.text();
    const signature = wire.string();
    if (publicKey === undefined || namespace === "" || reserved.length > 0 || !isHash(hash)) return undefined;
    return { publicKey, namespace, hash, signature };
  });
}

/** True when the key of `signature` made it over `message`, for the namespace that it names. */
export function isSignatureOf({ publicKey, namespace, hash, signature }: SshSignature, message: Uint8Array): boolean {
  const digest = createHash(hash).update(message).digest();
  const signed = Buffer.concat([Buffer.from(magic), printWire([namespace, "", hash, digest])]);
  return isSshSignature(publicKey, signature, signed);
}

function findArmored(text: string): Uint8Array | undefined {
  if (text.length > maxArmoredChars || !text.endsWith("\n")) return undefined;
  const [begin, ...lines] = text.slice(0, -1).split("\n");
  const last = lines.at(-2);
  if (begin !== armorBegin || lines.pop() !== armorEnd || last === undefined) return undefined;
  const width = lines[0]?.length ?? 0;
  const isEven = lines.slice(0, -1).every((line) => line.length === width) && last.length <= width;
  if (!isEven || width > maxLineChars || last === "") return undefined;
  const base64 = lines.join("");
  const bytes = Buffer.from(base64, "base64");
  return bytes.toString("base64") === base64 ? bytes : undefined;
}

function isHash(text: string): text is SshsigHash {
  return text === "sha256" || text === "sha512";
}
