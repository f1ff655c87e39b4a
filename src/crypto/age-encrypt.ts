import { SealtreeError } from "../errors.ts";
import { printArmor } from "./age-armor.ts";
import { sealAgeFile } from "./age-file.ts";
import { maxStanzas } from "./age-header.ts";
import { parseRecipient } from "./parse-recipient.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import { isPostQuantum, type Recipient } from "./recipient.ts";
import { wrapNewFileKey } from "./wrap-file-key.ts";

/** May a file be for post-quantum and classic recipients at once; it is then as weak as the classic ones. */
export type RecipientMixing = "refused" | "allowed";

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
