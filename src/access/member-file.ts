import { type Recipient } from "../crypto/recipient.ts";
import { parseRecipient } from "../crypto/parse-recipient.ts";
import { findSshPublicKey } from "../crypto/ssh-public-key.ts";
import { isSshKind } from "../crypto/ssh-strength.ts";
import { isSealtreeError } from "../errors.ts";
import type { Finding } from "../store/finding.ts";

/** The public keys of one member. */
export interface MemberKeys {
  readonly recipients: readonly Recipient[];
  /** `type base64`, without comment: keys that sign commits. An SSH recipient is among them too. */
  readonly signingKeys: readonly string[];
}

/** A key file as read. */
export interface MemberFile {
  readonly keys: MemberKeys;
  /** Text of a recipient or signing key to its one-based line. */
  readonly lines: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

const maxFileBytes = 1024 * 1024;
/** The comment that is a signing key. `age -R` passes over it, as over any comment. */
const signingComment = /^#[ \t]*signing-key(?:[ \t]+|$)/;

/**
 * Reads `policies/members/<name>.pub`, a recipients file of age: one public key a line, blank
 * lines and `#` comments. The recipients are those that `age -R` encrypts to; every SSH key
 * signs, and one after `# signing-key` does nothing else. Findings name the line and never
 * repeat it.
 */
export function parseMemberFile(bytes: Uint8Array, file: string): MemberFile {
  const recipients: Recipient[] = [];
  const signingKeys: string[] = [];
  const lines = new Map<string, number>();
  const findings: Finding[] = [];
  const report = (line: number, message: string, hint: string) =>
    findings.push({ rule: "member-file", severity: "error", message, file, line, hint });
  const take = (text: string, number: number, add: () => void) => {
    if (lines.has(text)) {
      report(number, `the key stands here twice, first on line ${lines.get(text) ?? 1}`, "keep one of the lines");
      return;
    }
    lines.set(text, number);
    add();
  };
  if (bytes.length > maxFileBytes) {
    report(1, "the file is larger than 1 MiB", "keep one public key a line");
    return { keys: { recipients, signingKeys }, lines, findings };
  }
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split(/\r?\n/).entries()) {
    const comment = signingComment.exec(line)?.[0];
    if (comment === undefined && (line === "" || line.startsWith("#"))) continue;
    const ssh = findSshPublicKey(comment === undefined ? line : line.slice(comment.length));
    if (comment !== undefined && ssh === undefined) {
      report(index + 1, "this is no signing key", "write # signing-key, then the type and key of an SSH public key");
    } else if (ssh !== undefined && (comment !== undefined || !isSshKind(ssh.type))) {
      take(ssh.text, index + 1, () => signingKeys.push(ssh.text));
    } else {
      try {
        const recipient = parseRecipient(line);
        take(recipient.text, index + 1, () => {
          recipients.push(recipient);
          if (ssh !== undefined) signingKeys.push(recipient.text);
        });
      } catch (error) {
        if (!isSealtreeError(error)) throw error;
        report(index + 1, error.message, error.hints[0] ?? "keep one public key a line");
      }
    }
  }
  return { keys: { recipients, signingKeys }, lines, findings };
}

/** Keys as lines of a key file that {@link parseMemberFile} reads back: recipients, then what only signs. */
export function printMemberKeys({ recipients, signingKeys }: MemberKeys): string {
  const texts = recipients.map(({ text }) => text);
  const signing = signingKeys.filter((key) => !texts.includes(key)).map((key) => `# signing-key ${key}`);
  return [...texts, ...signing].map((line) => `${line}\n`).join("");
}

/** The text of a key file without the lines of some keys. Every other byte stays. */
export function dropKeyLines(text: string, file: MemberFile, texts: Iterable<string>): string {
  const dropped = new Set([...texts].map((key) => file.lines.get(key)));
  return text
    .split(/(?<=\n)/)
    .filter((_line, index) => !dropped.has(index + 1))
    .join("");
}

/** Texts of all keys, each once: recipients first. */
export function listKeyTexts({ recipients, signingKeys }: MemberKeys): string[] {
  return [...new Set([...recipients.map(({ text }) => text), ...signingKeys])];
}
