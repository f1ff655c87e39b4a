import { parseBase64 } from "./age-base64.ts";
import type { LockedSshKey, SshKeyPair } from "./ssh-key-pair.ts";
import { parseOpenSshFile } from "./ssh-openssh-file.ts";
import { parsePemFile } from "./ssh-pem-file.ts";
import { refuseDamaged, refuseKey } from "./ssh-refusal.ts";

const maxKeyChars = 16 * 1024;
const block =
  /^-----BEGIN ([A-Z0-9 ]{1,40})-----\n((?:[A-Za-z-]{1,40}: [^\n]{0,200}\n){1,8}\n)?([A-Za-z0-9+/=\n]+)\n-----END \1-----$/;
const foreignForms = /^(?:PuTTY-User-Key-File-|---- BEGIN SSH2 )/;
const publicForms = /^(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)\S+ AAAA/;

/** True for text that {@link parseSshPrivateKey} reads or has a hint for; reads no key. */
export function looksLikeSshKey(text: string): boolean {
  const start = text.slice(0, 200).trimStart();
  return /^-----BEGIN (?!AGE )/.test(start) || foreignForms.test(start) || publicForms.test(start);
}

/**
 * The key in the text of a private key's file: of OpenSSH (`BEGIN OPENSSH PRIVATE KEY`), or PEM
 * (PKCS#1, PKCS#8, and encrypted ones of both). `name` says what it is, for messages. Throws
 * E_IDENTITY_INVALID with a hint, also for a well-formed key that age cannot use.
 */
export function parseSshPrivateKey(text: string, name: string): SshKeyPair | LockedSshKey {
  const body = text.trim().replaceAll("\r\n", "\n");
  if (foreignForms.test(body)) {
    throw refuseKey(
      name,
      "is a key in the form of another program",
      "convert it: puttygen FILE -O private-openssh-new -o NEW_FILE",
    );
  }
  if (publicForms.test(body)) {
    throw refuseKey(name, "is the public half of a key", "the identity is the file without .pub");
  }
  if (body.length > maxKeyChars) throw refuseKey(name, "is too large to be an SSH private key");
  const [, label = "", headers, base64 = ""] = block.exec(body) ?? [];
  const bytes = parseBase64(base64.replaceAll("\n", ""), "padded");
  if (bytes === undefined || bytes.length === 0) throw refuseDamaged(name);
  if (label !== "OPENSSH PRIVATE KEY") return parsePemFile({ label, bytes, headers, text: `${body}\n` }, name);
  if (headers !== undefined) throw refuseDamaged(name);
  return parseOpenSshFile(bytes, name);
}
