import {
  createCipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type CipherGCMTypes,
  type KeyObject,
} from "node:crypto";
import { deriveWithBcrypt } from "../../src/crypto/bcrypt-kdf.ts";
import { ed25519Pair, rsaPair } from "../../src/crypto/ssh-key-pair.ts";
import type { SshPublicKey } from "../../src/crypto/ssh-public-key.ts";
import { parseUnsigned, printPositive, printWire } from "../../src/crypto/ssh-wire.ts";

/** An SSH key of a test, and what OpenSSH's file of it holds after the check numbers. */
export interface TestSshKey {
  readonly keyObject: KeyObject;
  readonly publicKey: SshPublicKey;
  readonly privateFields: Uint8Array;
}

/** How a file is written; what is left out is as ssh-keygen would. */
export interface FileOptions {
  readonly cipher?: string;
  readonly passphrase?: string;
  readonly rounds?: number;
  readonly kdf?: string;
  readonly keyCount?: number;
  readonly checks?: readonly [number, number];
  readonly padding?: Uint8Array;
  readonly publicBlob?: Uint8Array;
  readonly trailing?: Uint8Array;
}

/** The ed25519 key of a seed that says what it is. */
export function ed25519TestKey(name: string): TestSshKey {
  const seed = createHash("sha256").update(`sealtree test SSH key ${name}`).digest();
  const { publicKey } = ed25519Pair(seed);
  const point = publicKey.blob.subarray(-32);
  const keyObject = createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
    format: "der",
    type: "pkcs8",
  });
  return { keyObject, publicKey, privateFields: printWire(["ssh-ed25519", point, Buffer.concat([seed, point])]) };
}

/** A new RSA key. */
export function rsaTestKey(bits = 2048): TestSshKey {
  const keyObject = generateKeyPairSync("rsa", { modulusLength: bits }).privateKey;
  const jwk = keyObject.export({ format: "jwk" });
  const numbers = [jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map((text) =>
    printPositive(parseUnsigned(Buffer.from(text ?? "", "base64url"))),
  );
  return { keyObject, publicKey: rsaPair(keyObject).publicKey, privateFields: printWire(["ssh-rsa", ...numbers]) };
}

/** The key as a file of OpenSSH (PROTOCOL.key). */
export async function opensshFile(key: TestSshKey, options: FileOptions = {}): Promise<string> {
  const { cipher = "none", passphrase = "", rounds = 1, keyCount = 1, checks = [7, 7] } = options;
  const content = Buffer.concat([u32(checks[0]), u32(checks[1]), key.privateFields, printWire(["test"])]);
  const block = cipher === "none" ? 8 : 16;
  const padding =
    options.padding ?? Uint8Array.from({ length: (block - (content.length % block)) % block }, (_, i) => i + 1);
  const salt = Buffer.alloc(16, 5);
  const { sealed, tag } = await encrypt(cipher, Buffer.concat([content, padding]), passphrase, salt, rounds);
  const kdfOptions = cipher === "none" ? new Uint8Array(0) : Buffer.concat([printWire([salt]), u32(rounds)]);
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    printWire([cipher, options.kdf ?? (cipher === "none" ? "none" : "bcrypt"), kdfOptions]),
    u32(keyCount),
    printWire([options.publicBlob ?? key.publicKey.blob, sealed]),
    tag,
    options.trailing ?? new Uint8Array(0),
  ]);
  return pemBlock("OPENSSH PRIVATE KEY", bytes);
}

/** Bytes in PEM, 70 characters a line as OpenSSH has it. */
export function pemBlock(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

async function encrypt(cipher: string, content: Buffer, passphrase: string, salt: Uint8Array, rounds: number) {
  const [, bits = "256", mode = ""] = /^aes(\d+)-(ctr|cbc|gcm)/.exec(cipher) ?? [];
  const empty = Buffer.alloc(0);
  if (mode === "") return { sealed: content, tag: empty };
  const keyBytes = Number(bits) / 8;
  const derived = await deriveWithBcrypt(
    Buffer.from(passphrase),
    salt,
    Math.min(Math.max(rounds, 1), 2),
    keyBytes + (mode === "gcm" ? 12 : 16),
  );
  if (derived === undefined) throw new Error("no key");
  const [secret, iv] = [derived.subarray(0, keyBytes), derived.subarray(keyBytes)];
  if (mode === "gcm") {
    const gcm = createCipheriv(`aes-${bits}-gcm` as CipherGCMTypes, secret, iv);
    return { sealed: Buffer.concat([gcm.update(content), gcm.final()]), tag: gcm.getAuthTag() };
  }
  const other = createCipheriv(`aes-${bits}-${mode}`, secret, iv).setAutoPadding(false);
  return { sealed: Buffer.concat([other.update(content), other.final()]), tag: empty };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
