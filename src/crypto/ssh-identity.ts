import { SealtreeError } from "../errors.ts";
import { Redacted } from "../secret/redacted.ts";
import type { AgeHeader, Stanza } from "./age-header.ts";
import { isTaggedFor, unwrapSsh } from "./age-ssh.ts";
import type { Identity, UnwrappedKey } from "./identity.ts";
import type { AskPassphrase } from "./passphrase.ts";
import { type Recipient } from "./recipient.ts";
import { parseRecipient } from "./parse-recipient.ts";
import type { LockedSshKey, SshKeyPair } from "./ssh-key-pair.ts";
import { parseSshPrivateKey } from "./ssh-private-key.ts";
import { findSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";
import { refuseKey } from "./ssh-refusal.ts";
import { findSshFlaw } from "./ssh-strength.ts";

export { looksLikeSshKey } from "./ssh-private-key.ts";

/**
 * The identity in the text of an SSH private key's file. `name` says what it is, such as
 * `the SSH key ~/.ssh/id_rsa`, for messages and for `askPassphrase`. That is called when a file
 * is for this key and the key is encrypted: once, whatever comes of it. The public half of an
 * encrypted PEM key is not in the clear; `publicKey`, the line of the .pub file beside it, tells
 * it. Without that the passphrase is asked for with the first file that is for any SSH key.
 * Throws E_IDENTITY_INVALID, see {@link parseSshPrivateKey}.
 */
export function parseSshIdentity(
  text: string,
  name: string,
  askPassphrase: AskPassphrase,
  publicKey?: string,
): Identity {
  const key = parseSshPrivateKey(text, name);
  if (!("isLocked" in key)) return new SshIdentity(key.publicKey, [key.kind], async () => key);
  const known = key.publicKey ?? findUsable(publicKey);
  return new SshIdentity(known, key.kinds, async () => unlock(key, name, askPassphrase, known));
}

/** Matches the tag first, as age does, so that a file for others asks for no passphrase. */
class SshIdentity extends Redacted implements Identity {
  readonly #open: () => Promise<SshKeyPair>;
  readonly #kinds: readonly string[];
  #publicKey: SshPublicKey | undefined;
  #pair: Promise<SshKeyPair> | undefined;

  constructor(publicKey: SshPublicKey | undefined, kinds: readonly string[], open: () => Promise<SshKeyPair>) {
    super();
    this.#publicKey = publicKey;
    this.#kinds = kinds;
    this.#open = open;
  }

  protected get label(): string {
    return "Identity";
  }

  async recipients(): Promise<readonly Recipient[]> {
    return this.#publicKey === undefined ? [] : [parseRecipient(this.#publicKey.text)];
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    if (!header.stanzas.some((stanza) => this.#mayOpen(stanza))) return undefined;
    this.#pair ??= this.#open();
    const pair = await this.#pair;
    this.#publicKey = pair.publicKey;
    let tagged = 0;
    for (const [index, stanza] of header.stanzas.entries()) {
      if (!isTaggedFor(stanza, pair.publicKey)) continue;
      tagged++;
      const fileKey = unwrapSsh(pair, stanza);
      if (fileKey !== undefined) return { fileKey, stanza: index };
    }
    if (tagged === 0) return undefined;
    // Either it was changed, or another key has the same tag. Age takes it for the first, and so do we.
    throw new SealtreeError("E_AGE_MALFORMED", "a stanza of the age file names an SSH key that does not open it");
  }

  #mayOpen(stanza: Stanza): boolean {
    if (this.#publicKey !== undefined) return isTaggedFor(stanza, this.#publicKey);
    return this.#kinds.some((kind) => kind === stanza.args[0]);
  }
}

async function unlock(
  key: LockedSshKey,
  name: string,
  askPassphrase: AskPassphrase,
  known: SshPublicKey | undefined,
): Promise<SshKeyPair> {
  const pair = await key.unlock(await askPassphrase(name));
  if (pair === undefined) {
    throw new SealtreeError("E_IDENTITY_INVALID", `incorrect passphrase for ${name}`, {
      hints: ["ssh-keygen -y -f FILE tries a passphrase too"],
    });
  }
  if (known !== undefined && known.text !== pair.publicKey.text) {
    throw refuseKey(
      name,
      "is not the private half of the .pub file beside it",
      "write that anew: ssh-keygen -y -f FILE > FILE.pub",
    );
  }
  return pair;
}

function findUsable(line: string | undefined): SshPublicKey | undefined {
  const key = line === undefined ? undefined : findSshPublicKey(line.trim());
  return key !== undefined && findSshFlaw(key) === undefined ? key : undefined;
}
