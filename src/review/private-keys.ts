import { decodeBech32 } from "../crypto/bech32.ts";

/** A private key in a file. */
export interface PrivateKeyPlace {
  /** One-based. */
  readonly line: number;
  /** Such as `a private key of age`. */
  readonly what: string;
}

/** Texts that every key has, for a look that costs nothing. */
const signs = ["AGE-SECRET-KEY-", "AGE-PLUGIN-", "-----BEGIN OPENSSH PRIVATE KEY-----"];
const ageKey = /AGE-(?:SECRET-KEY-(?:PQ-)?|PLUGIN-[A-Z0-9+._-]+-)1[02-9AC-HJ-NP-Z]{12,}/g;
/** The first characters of a key of OpenSSH are always the same (PROTOCOL.key of OpenSSH, section 1). */
const sshKey = /-----BEGIN OPENSSH PRIVATE KEY-----\r?\n(?:[ \t]*)b3BlbnNzaC1rZXktdjE/g;

/**
 * Where the first private key of a kind stands that opens sealed files: of age, of an age plugin
 * or of OpenSSH. One whose checksum is wrong, such as an example in a manual, is none.
 */
export function findPrivateKeys(bytes: Uint8Array): PrivateKeyPlace[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!signs.some((sign) => buffer.includes(sign, 0, "latin1"))) return [];
  const text = buffer.toString("latin1");
  const age = [...text.matchAll(ageKey)].find(([key]) => decodeBech32(key) !== undefined);
  const ssh = [...text.matchAll(sshKey)][0];
  const lineOf = (index: number) => text.slice(0, index).split("\n").length;
  return [
    ...(age === undefined
      ? []
      : [
          {
            line: lineOf(age.index),
            what: age[0].startsWith("AGE-PLUGIN") ? "an identity of an age plugin" : "a private key of age",
          },
        ]),
    ...(ssh === undefined ? [] : [{ line: lineOf(ssh.index), what: "a private key of OpenSSH" }]),
  ];
}
