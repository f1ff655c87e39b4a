import { readFileSync } from "node:fs";
import { looksArmored } from "../crypto/age-armor.ts";
import { parseIdentities, type Identity } from "../crypto/identity.ts";
import type { AskPassphrase } from "../crypto/passphrase.ts";
import type { LoadPlugins } from "../crypto/plugin-host.ts";
import { isSealtreeError } from "../errors.ts";

/** What a source holds: bare age identities, an SSH key, a file behind a passphrase, or a reference to the keychain. */
export type SourceKind = "age" | "ssh" | "passphrase" | "keychain";

/** What a text or file holds: identities, or why there are none. Never anything of a key. */
export type ReadIdentities =
  | { readonly identities: readonly Identity[]; readonly outcome: string; readonly kind: SourceKind }
  | { readonly problem: string };

export interface ReadOptions {
  /** What the user is told when asked for its passphrase. */
  readonly name: string;
  /** The path it came from, beside which a `.pub` file may lie; undefined when it is no file. */
  readonly file: string | undefined;
  readonly askPassphrase: AskPassphrase;
  readonly plugins?: LoadPlugins;
}

/** Longest text that identities are read from, in bytes. */
export const maxIdentityFileBytes = 1024 * 1024;

const ageMagic = "age-encryption.org/";

/**
 * Reads what a source of identities may hold, told apart by how it begins: a passphrase-encrypted
 * age file, an SSH private key, a reference to the keychain, or age identities, one a line.
 */
export async function readIdentities(bytes: Buffer, options: ReadOptions): Promise<ReadIdentities> {
  try {
    if (looksArmored(bytes) || bytes.toString("latin1", 0, ageMagic.length) === ageMagic) {
      return await readEncrypted(bytes, options);
    }
    const text = bytes.toString("utf8");
    return (await readOther(text, options)) ?? readLines(text, options);
  } catch (error) {
    if (isSealtreeError(error)) return { problem: error.message };
    throw error;
  }
}

function readLines(text: string, { plugins }: ReadOptions): ReadIdentities {
  const identities = parseIdentities(text, plugins);
  const outcome = identities.length === 1 ? "1 identity" : `${identities.length} identities`;
  return { identities, outcome, kind: "age" };
}

async function readOther(
  text: string,
  { name, file, askPassphrase }: ReadOptions,
): Promise<ReadIdentities | undefined> {
  if (/^\s*-----BEGIN /.test(text)) {
    const { looksLikeSshKey, parseSshIdentity } = await import("../crypto/ssh-identity.ts");
    if (!looksLikeSshKey(text)) return undefined;
    const identity = parseSshIdentity(text, name, askPassphrase, readPublicKeys(file)[0]);
    return { identities: [identity], outcome: "an SSH key", kind: "ssh" };
  }
  if (!/^keychain:/m.test(text)) return undefined;
  const { parseReference } = await import("./keychain-identity.ts");
  return { identities: [parseReference(text)], outcome: "1 identity in the keychain", kind: "keychain" };
}

async function readEncrypted(bytes: Buffer, options: ReadOptions): Promise<ReadIdentities> {
  const { isForPassphrase } = await import("../crypto/age-passphrase.ts");
  if (!isForPassphrase(bytes, maxIdentityFileBytes)) return { problem: "an age file that is not for a passphrase" };
  const { EncryptedIdentity } = await import("./encrypted-identity.ts");
  const { findRecipient } = await import("../crypto/parse-recipient.ts");
  const { askPassphrase, plugins, name, file } = options;
  const recipients = readPublicKeys(file).flatMap((line) => findRecipient(line) ?? []);
  const identity = new EncryptedIdentity({
    bytes,
    name: `the identity ${name}`,
    recipients,
    askPassphrase,
    plugins,
  });
  return { identities: [identity], outcome: "identities behind a passphrase", kind: "passphrase" };
}

/** The lines of the file `PATH.pub`, where programs put the public half; none when it cannot be read. */
function readPublicKeys(path: string | undefined): string[] {
  if (path === undefined) return [];
  try {
    const text = readFileSync(`${path}.pub`, "utf8");
    return text.length > maxIdentityFileBytes ? [] : text.split(/\r?\n/).filter((line) => /^[^#\s]/.test(line));
  } catch {
    return [];
  }
}
