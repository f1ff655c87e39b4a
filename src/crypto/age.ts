import { hasCode, SealtreeError } from "../errors.ts";
import { printArmor } from "./age-armor.ts";
import { openAgeFile, parseAgeFile, sealAgeFile } from "./age-file.ts";
import { maxStanzas } from "./age-header.ts";
import type { Identity } from "./identity.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import { isPostQuantum, parseRecipient, type Recipient } from "./recipient.ts";
import { wrapNewFileKey } from "./wrap-file-key.ts";

/** May a file be for post-quantum and classic recipients at once; it is then as weak as the classic ones. */
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

/** Failures of one identity that say nothing about the others. */
const silences = ["E_PLUGIN_FAILED", "E_KEYCHAIN_FAILED", "E_NEEDS_TERMINAL", "E_IDENTITY_INVALID"] as const;

/** Longest age file of a keyring, in bytes. */
export const maxKeyringFileBytes = 1024 * 1024;

/**
 * An armored age file that each of `recipients` can open, one stanza each, in the order
 * given and without duplicates. Recipients of plugins take `plugins`. Throws E_NO_RECIPIENTS,
 * E_RECIPIENTS_MIXED, E_PLUGIN_FAILED, and E_RECIPIENT_INVALID for an unusable one or for more than 256.
 */
export async function encryptToRecipients(
  recipients: readonly Recipient[],
  plaintext: Uint8Array,
  mixing: RecipientMixing,
  plugins?: LoadPlugins,
): Promise<string> {
  const parsed = recipients.map((recipient) => parseRecipient(recipient.text));
  const unique = [...new Map(parsed.map((recipient) => [recipient.text, recipient])).values()];
  checkRecipients(unique, mixing);
  const { fileKey, stanzas } = await wrapNewFileKey(unique, plugins);
  return printArmor(sealAgeFile(stanzas, fileKey, plaintext));
}

/**
 * The plaintext of an armored or binary file; undefined when no identity fits. Nothing is
 * released before the whole file passed. Throws E_AGE_MALFORMED, and when no identity fits what
 * kept the first one from saying: E_PLUGIN_FAILED, E_KEYCHAIN_FAILED, E_NEEDS_TERMINAL, or
 * E_IDENTITY_INVALID for a wrong passphrase.
 */
export async function decryptWithIdentities(
  file: string | Uint8Array,
  identities: readonly Identity[],
  limits: AgeLimits = {},
): Promise<DecryptedFile | undefined> {
  const parsed = parseAgeFile(file, limits.maxBytes ?? maxAgeFileBytes);
  let silence: SealtreeError | undefined;
  for (const identity of identities) {
    const unwrapped = await identity.unwrapFileKey(parsed.header).catch((error: unknown) => {
      if (!hasCode(error, ...silences)) throw error;
      silence ??= error;
      return undefined;
    });
    if (unwrapped === undefined) continue;
    const plaintext = openAgeFile(parsed, unwrapped.fileKey);
    return { plaintext, stanza: unwrapped.stanza, stanzaCount: parsed.header.stanzas.length };
  }
  if (silence !== undefined) throw silence;
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
  if (mixing === "refused" && new Set(recipients.map(isPostQuantum)).size > 1) {
    throw new SealtreeError("E_RECIPIENTS_MIXED", "post-quantum and classic recipients do not go together", {
      hints: [
        "give every reader an age1pq1... recipient: sealtree keygen -o FILE",
        "or allow mixing with post_quantum: prefer in policies/access.yaml",
      ],
    });
  }
}
