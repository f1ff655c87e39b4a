// Seals and opens age files on another Node than the tests run on. A job in JSON comes on stdin,
// the outcome goes to stdout: `{recipients, plaintext}` gives the file, `{file, identities}` the plaintext.
import { readFileSync } from "node:fs";
import { decryptWithIdentities } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { type Identity, parseIdentities } from "../../src/crypto/identity.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { looksLikeSshKey, parseSshIdentity } from "../../src/crypto/ssh-identity.ts";

/** What the worker is to do. */
export type AgeJob =
  | { readonly recipients: readonly string[]; readonly plaintext: string }
  | { readonly file: string; readonly identities: readonly string[] };

/** The identities in a text, of age or of SSH. */
export function readTestIdentities(text: string): Identity[] {
  const never = () => Promise.reject(new Error("asked for a passphrase"));
  return looksLikeSshKey(text) ? [parseSshIdentity(text, "KEY", never)] : parseIdentities(text);
}

async function work(job: AgeJob): Promise<string> {
  if ("recipients" in job) {
    return await encryptToRecipients(job.recipients.map(parseRecipient), Buffer.from(job.plaintext), "allowed");
  }
  const opened = await decryptWithIdentities(job.file, job.identities.flatMap(readTestIdentities));
  return Buffer.from(opened?.plaintext ?? "no match").toString();
}

if (process.argv[2] === "work") {
  process.stdout.write(await work(JSON.parse(readFileSync(0, "utf8")) as AgeJob));
}
