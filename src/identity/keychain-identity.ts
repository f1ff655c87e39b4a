import type { AgeHeader } from "../crypto/age-header.ts";
import { parseIdentities, type Identity, type UnwrappedKey } from "../crypto/identity.ts";
import { fingerprintOf, type Recipient } from "../crypto/recipient.ts";
import { findRecipient } from "../crypto/parse-recipient.ts";
import { SealtreeError } from "../errors.ts";
import { Redacted } from "../secret/redacted.ts";
import { findInKeychain } from "./keychain.ts";

const publicKeyLine = /^# public key: (\S+)$/;
const referenceLine = /^keychain:([0-9a-f]{16})$/;
const stanzaTypes: ReadonlyMap<string, string> = new Map([
  ["x25519", "X25519"],
  ["hybrid", "mlkem768x25519"],
]);

/** The file that stands for a key in the keychain; `created` is a time as text. */
export function printReference(recipient: Recipient, created: string): string {
  return `# created: ${created}\n# public key: ${recipient.text}\nkeychain:${fingerprintOf(recipient.text)}\n`;
}

/**
 * The identity that a reference stands for. Its one line besides comments (`#`) and blank ones
 * is `keychain:` and 16 hex digits, and its one comment `# public key: ` has the `age1...`
 * recipient of that fingerprint. LF or CRLF. Throws E_IDENTITY_INVALID with the number of the
 * line and nothing of it.
 */
export function parseReference(text: string): Identity {
  const lines = text.split(/\r?\n/).map((line, index) => ({ line, number: index + 1 }));
  const references = lines.filter(({ line }) => line !== "" && !line.startsWith("#"));
  const keys = lines.filter(({ line }) => publicKeyLine.test(line));
  const [reference, second] = references;
  const fingerprint = referenceLine.exec(reference?.line ?? "")?.[1];
  if (fingerprint === undefined || second !== undefined) {
    throw malformed("a keychain reference has one line keychain:FINGERPRINT", second ?? reference);
  }
  const [key, another] = keys;
  if (key === undefined || another !== undefined) {
    throw malformed("a keychain reference has one line # public key: age1...", another ?? reference);
  }
  const found = findRecipient(publicKeyLine.exec(key.line)?.[1] ?? "");
  const recipient = found !== undefined && stanzaTypes.has(found.kind) ? found : undefined;
  if (recipient === undefined || fingerprintOf(recipient.text) !== fingerprint) {
    throw malformed("the public key of a keychain reference is not the one it names", key);
  }
  return new KeychainIdentity(recipient, fingerprint);
}

/** A key in the keychain, which is read when a file may be for it, once. */
class KeychainIdentity extends Redacted implements Identity {
  readonly #recipient: Recipient;
  readonly #fingerprint: string;
  #loaded: Promise<Identity> | undefined;

  constructor(recipient: Recipient, fingerprint: string) {
    super();
    this.#recipient = recipient;
    this.#fingerprint = fingerprint;
  }

  async recipients(): Promise<readonly Recipient[]> {
    return [this.#recipient];
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    const type = stanzaTypes.get(this.#recipient.kind);
    if (!header.stanzas.some(({ args }) => args[0] === type)) return undefined;
    this.#loaded ??= loadIdentity(this.#recipient, this.#fingerprint);
    return await (await this.#loaded).unwrapFileKey(header);
  }

  protected get label(): string {
    return "KeychainIdentity";
  }
}

async function loadIdentity(recipient: Recipient, fingerprint: string): Promise<Identity> {
  const text = await findInKeychain(fingerprint);
  if (text === undefined) {
    throw new SealtreeError("E_KEYCHAIN_FAILED", `the keychain has no key ${fingerprint}`, {
      hints: ["it was removed, or is in the keychain of another machine or user", "make another: sealtree keygen"],
    });
  }
  const [identity, ...more] = parseIdentities(text);
  const [own] = (await identity?.recipients()) ?? [];
  if (identity !== undefined && more.length === 0 && own?.text === recipient.text) return identity;
  throw new SealtreeError("E_IDENTITY_INVALID", `what the keychain has as ${fingerprint} is another key`, {
    hints: ["somebody changed it; make another: sealtree keygen"],
  });
}

function malformed(what: string, at: { readonly number: number } | undefined): SealtreeError {
  return new SealtreeError("E_IDENTITY_INVALID", at === undefined ? what : `line ${at.number}: ${what}`, {
    hints: ["make one with sealtree keygen --keychain -o FILE"],
    ...(at === undefined ? {} : { line: at.number }),
  });
}
