import type { RandomSource } from "../crypto/random.ts";
import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Entries } from "./entries.ts";

/**
 * A plaintext format that secrets are imported from or exported to (docs/formats.md). Both
 * ways are pure. What one way writes, the readers it is named after read back byte for byte;
 * a value they could not read back is refused.
 */
export interface TextFormat {
  /** What the format is for, in a few words. */
  readonly describe: string;

  /**
   * The entries in `text`, in the order they stand. Throws E_INPUT_INVALID and E_NAME_INVALID,
   * with a line and never with content. The caller decodes bytes to text, and refuses bytes
   * that are not UTF-8.
   */
  readonly parse?: (text: string) => Map<SecretName, Secret>;

  /**
   * `entries` as text with a final newline. Throws E_VALUE_UNFIT naming the secret that the
   * format cannot hold, and E_NAME_CLASH for two names that become one variable.
   */
  readonly print?: (entries: Entries, random: RandomSource) => string;
}
