import { readFileSync, statSync, type Stats } from "node:fs";
import { resolve } from "node:path";
import { type Recipient } from "../crypto/recipient.ts";
import { parseRecipient } from "../crypto/parse-recipient.ts";
import { findSshPublicKey } from "../crypto/ssh-public-key.ts";
import { SealtreeError } from "../errors.ts";
import { parseMemberFile, type MemberKeys } from "./member-file.ts";

/** Keys as given on the command line: each a public key, or the path of a file of public keys, also as `@path`. */
export interface KeyArguments {
  readonly recipients: readonly string[];
  readonly sshKeys: readonly string[];
}

/** Keys for a member. */
export interface GivenKeys extends MemberKeys {
  /** `type base64`: keys that sign, and read too where the member has nothing but SSH keys to read with. */
  readonly sshKeys: readonly string[];
}

const maxFileBytes = 1024 * 1024;

/**
 * The public keys that the arguments name; paths are relative to `directory`. A file of
 * recipients gives what a key file of the same text would: what `age -R` reads, and its
 * signing keys. Throws E_RECIPIENT_INVALID, also for a private key, and E_FILE_NOT_FOUND;
 * neither repeats what was given, which may be a private key.
 */
export function readKeyArguments(directory: string, given: KeyArguments): GivenKeys {
  const recipients = new Map<string, Recipient>();
  const signingKeys = new Set<string>();
  const sshKeys = new Set<string>();
  for (const argument of given.recipients) {
    const keys = findKeyFile(directory, argument)?.keys ?? { recipients: [parseRecipient(argument)], signingKeys: [] };
    for (const recipient of keys.recipients) recipients.set(recipient.text, recipient);
    for (const key of keys.signingKeys) signingKeys.add(key);
  }
  for (const argument of given.sshKeys) {
    const file = findKeyFile(directory, argument);
    if (file === undefined) sshKeys.add(requireSshKey(argument));
    else for (const key of requireSshKeys(file)) sshKeys.add(key);
  }
  return { recipients: [...recipients.values()], signingKeys: [...signingKeys], sshKeys: [...sshKeys] };
}

interface KeyFile {
  readonly path: string;
  readonly keys: MemberKeys;
}

function findKeyFile(directory: string, argument: string): KeyFile | undefined {
  const isMarked = argument.startsWith("@");
  const path = resolve(directory, isMarked ? argument.slice(1) : argument);
  const status = findStatus(path);
  if (status?.isFile() !== true) {
    if (!isMarked) return undefined;
    throw new SealtreeError("E_FILE_NOT_FOUND", "a file of public keys is not there", {
      hints: ["@PATH names a file; a key stands without @"],
    });
  }
  if (status.size > maxFileBytes)
    throw new SealtreeError("E_RECIPIENT_INVALID", `${path} is too large to be a file of public keys`);
  const { keys, findings } = parseMemberFile(readFileSync(path), path);
  const [problem] = findings;
  if (problem !== undefined) {
    throw new SealtreeError("E_RECIPIENT_INVALID", `${path}:${problem.line ?? 1}: ${problem.message}`, {
      hints: problem.hint === undefined ? [] : [problem.hint],
    });
  }
  if (keys.recipients.length + keys.signingKeys.length > 0) return { path, keys };
  throw new SealtreeError("E_RECIPIENT_INVALID", `${path} holds no public key`, {
    hints: ["keep one public key a line"],
  });
}

/** Undefined for a text that is no path at all, such as a key that is too long for a name. */
function findStatus(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function requireSshKeys({ path, keys }: KeyFile): readonly string[] {
  if (keys.recipients.every(({ text }) => keys.signingKeys.includes(text))) return keys.signingKeys;
  throw new SealtreeError("E_RECIPIENT_INVALID", `${path} holds a recipient that is no SSH key`, {
    hints: [`--recipient @FILE takes a file of recipients; --ssh takes SSH keys only`],
  });
}

function requireSshKey(text: string): string {
  const key = findSshPublicKey(text)?.text;
  if (key !== undefined) return key;
  if (/^\.{0,2}[/\\]|^\S+\.pub$/.test(text)) {
    throw new SealtreeError("E_FILE_NOT_FOUND", "the file with the SSH public key is not there", {
      hints: ["ssh-keygen -t ed25519 makes one; --ssh takes the path of its .pub file, or the line in it"],
    });
  }
  throw new SealtreeError("E_RECIPIENT_INVALID", "that is not an SSH public key", {
    hints: ["the line of a .pub file, such as ssh-ed25519 AAAA... , or the path of that file"],
  });
}
