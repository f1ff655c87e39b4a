import type { JsonWebKey, KeyObject } from "node:crypto";
import { parseBase64 } from "../../crypto/age-base64.ts";
import type { RandomSource } from "../../crypto/random.ts";
import { findSshBlob, printEd25519Key, printRsaKey, type SshPublicKey } from "../../crypto/ssh-public-key.ts";
import { parseUnsigned, printPositive, printWire, readWire } from "../../crypto/ssh-wire.ts";

/** A key pair as OpenSSH writes it down. */
interface SshKeyFields {
  readonly blob: Uint8Array;
  /** What stands behind the check numbers of the file, without the comment. */
  readonly privateFields: Uint8Array;
}

const magic = "openssh-key-v1\0";
const label = "OPENSSH PRIVATE KEY";
const filePattern = new RegExp(`^-----BEGIN ${label}-----\\n([A-Za-z0-9+/=\\n]+)-----END ${label}-----\\n?$`);
const blockBytes = 8;
const nistNames: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

/**
 * An Ed25519, RSA or ECDSA key in a file of OpenSSH's own format (PROTOCOL.key of OpenSSH),
 * without a passphrase: what holds it is sealed. The check numbers are of `random`.
 */
export function printSshPrivateFile(key: KeyObject, comment: string, random: RandomSource): string {
  const { blob, privateFields } = fieldsOf(key.export({ format: "jwk" }));
  const check = random(4);
  const inner = Buffer.concat([check, check, privateFields, printWire([comment])]);
  const padding = Buffer.from(Array.from({ length: -inner.length & (blockBytes - 1) }, (_, index) => index + 1));
  const keyCount = Buffer.of(0, 0, 0, 1);
  const bytes = Buffer.concat([
    Buffer.from(magic, "latin1"),
    printWire(["none", "none", ""]),
    keyCount,
    printWire([blob, Buffer.concat([inner, padding])]),
  ]);
  const lines = bytes.toString("base64").match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * The public key that stands in such a file, in the clear, with a passphrase or without;
 * undefined when it is no such file.
 */
export function findPublicKeyOfFile(text: string): SshPublicKey | undefined {
  const [, base64 = ""] = filePattern.exec(text.replaceAll("\r\n", "\n")) ?? [];
  const bytes = parseBase64(base64.replaceAll("\n", ""), "padded");
  return (
    bytes &&
    readWire(bytes, (wire) => {
      if (Buffer.from(wire.bytes(magic.length)).toString("latin1") !== magic) return undefined;
      wire.text();
      wire.text();
      wire.string();
      const keyCount = wire.u32();
      const key = findSshBlob(wire.string());
      wire.string();
      // The tag of a cipher that makes one.
      wire.rest();
      return keyCount === 1 ? key : undefined;
    })
  );
}

function fieldsOf(jwk: JsonWebKey): SshKeyFields {
  if (jwk.kty === "OKP") {
    const [seed, point] = [bytesOf(jwk.d), bytesOf(jwk.x)];
    return {
      blob: printEd25519Key(point).blob,
      privateFields: printWire(["ssh-ed25519", point, Buffer.concat([seed, point])]),
    };
  }
  if (jwk.kty === "RSA") {
    const [modulus, exponent] = [parseUnsigned(bytesOf(jwk.n)), parseUnsigned(bytesOf(jwk.e))];
    const numbers = [jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map(numberOf);
    return { blob: printRsaKey({ modulus, exponent }).blob, privateFields: printWire(["ssh-rsa", ...numbers]) };
  }
  const curve = nistNames[jwk.crv ?? ""] ?? "";
  const point = Buffer.concat([Buffer.of(4), bytesOf(jwk.x), bytesOf(jwk.y)]);
  const blob = printWire([`ecdsa-sha2-${curve}`, curve, point]);
  return { blob, privateFields: Buffer.concat([blob, printWire([numberOf(jwk.d)])]) };
}

function bytesOf(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64url");
}

function numberOf(text: string | undefined): Uint8Array {
  return printPositive(parseUnsigned(bytesOf(text)));
}
