import { hasCode, type SealtreeError } from "../errors.ts";
import { openAgeFile, parseAgeFile } from "./age-file.ts";
import type { Identity } from "./identity.ts";

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
