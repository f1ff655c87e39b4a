import { randomBytes } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { printArmor } from "./age-armor.ts";
import { fileKeyBytes, openAgeFile, parseAgeFile, sealAgeFile } from "./age-file.ts";
import { maxStanzas, type Stanza } from "./age-header.ts";
import { importHybridPublicKey, wrapHybrid } from "./age-hybrid.ts";
import { encryptWithLibrary } from "./age-library.ts";
import { wrapX25519 } from "./age-x25519.ts";
import type { Identity } from "./identity.ts";
import { parseRecipient, type Recipient, recipientKey } from "./recipient.ts";

/** May a file be for hybrid and X25519 recipients at once; it is then as weak as X25519. */
export type RecipientMixing = "refused" | "allowed";

/** What opening a file gave. */
export interface DecryptedFile {
  readonly plaintext: Uint8Array;
  /** The stanza that opened it, counted from 0; undefined when not known. */
  readonly stanza: number | undefined;
  /** How many stanzas the file has. */
  readonly stanzaCount: number;
}

/** What a reader asks of a file before it looks inside. */
export interface AgeLimits {
  /** Longest file in bytes, armor included; 16 MiB unless told. */
  readonly maxBytes?: number;
}

const maxAgeFileBytes = 16 * 1024 * 1024;

/** Longest age file of a keyring, in bytes. */
export const maxKeyringFileBytes = 1024 * 1024;

/**
 * An armored age file that each of `recipients` can open, one stanza each, in the order
 * given and without duplicates. Throws E_NO_RECIPIENTS, E_RECIPIENTS_MIXED, and
 * E_RECIPIENT_INVALID for an unusable one or for more than 256.
 */
export async function encryptToRecipients(
  recipients: readonly Recipient[],
  plaintext: Uint8Array,
  mixing: RecipientMixing,
): Promise<string> {
  const texts = [...new Set(recipients.map((recipient) => recipient.text))];
  const unique = texts.map(parseRecipient);
  checkRecipients(unique, mixing);
  const fileKey = randomBytes(fileKeyBytes);
  const stanzas = unique.map((recipient) => wrapNatively(recipient, fileKey)).filter((stanza) => stanza !== undefined);
  const isNative = stanzas.length === unique.length;
  return printArmor(isNative ? sealAgeFile(stanzas, fileKey, plaintext) : await encryptWithLibrary(texts, plaintext));
}

/**
 * The plaintext of an armored or binary file; undefined when no identity fits. Nothing is
 * released before the whole file passed. Throws E_AGE_MALFORMED. A passphrase stanza is
 * for no identity, so it costs no work.
 */
export async function decryptWithIdentities(
  file: string | Uint8Array,
  identities: readonly Identity[],
  limits: AgeLimits = {},
): Promise<DecryptedFile | undefined> {
  const parsed = parseAgeFile(file, limits.maxBytes ?? maxAgeFileBytes);
  for (const identity of identities) {
    const unwrapped = await identity.unwrapFileKey(parsed.header);
    if (unwrapped === undefined) continue;
    const plaintext = openAgeFile(parsed, unwrapped.fileKey);
    return { plaintext, stanza: unwrapped.stanza, stanzaCount: parsed.header.stanzas.length };
  }
  return undefined;
}

/** The types of a file's stanzas, in order; needs no key. Throws E_AGE_MALFORMED. */
export function listStanzas(file: string | Uint8Array, limits: AgeLimits = {}): readonly string[] {
  const { header } = parseAgeFile(file, limits.maxBytes ?? maxAgeFileBytes);
  return header.stanzas.map((stanza) => stanza.args[0] ?? "");
}

function checkRecipients(recipients: readonly Recipient[], mixing: RecipientMixing): void {
  if (recipients.length === 0) {
    throw new SealtreeError("E_NO_RECIPIENTS", "there is nobody to encrypt to");
  }
  if (recipients.length > maxStanzas) {
    throw new SealtreeError("E_RECIPIENT_INVALID", `a file has at most ${maxStanzas} recipients`);
  }
  if (mixing === "refused" && new Set(recipients.map((recipient) => recipient.kind)).size > 1) {
    throw new SealtreeError("E_RECIPIENTS_MIXED", "post-quantum and classic recipients do not go together", {
      hints: [
        "give every reader an age1pq1... recipient: sealtree keygen -o FILE",
        "or allow mixing with post_quantum: prefer in policies/access.yaml",
      ],
    });
  }
}

function wrapNatively(recipient: Recipient, fileKey: Uint8Array): Stanza | undefined {
  const key = recipientKey(recipient);
  if (recipient.kind === "x25519") return wrapX25519(key, fileKey);
  const hybrid = importHybridPublicKey(key);
  return hybrid && wrapHybrid(hybrid, fileKey);
}
