import { createHash, scrypt } from "node:crypto";
import type { Secret } from "../../secret/secret.ts";

/** scrypt's cost (RFC 7914, section 2): 16 MiB, and some 50 ms, for each guess. */
const cost = { N: 2 ** 14, r: 8, p: 1 };
const digestBytes = 15;
/** One rotation asks for the same few again and again. By SHA-256, so that no value is kept. */
const known = new Map<string, Promise<string>>();
const maxKnown = 256;

/**
 * A name for a credential that has no other: made of `value`, which nobody finds from it by trying
 * unless it is among a few million. The first value that a rotation finds may be a person's own
 * password, so a plain hash will not do. `place` is where it is used: the same value elsewhere has
 * another name.
 */
export async function digestValue(place: readonly string[], value: Secret): Promise<string> {
  const salt = `sealtree rotation ${JSON.stringify(place)}`;
  const key = createHash("sha256").update(salt).update("\0").update(value.reveal()).digest("hex");
  const digest = known.get(key) ?? derive(value, salt);
  if (known.size >= maxKnown) known.clear();
  known.set(key, digest);
  return await digest;
}

function derive(value: Secret, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(value.reveal(), salt, digestBytes, cost, (error, derived) => {
      if (error === null) resolve(derived.toString("base64url"));
      else reject(error);
    });
  });
}
