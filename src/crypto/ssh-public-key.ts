import { printPositive, printWire, readWire, type WireReader } from "./ssh-wire.ts";

/** An SSH public key, its blob checked to be a whole one of its type. */
export interface SshPublicKey {
  readonly type: string;
  /** The key as SSH sends it (RFC 4253, section 6.6), type included. */
  readonly blob: Uint8Array;
  /** `type base64`, without comment. */
  readonly text: string;
}

/** The public half of an RSA key. */
export interface RsaNumbers {
  readonly exponent: bigint;
  readonly modulus: bigint;
}

const keyLine = /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})(?: |$)/;

/** What stands behind the type in a blob: RFC 8709, RFC 4253, RFC 5656, and PROTOCOL.u2f of OpenSSH. */
const shapes: Readonly<Record<string, (wire: WireReader) => boolean>> = {
  "ssh-ed25519": (wire) => wire.string().length === 32,
  "ssh-rsa": (wire) => wire.number() > 0n && wire.number() > 0n,
  "ecdsa-sha2-nistp256": (wire) => isCurvePoint(wire, "nistp256", 32),
  "ecdsa-sha2-nistp384": (wire) => isCurvePoint(wire, "nistp384", 48),
  "ecdsa-sha2-nistp521": (wire) => isCurvePoint(wire, "nistp521", 66),
  "sk-ssh-ed25519@openssh.com": (wire) => wire.string().length === 32 && wire.text() !== "",
  "sk-ecdsa-sha2-nistp256@openssh.com": (wire) => isCurvePoint(wire, "nistp256", 32) && wire.text() !== "",
};

/**
 * The key in a line of a `.pub` file, whose comment is dropped; undefined when it is none: of
 * another type, not canonical base64, with a field that is too short or too long, or with
 * more behind it. That its numbers make a usable key is not looked at.
 */
export function findSshPublicKey(line: string): SshPublicKey | undefined {
  const [, type = "", base64 = ""] = keyLine.exec(line) ?? [];
  const blob = Buffer.from(base64, "base64");
  if (blob.length === 0 || blob.toString("base64") !== base64) return undefined;
  const key = findSshBlob(blob);
  return key?.type === type ? key : undefined;
}

/** The key in a blob; undefined as for {@link findSshPublicKey}. */
export function findSshBlob(blob: Uint8Array): SshPublicKey | undefined {
  const type = readWire(blob, (wire) => {
    const found = wire.text();
    return Object.hasOwn(shapes, found) && shapes[found]?.(wire) === true ? found : undefined;
  });
  return type === undefined ? undefined : publicKey(type, blob);
}

/** The key of 32 public bytes. */
export function printEd25519Key(bytes: Uint8Array): SshPublicKey {
  return publicKey("ssh-ed25519", printWire(["ssh-ed25519", bytes]));
}

/** The key of two numbers. */
export function printRsaKey({ exponent, modulus }: RsaNumbers): SshPublicKey {
  return publicKey("ssh-rsa", printWire(["ssh-rsa", printPositive(exponent), printPositive(modulus)]));
}

/** The 32 public bytes of an `ssh-ed25519` key; undefined for another type. */
export function ed25519BytesOf(key: SshPublicKey): Uint8Array | undefined {
  return key.type === "ssh-ed25519" ? key.blob.subarray(-32) : undefined;
}

/** The numbers of an `ssh-rsa` key; undefined for another type. */
export function rsaNumbersOf(key: SshPublicKey): RsaNumbers | undefined {
  if (key.type !== "ssh-rsa") return undefined;
  return readWire(key.blob, (wire) => {
    wire.string();
    return { exponent: wire.number(), modulus: wire.number() };
  });
}

function publicKey(type: string, blob: Uint8Array): SshPublicKey {
  return { type, blob, text: `${type} ${Buffer.from(blob).toString("base64")}` };
}

/** True for the curve's name and an uncompressed point of it (SEC 1, section 2.3.3). */
function isCurvePoint(wire: WireReader, curve: string, coordinateBytes: number): boolean {
  if (wire.text() !== curve) return false;
  const point = wire.string();
  return point[0] === 0x04 && point.length === 1 + 2 * coordinateBytes;
}
