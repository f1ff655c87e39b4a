import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import type { RandomSource } from "../../crypto/random.ts";
import type { Secret } from "../../secret/secret.ts";

const derive = promisify(pbkdf2);
const saltBytes = 16;

/**
 * What PostgreSQL keeps of a password, in the form that it takes instead of one:
 * `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` (RFC 5802 section 3, RFC 7677). The password
 * is printable ASCII, which SASLprep leaves as it is.
 */
export async function makeScramVerifier(password: Secret, iterations: number, random: RandomSource): Promise<string> {
  const salt = random(saltBytes);
  const salted = await derive(password.reveal(), salt, iterations, 32, "sha256");
  const sign = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(sign("Client Key")).digest("base64");
  const serverKey = sign("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}
