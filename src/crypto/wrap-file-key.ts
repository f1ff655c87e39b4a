import { randomBytes } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { fileKeyBytes } from "./age-file.ts";
import type { Stanza } from "./age-header.ts";
import { importHybridPublicKey, wrapHybrid } from "./age-hybrid.ts";
import { type WrappedFileKey, wrapWithLibrary } from "./age-library.ts";
import { wrapX25519 } from "./age-x25519.ts";
import type { LoadPlugins } from "./plugin-host.ts";
import { type Recipient } from "./recipient.ts";
import { recipientKey } from "./parse-recipient.ts";

/**
 * A new file key, wrapped for each of the recipients: one stanza each, in their order. Plugins
 * are asked once, all at the same time. Throws E_RECIPIENT_INVALID for a recipient that nobody
 * checked, and for one of a plugin when there are no `plugins`; E_PLUGIN_FAILED.
 */
export async function wrapNewFileKey(
  recipients: readonly Recipient[],
  plugins: LoadPlugins | undefined,
): Promise<WrappedFileKey> {
  const hybrids = recipients.filter((recipient) => recipient.kind === "hybrid" || isTagged(recipient));
  const { fileKey, stanzas } = wrapHybrids(hybrids) ?? (await wrapForeign(hybrids));
  const done = new Map(hybrids.map(({ text }, index) => [text, stanzas[index]]));
  const wrapped = recipients.map(async (one) => done.get(one.text) ?? (await wrapFileKey(one, fileKey, plugins)));
  return { fileKey, stanzas: await Promise.all(wrapped) };
}

/** `age1tag1...` and `age1tagpq1...`: keys in hardware that age wraps for without a plugin; only opening takes one. */
function isTagged({ text }: Recipient): boolean {
  return /^age1tag(?:pq)?1/.test(text);
}

async function wrapForeign(recipients: readonly Recipient[]): Promise<WrappedFileKey> {
  try {
    return await wrapWithLibrary(recipients.map(({ text }) => text));
  } catch (error) {
    if (!recipients.some(isTagged)) throw error;
    throw new SealtreeError("E_RECIPIENT_INVALID", "an age1tag1... or age1tagpq1... recipient is no proper key");
  }
}

/** Undefined for recipients that are tagged, and for all when this Node has no ML-KEM. */
function wrapHybrids(hybrids: readonly Recipient[]): WrappedFileKey | undefined {
  const fileKey = randomBytes(fileKeyBytes);
  const stanzas: Stanza[] = [];
  for (const recipient of hybrids) {
    if (isTagged(recipient)) return undefined;
    const key = importHybridPublicKey(recipientKey(recipient));
    const stanza = key && wrapHybrid(key, fileKey);
    if (stanza === undefined) return undefined;
    stanzas.push(stanza);
  }
  return { fileKey, stanzas };
}

async function wrapFileKey(
  recipient: Recipient,
  fileKey: Uint8Array,
  plugins: LoadPlugins | undefined,
): Promise<Stanza> {
  if (recipient.kind === "plugin") {
    if (plugins === undefined) {
      throw new SealtreeError("E_RECIPIENT_INVALID", "a plugin's recipient cannot be used here");
    }
    const stanza = await (await plugins()).wrapFileKey(recipient.text, fileKey);
    // A scrypt stanza beside others makes a file that nobody opens.
    if (stanza.args[0] !== "scrypt" && stanza.labels.every((label) => label === "postquantum")) return stanza;
    throw new SealtreeError("E_PLUGIN_FAILED", "a plugin's recipient goes with no other, so it cannot be a reader");
  }
  if (recipient.kind === "ssh-ed25519" || recipient.kind === "ssh-rsa") {
    const { wrapSsh } = await import("./age-ssh.ts");
    return wrapSsh(recipient, fileKey);
  }
  const stanza = wrapX25519(recipientKey(recipient), fileKey);
  if (stanza !== undefined) return stanza;
  throw new SealtreeError("E_RECIPIENT_INVALID", "a recipient has a key that wraps nothing");
}
