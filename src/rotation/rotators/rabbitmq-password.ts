import { createHash, timingSafeEqual } from "node:crypto";
import type { RandomSource } from "../../crypto/random.ts";
import type { Secret } from "../../secret/secret.ts";

/** A password as RabbitMQ keeps it (RabbitMQ, "Credentials and Passwords", "this is the algorithm"). */
export interface RabbitmqHash {
  /** base64 of a salt of 4 bytes and the digest of salt and password; empty for a user without a password. */
  readonly password_hash: string;
  readonly hashing_algorithm: string;
}

const digests: Readonly<Record<string, string>> = {
  rabbit_password_hashing_sha256: "sha256",
  rabbit_password_hashing_sha512: "sha512",
};
const usual = "rabbit_password_hashing_sha256";
const saltBytes = 4;

/** A hash with a new salt: of the algorithm that the user had before, where it is one of today. */
export function hashPassword(password: Secret, before: string | undefined, random: RandomSource): RabbitmqHash {
  const algorithm = before !== undefined && before in digests ? before : usual;
  const salt = random(saltBytes);
  return {
    password_hash: Buffer.concat([salt, digestOf(algorithm, salt, password)]).toString("base64"),
    hashing_algorithm: algorithm,
  };
}

/** Whether it is the hash of that password; undefined for an algorithm that is not known here. */
export function isHashOf(
  { password_hash: hash, hashing_algorithm: algorithm }: RabbitmqHash,
  password: Secret,
): boolean | undefined {
  const bytes = Buffer.from(hash, "base64");
  if (bytes.length === 0) return false;
  if (!(algorithm in digests)) return undefined;
  const digest = digestOf(algorithm, bytes.subarray(0, saltBytes), password);
  return bytes.length === saltBytes + digest.length && timingSafeEqual(bytes.subarray(saltBytes), digest);
}

function digestOf(algorithm: string, salt: Uint8Array, password: Secret): Buffer {
  return createHash(digests[algorithm] ?? "sha256")
    .update(salt)
    .update(password.reveal())
    .digest();
}
