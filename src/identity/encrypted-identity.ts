import type { AgeHeader } from "../crypto/age-header.ts";
import { openWithPassphrase } from "../crypto/age-passphrase.ts";
import { parseIdentities, type Identity, type UnwrappedKey } from "../crypto/identity.ts";
import type { AskPassphrase } from "../crypto/passphrase.ts";
import type { LoadPlugins } from "../crypto/plugin-host.ts";
import type { Recipient } from "../crypto/recipient.ts";
import { SealtreeError } from "../errors.ts";
import { Redacted } from "../secret/redacted.ts";

/** A passphrase-encrypted identity file, and what is needed to open it. */
export interface EncryptedFile {
  readonly bytes: Uint8Array;
  /** What the user is asked the passphrase of, such as `the identity file PATH`. */
  readonly name: string;
  /** The public half, from a file beside it; empty when there is none. */
  readonly recipients: readonly Recipient[];
  readonly askPassphrase: AskPassphrase;
  readonly plugins?: LoadPlugins | undefined;
}

const maxTries = 3;
const maxFileBytes = 1024 * 1024;

/**
 * The identities in an age file that is for a passphrase, as one. The passphrase is asked for
 * when a file key is looked for, or the recipients when they are not known, once: what came of
 * it stays. Both then throw E_IDENTITY_INVALID after three wrong ones, and whatever asking throws.
 */
export class EncryptedIdentity extends Redacted implements Identity {
  readonly #file: EncryptedFile;
  #opened: Promise<readonly Identity[]> | undefined;

  constructor(file: EncryptedFile) {
    super();
    this.#file = file;
  }

  async recipients(): Promise<readonly Recipient[]> {
    return this.#file.recipients.length > 0 ? this.#file.recipients : await recipientsOf(await this.#open());
  }

  async unwrapFileKey(header: AgeHeader): Promise<UnwrappedKey | undefined> {
    for (const identity of await this.#open()) {
      const unwrapped = await identity.unwrapFileKey(header);
      if (unwrapped !== undefined) return unwrapped;
    }
    return undefined;
  }

  protected get label(): string {
    return "EncryptedIdentity";
  }

  #open(): Promise<readonly Identity[]> {
    return (this.#opened ??= openFile(this.#file));
  }
}

async function openFile(file: EncryptedFile): Promise<readonly Identity[]> {
  const { bytes, name, recipients, askPassphrase, plugins } = file;
  for (let tries = 0; tries < maxTries; tries++) {
    const text = await openWithPassphrase(bytes, await askPassphrase(name), maxFileBytes);
    if (text === undefined) continue;
    const identities = parseIdentities(Buffer.from(text).toString("utf8"), plugins);
    if (recipients.length > 0) checkStated(name, recipients, await recipientsOf(identities));
    return identities;
  }
  throw new SealtreeError("E_IDENTITY_INVALID", `incorrect passphrase for ${name}`, {
    hints: ["run the command again", "sealtree doctor shows where identities come from"],
  });
}

function checkStated(name: string, stated: readonly Recipient[], actual: readonly Recipient[]): void {
  const own = new Set(actual.map(({ text }) => text));
  if (stated.every(({ text }) => own.has(text))) return;
  throw new SealtreeError("E_IDENTITY_INVALID", `${name} and the .pub file beside it do not belong together`, {
    hints: ["remove the .pub file, or make it again from the identity: age-keygen -y"],
  });
}

async function recipientsOf(identities: readonly Identity[]): Promise<readonly Recipient[]> {
  const lists = await Promise.all(identities.map(async (identity) => await identity.recipients()));
  return lists.flat();
}
