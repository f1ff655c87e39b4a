import { randomBytes } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { Redacted } from "../secret/redacted.ts";
import type { AgeHeader, Stanza } from "./age-header.ts";
import { type HybridKey, hybridPublicKey, hybridStanza, importHybridKey, unwrapHybrid } from "./age-hybrid.ts";
import { recipientFromLibrary, unwrapWithLibrary } from "./age-library.ts";
import { importX25519Key, unwrapX25519, type X25519Key, x25519Stanza } from "./age-x25519.ts";
import { decodeBech32, encodeBech32 } from "./bech32.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import { createPluginIdentity, findIdentityPlugin } from "./plugin-identity.ts";
import type { RandomSource } from "./random.ts";
import { printRecipient, type GeneratedKind, type Recipient } from "./recipient.ts";

/** A file key, and the stanza it came from: counted from 0, undefined when not known. */
export interface UnwrappedKey {
  readonly fileKey: Uint8Array;
  readonly stanza: number | undefined;
}

/** A private key. Printed in any way it gives `[redacted]`. */
export interface Identity {
  /** Its public half; of a file of several keys each; none when the key does not tell. */
  recipients(): Promise<readonly Recipient[]>;
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
} as const satisfies Record<GeneratedKind, string>;

/**
 * The identities in an age identity file: one a line, blank lines and lines that start with
 * `#` skipped, LF or CRLF. Those of plugins are taken when there are `plugins`; what the comments
 * right above one call its recipient or public key is its public half. Throws E_IDENTITY_INVALID
 * with the line's number and nothing of its content, also when there is no identity at all.
 */
export function parseIdentities(text: string, plugins?: LoadPlugins): Identity[] {
  const identities: Identity[] = [];
  let comments: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith("#")) {
      comments.push(line);
      continue;
    }
    if (plugins !== undefined && findIdentityPlugin(line) !== undefined) {
      identities.push(createPluginIdentity(line, comments, plugins));
    } else if (line !== "") identities.push(parseIdentity(line, index + 1));
    comments = [];
  }
  if (identities.length === 0) {
    throw new SealtreeError("E_IDENTITY_INVALID", "the identity file holds no identity", {
      hints: ["make one with sealtree keygen -o FILE"],
    });
  }
  return identities;
}

/** A new key pair from 32 bytes of `random`. */
export async function generateIdentity(kind: GeneratedKind, random: RandomSource = randomBytes): Promise<NewIdentity> {
  const seed = random(seedBytes);
  const [recipient] = await createIdentity(kind, seed).recipients();
  return { identity: printSeed(kind, seed), recipient };
}

/** An identity of one key, whose public half is known. */
interface SeedIdentity extends Identity {
  recipients(): Promise<readonly [Recipient]>;
}

abstract class RedactedIdentity extends Redacted {
  protected get label(): string {
    return "Identity";
  }
}

class X25519Identity extends RedactedIdentity implements SeedIdentity {
  readonly #key: X25519Key;

  constructor(seed: Uint8Array) {
    super();
    this.#key = importX25519Key(seed);
  }

  async recipients(): Promise<readonly [Recipient]> {
    return [printRecipient("x25519", this.#key.publicKey)];
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    return firstKey(header, x25519Stanza, (stanza) => unwrapX25519(this.#key, stanza));
  }
}

class HybridIdentity extends RedactedIdentity implements SeedIdentity {
  readonly #seed: Uint8Array;
  readonly #key: HybridKey | undefined;

  constructor(seed: Uint8Array) {
    super();
    this.#seed = seed;
    this.#key = importHybridKey(seed);
  }

  async recipients(): Promise<readonly [Recipient]> {
    if (this.#key !== undefined) return [printRecipient("hybrid", hybridPublicKey(this.#key))];
    const { parseRecipient } = await import("./parse-recipient.ts");
    return [parseRecipient(await recipientFromLibrary(printSeed("hybrid", this.#seed)))];
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    const key = this.#key;
    if (key !== undefined) return firstKey(header, hybridStanza, (stanza) => unwrapHybrid(key, stanza));
    if (!header.stanzas.some((stanza) => stanza.args[0] === hybridStanza)) return undefined;
    const fileKey = await unwrapWithLibrary(printSeed("hybrid", this.#seed), header);
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

function createIdentity(kind: GeneratedKind, seed: Uint8Array): SeedIdentity {
  return kind === "hybrid" ? new HybridIdentity(seed) : new X25519Identity(seed);
}

function printSeed(kind: GeneratedKind, seed: Uint8Array): string {
  return encodeBech32(prefixes[kind].toLowerCase(), seed).toUpperCase();
}

function parseIdentity(text: string, line: number): Identity {
  const decoded = decodeBech32(text);
  if (decoded?.bytes.length === seedBytes) {
    if (decoded.prefix === prefixes.x25519) return createIdentity("x25519", decoded.bytes);
    if (decoded.prefix === prefixes.hybrid) return createIdentity("hybrid", decoded.bytes);
  }
  const isPublic = /^(?:age1|ssh-|ecdsa-sha2-|sk-(?:ssh|ecdsa)-)/i.test(text);
  throw new SealtreeError(
    "E_IDENTITY_INVALID",
    `line ${line} of the identity file is not an identity${isPublic ? " but a public key" : ""}`,
    {
      hints: [hintFor(text)],
      line,
    },
  );
}

function hintFor(text: string): string {
  if (/^age1/i.test(text)) return "this is a recipient, the public half; the identity starts with AGE-SECRET-KEY-";
  if (/^age-encryption\.org|^-----BEGIN AGE/.test(text)) return "the file is encrypted; decrypt it first with age -d";
  if (/^AGE-PLUGIN-/i.test(text))
    return "an AGE-PLUGIN-NAME-1... identity that is misspelt, or that cannot be used here";
  return "a line is an AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1... without spaces, a comment that starts with #, or blank";
}

function brokenStanza(): SealtreeError {
  return new SealtreeError("E_AGE_MALFORMED", "a stanza of the age file is malformed");
}
