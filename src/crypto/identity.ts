import { randomBytes } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { Redacted } from "../secret/redacted.ts";
import type { AgeHeader, Stanza } from "./age-header.ts";
import { type HybridKey, hybridPublicKey, hybridStanza, importHybridKey, unwrapHybrid } from "./age-hybrid.ts";
import { recipientFromLibrary, unwrapWithLibrary } from "./age-library.ts";
import { importX25519Key, unwrapX25519, type X25519Key, x25519Stanza } from "./age-x25519.ts";
import { decodeBech32, encodeBech32 } from "./bech32.ts";
import type { RandomSource } from "./random.ts";
import { parseRecipient, printRecipient, type Recipient, type RecipientKind } from "./recipient.ts";

/** A file key, and the stanza it came from: counted from 0, undefined when not known. */
export interface UnwrappedKey {
  readonly fileKey: Uint8Array;
  readonly stanza: number | undefined;
}

/** A private key. Printed in any way it gives `[redacted]`. */
export interface Identity {
  readonly kind: RecipientKind;
  /** Its public half. */
  recipient(): Promise<Recipient>;
  /**
   * The file key of a file with this header; undefined when no stanza is for this identity.
   * Throws E_AGE_MALFORMED for a stanza of its type that no encrypter makes.
   */
  unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined>;
}

/** A new key pair; `identity` is the text of the private key. */
export interface NewIdentity {
  readonly identity: string;
  readonly recipient: Recipient;
}

const seedBytes = 32;
const prefixes = {
  x25519: "AGE-SECRET-KEY-",
  hybrid: "AGE-SECRET-KEY-PQ-",
} as const satisfies Record<RecipientKind, string>;

/**
 * The identities in an age identity file: one a line, blank lines and lines that start with
 * `#` skipped, LF or CRLF. Throws E_IDENTITY_INVALID with the line's number and nothing of
 * its content, also when there is no identity at all.
 */
export function parseIdentities(text: string): Identity[] {
  const identities: Identity[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line !== "" && !line.startsWith("#")) identities.push(parseIdentity(line, index + 1));
  });
  if (identities.length === 0) {
    throw new SealtreeError("E_IDENTITY_INVALID", "the identity file holds no identity", {
      hints: ["make one with sealtree keygen -o FILE"],
    });
  }
  return identities;
}

/** A new key pair from 32 bytes of `random`. */
export async function generateIdentity(kind: RecipientKind, random: RandomSource = randomBytes): Promise<NewIdentity> {
  const seed = random(seedBytes);
  const recipient = await createIdentity(kind, seed).recipient();
  return { identity: printSeed(kind, seed), recipient };
}

abstract class RedactedIdentity extends Redacted {
  protected get label(): string {
    return "Identity";
  }
}

class X25519Identity extends RedactedIdentity implements Identity {
  readonly kind = "x25519";
  readonly #key: X25519Key;

  constructor(seed: Uint8Array) {
    super();
    this.#key = importX25519Key(seed);
  }

  async recipient(): Promise<Recipient> {
    return printRecipient(this.kind, this.#key.publicKey);
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    return firstKey(header, x25519Stanza, (stanza) => unwrapX25519(this.#key, stanza));
  }
}

class HybridIdentity extends RedactedIdentity implements Identity {
  readonly kind = "hybrid";
  readonly #seed: Uint8Array;
  readonly #key: HybridKey | undefined;

  constructor(seed: Uint8Array) {
    super();
    this.#seed = seed;
    this.#key = importHybridKey(seed);
  }

  async recipient(): Promise<Recipient> {
    if (this.#key !== undefined) return printRecipient(this.kind, hybridPublicKey(this.#key));
    return parseRecipient(await recipientFromLibrary(printSeed(this.kind, this.#seed)));
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    const key = this.#key;
    if (key !== undefined) return firstKey(header, hybridStanza, (stanza) => unwrapHybrid(key, stanza));
    if (!header.stanzas.some((stanza) => stanza.args[0] === hybridStanza)) return undefined;
    const fileKey = await unwrapWithLibrary(printSeed(this.kind, this.#seed), header);
    if (fileKey === "broken") throw brokenStanza();
    return fileKey === "foreign" ? undefined : { fileKey, stanza: undefined };
  }
}

function firstKey(
  header: AgeHeader,
  type: string,
  unwrap: (stanza: Stanza) => Uint8Array | "foreign" | "broken",
): UnwrappedKey | undefined {
  for (const [index, stanza] of header.stanzas.entries()) {
    if (stanza.args[0] !== type) continue;
    const fileKey = unwrap(stanza);
    if (fileKey === "broken") throw brokenStanza();
    if (fileKey !== "foreign") return { fileKey, stanza: index };
  }
  return undefined;
}

function createIdentity(kind: RecipientKind, seed: Uint8Array): Identity {
  return kind === "hybrid" ? new HybridIdentity(seed) : new X25519Identity(seed);
}

function printSeed(kind: RecipientKind, seed: Uint8Array): string {
  return encodeBech32(prefixes[kind].toLowerCase(), seed).toUpperCase();
}

function parseIdentity(text: string, line: number): Identity {
  const decoded = decodeBech32(text);
  if (decoded?.bytes.length === seedBytes) {
    if (decoded.prefix === prefixes.x25519) return createIdentity("x25519", decoded.bytes);
    if (decoded.prefix === prefixes.hybrid) return createIdentity("hybrid", decoded.bytes);
  }
  throw new SealtreeError("E_IDENTITY_INVALID", `line ${line} of the identity file is not an identity`, {
    hints: [hintFor(text)],
    line,
  });
}

function hintFor(text: string): string {
  if (/^age1/i.test(text)) return "this is a recipient, the public half; the identity starts with AGE-SECRET-KEY-";
  if (/^age-encryption\.org|^-----BEGIN AGE/.test(text)) return "the file is encrypted; decrypt it first with age -d";
  if (/^AGE-PLUGIN-/i.test(text)) return "only AGE-SECRET-KEY-1... and AGE-SECRET-KEY-PQ-1... identities are supported";
  return "a line is an AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1... without spaces, a comment that starts with #, or blank";
}

function brokenStanza(): SealtreeError {
  return new SealtreeError("E_AGE_MALFORMED", "a stanza of the age file is malformed");
}
