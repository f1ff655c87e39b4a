import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateIdentity } from "../crypto/identity.ts";
import type { Recipient, RecipientKind } from "../crypto/recipient.ts";
import { errnoOf, SealtreeError } from "../errors.ts";

/**
 * Makes an identity and writes it to a new file that only its owner can read, in the syntax
 * of age. Gives the public half. Throws E_EXISTS rather than replace a file, and E_IO.
 */
export async function createIdentityFile(path: string, kind: RecipientKind, now: Date): Promise<Recipient> {
  const { identity, recipient } = await generateIdentity(kind);
  const text = `# created: ${now.toISOString()}\n# public key: ${recipient.text}\n${identity}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (code === "EEXIST") {
      throw new SealtreeError("E_EXISTS", `${path} exists already`, {
        hints: ["sealtree keygen -o ANOTHER_FILE"],
        cause: error,
      });
    }
    throw new SealtreeError("E_IO", `${path} cannot be written (${code})`, { cause: error });
  }
  return recipient;
}
