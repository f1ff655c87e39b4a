import { parseRecipient, type Recipient } from "../crypto/recipient.ts";
import { isSealtreeError } from "../errors.ts";
import type { Finding } from "../store/finding.ts";

/** The public keys of one member. */
export interface MemberKeys {
  readonly recipients: readonly Recipient[];
  /** `type base64`, without comment: keys that sign commits. */
  readonly signingKeys: readonly string[];
}

const signingKey =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) ([A-Za-z0-9+/]+={0,2})(?: |$)/;
const maxFileBytes = 1024 * 1024;

/**
 * Reads `policies/members/<name>.pub`: one recipient or SSH public key a line, blank lines
 * and `#` comments. Findings name the line and never repeat it.
 */
export function parseMemberFile(bytes: Uint8Array, file: string): { keys: MemberKeys; findings: Finding[] } {
  const recipients: Recipient[] = [];
  const signingKeys: string[] = [];
  const findings: Finding[] = [];
  const report = (line: number, message: string, hint: string) =>
    findings.push({ rule: "member-file", severity: "error", message, file, line, hint });
  if (bytes.length > maxFileBytes) report(1, "the file is larger than 1 MiB", "keep one public key a line");
  const lines = Buffer.from(bytes).toString("utf8").split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line === "" || line.startsWith("#") || bytes.length > maxFileBytes) continue;
    const key = parseSigningKey(line);
    if (key !== undefined) {
      signingKeys.push(key);
      continue;
    }
    try {
      const recipient = parseRecipient(line);
      if (recipients.some(({ text }) => text === recipient.text))
        report(index + 1, "the recipient stands here twice", "keep one of the lines");
      else recipients.push(recipient);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      report(index + 1, error.message, error.hints[0] ?? "keep one public key a line");
    }
  }
  return { keys: { recipients, signingKeys }, findings };
}

/** `type base64` of an SSH public key line, without its comment; undefined when it is none. RFC 4253, 6.6: the blob repeats the type. */
export function parseSigningKey(line: string): string | undefined {
  const [, type = "", blob = ""] = signingKey.exec(line) ?? [];
  const bytes = Buffer.from(blob, "base64");
  if (type === "" || bytes.length < 4 || bytes.toString("base64") !== blob) return undefined;
  return bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0)) === type ? `${type} ${blob}` : undefined;
}
