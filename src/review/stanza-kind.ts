import type { Stanza } from "../crypto/age-header.ts";
import { isTaggedFor } from "../crypto/age-ssh.ts";
import { type Recipient } from "../crypto/recipient.ts";
import { sshKeyOf } from "../crypto/parse-recipient.ts";

/**
 * True when a stanza may be for `recipient`, as far as can be said without a key: its type is
 * that of the kind of key, and an SSH stanza names the very key. A plugin chooses its own type.
 */
export function fitsRecipient(stanza: Stanza, recipient: Recipient): boolean {
  switch (recipient.kind) {
    case "x25519":
      return stanza.args[0] === "X25519";
    case "hybrid":
      return stanza.args[0] === "mlkem768x25519";
    case "ssh-ed25519":
    case "ssh-rsa":
      return isTaggedFor(stanza, sshKeyOf(recipient));
    case "plugin":
      return true;
  }
}
