import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateIdentity } from "../crypto/identity.ts";
import { fingerprintOf, type GeneratedKind, type Recipient } from "../crypto/recipient.ts";
import { errnoOf, SealtreeError } from "../errors.ts";

/**
 * Makes an identity and writes it to a new file that only its owner can read, in the syntax
 * of age. Gives the public half. Throws E_EXISTS rather than replace a file, and E_IO.
 */
export async function createIdentityFile(path: string, kind: GeneratedKind, now: Date): Promise<Recipient> {
  const { identity, recipient } = await generateIdentity(kind);
  writeNewFile(path, printIdentity(identity, recipient, now));
  return recipient;
}

/**
 * {@link createIdentityFile} for a file that takes a passphrase to open, as `age -p` makes it, and
 * the public half in a file `PATH.pub` beside it. Both are new, or neither is written; the
 * passphrase is asked for when that is sure.
 */
export async function createEncryptedIdentityFile(
  path: string,
  kind: GeneratedKind,
  now: Date,
  askPassphrase: () => Promise<string>,
): Promise<Recipient> {
  checkNew(path, `${path}.pub`);
  const passphrase = await askPassphrase();
  const { sealWithPassphrase } = await import("../crypto/age-passphrase.ts");
  const { identity, recipient } = await generateIdentity(kind);
  const sealed = await sealWithPassphrase(Buffer.from(printIdentity(identity, recipient, now)), passphrase);
  writeNewFile(`${path}.pub`, `${recipient.text}\n`);
  try {
    writeNewFile(path, sealed);
  } catch (error) {
    rmSync(`${path}.pub`, { force: true });
    throw error;
  }
  return recipient;
}

/**
 * Makes an identity in the keychain of the operating system, and a new file at `path` that
 * refers to it and holds nothing secret. The key is read back before the file is written.
 * Throws E_EXISTS, E_IO and E_KEYCHAIN_FAILED, and then leaves neither.
 */
export async function createKeychainIdentity(path: string, kind: GeneratedKind, now: Date): Promise<Recipient> {
  checkNew(path);
  const [keychain, { printReference }] = await Promise.all([import("./keychain.ts"), import("./keychain-identity.ts")]);
  const { identity, recipient } = await generateIdentity(kind);
  const fingerprint = fingerprintOf(recipient.text);
  await keychain.storeInKeychain(fingerprint, identity);
  try {
    if ((await keychain.findInKeychain(fingerprint)) !== identity) {
      throw new SealtreeError("E_KEYCHAIN_FAILED", "the keychain did not keep the key", {
        hints: ["without a keychain: sealtree keygen --passphrase"],
      });
    }
    writeNewFile(path, printReference(recipient, now.toISOString()));
  } catch (error) {
    await keychain.removeFromKeychain(fingerprint).catch(() => undefined);
    throw error;
  }
  return recipient;
}

/** Writes the text of an identity that came from elsewhere. Throws as {@link createIdentityFile} does. */
export function adoptIdentityFile(path: string, text: string): void {
  writeNewFile(path, text);
}

function printIdentity(identity: string, recipient: Recipient, now: Date): string {
  return `# created: ${now.toISOString()}\n# public key: ${recipient.text}\n${identity}\n`;
}

/** Before anybody is asked for anything; writing checks again. */
function checkNew(...paths: readonly string[]): void {
  for (const path of paths) if (existsSync(path)) throw exists(path);
}

function writeNewFile(path: string, text: string): void {
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
    if (code === "EEXIST") throw exists(path, error);
    throw new SealtreeError("E_IO", `${path} cannot be written (${code})`, { cause: error });
  }
}

function exists(path: string, cause?: unknown): SealtreeError {
  return new SealtreeError("E_EXISTS", `${path} exists already`, {
    hints: ["sealtree keygen -o ANOTHER_FILE"],
    ...(cause === undefined ? {} : { cause }),
  });
}
