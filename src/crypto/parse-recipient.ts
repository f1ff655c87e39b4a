import { hasCode, SealtreeError } from "../errors.ts";
import { isHybridPublicKey } from "./age-hybrid.ts";
import { isX25519PublicKey } from "./age-x25519.ts";
import { decodeBech32 } from "./bech32.ts";
import { type GeneratedKind, type Recipient, recipientPrefixes } from "./recipient.ts";
import { findSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";
import { findSshFlaw, isSshKind, type SshKind } from "./ssh-strength.ts";

const kinds = new Map<string, GeneratedKind>([
  [recipientPrefixes.x25519, "x25519"],
  [recipientPrefixes.hybrid, "hybrid"],
]);
/** What begins like an SSH key: the rest of it may be a comment, or missing. */
const sshStart = /^(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)/;
/** A plugin's name becomes part of a program's name, so it holds nothing that leads elsewhere. */
const pluginPrefix = /^age1([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)$/;

/**
 * The recipient in `text`, which has nothing around it. Throws E_RECIPIENT_INVALID, also
 * for a key that no identity could have, and never repeats `text`: it may be a private key.
 */
export function parseRecipient(text: string): Recipient {
  return check(text).recipient;
}

/** {@link parseRecipient} that gives undefined for what is none. */
export function findRecipient(text: string): Recipient | undefined {
  try {
    return parseRecipient(text);
  } catch (error) {
    if (hasCode(error, "E_RECIPIENT_INVALID")) return undefined;
    throw error;
  }
}

/** A recipient that passed, and its public bytes when it starts with `age1` and is no plugin's. */
interface CheckedRecipient {
  readonly recipient: Recipient;
  readonly key: Uint8Array | undefined;
}

/** What passed, by its text: every generation names the same few, and checking one takes longer than wrapping for it. */
const passed = new Map<string, CheckedRecipient>();
const maxPassed = 2048;

function check(text: string): CheckedRecipient {
  const known = passed.get(text);
  if (known !== undefined) return known;
  const fresh = checkAnew(text);
  if (passed.size >= maxPassed) passed.clear();
  passed.set(text, fresh);
  return fresh;
}

function checkAnew(text: string): CheckedRecipient {
  if (sshStart.test(text)) {
    const ssh = parseSshKey(text);
    return { recipient: { kind: ssh.kind, text: ssh.key.text }, key: undefined };
  }
  if (findPluginName(text) !== undefined) return { recipient: { kind: "plugin", text }, key: undefined };
  const { kind, key } = decodeRecipient(text);
  return { recipient: { kind, text }, key };
}

/** The name of the plugin whose recipient `text` is; undefined when it is none. */
export function findPluginName(text: string): string | undefined {
  const prefix = text === text.toLowerCase() ? decodeBech32(text)?.prefix : undefined;
  return prefix === undefined || kinds.has(prefix) ? undefined : pluginPrefix.exec(prefix)?.[1];
}

/** The key of an SSH recipient. Throws E_RECIPIENT_INVALID when nobody checked it, or it is none. */
export function sshKeyOf(recipient: Recipient): SshPublicKey {
  return parseSshKey(recipient.text).key;
}

/** The public bytes of a recipient that starts with `age1`. Throws E_RECIPIENT_INVALID when nobody checked it. */
export function recipientKey(recipient: Recipient): Uint8Array {
  return check(recipient.text).key ?? decodeRecipient(recipient.text).key;
}

function parseSshKey(text: string): { readonly kind: SshKind; readonly key: SshPublicKey } {
  const key = findSshPublicKey(text);
  if (key === undefined) {
    throw new SealtreeError("E_RECIPIENT_INVALID", "the SSH key is misspelt or cut short", {
      hints: ["copy the whole line of the .pub file again"],
    });
  }
  if (!isSshKind(key.type)) {
    throw new SealtreeError("E_RECIPIENT_INVALID", "an SSH key of this type only signs, it cannot be encrypted to", {
      hints: ["ssh-ed25519 and ssh-rsa keys can, or make a key with sealtree keygen -o FILE"],
    });
  }
  const flaw = findSshFlaw(key);
  if (flaw === undefined) return { kind: key.type, key };
  throw new SealtreeError("E_RECIPIENT_INVALID", `the SSH key cannot be used: it ${flaw}`, {
    hints: ["make another one: ssh-keygen -t ed25519, or sealtree keygen -o FILE"],
  });
}

function decodeRecipient(text: string): { readonly kind: GeneratedKind; readonly key: Uint8Array } {
  if (/AGE-(?:SECRET-KEY|PLUGIN)-|PRIVATE KEY/i.test(text)) {
    throw new SealtreeError("E_RECIPIENT_INVALID", "this is a private key, not a recipient", {
      hints: [
        "who has seen it here can read what it opens: make a new one with sealtree keygen -o FILE",
        "the recipient is the public key: it starts with age1",
      ],
    });
  }
  const decoded = decodeBech32(text);
  const kind = kinds.get(decoded?.prefix ?? "");
  if (kind === undefined && (decoded !== undefined || !text.startsWith("age1"))) {
    throw new SealtreeError(
      "E_RECIPIENT_INVALID",
      "that is not a recipient: age1..., age1pq1..., ssh-ed25519, ssh-rsa or a plugin's age1NAME1...",
      {
        hints: ["make a key with sealtree keygen -o FILE"],
      },
    );
  }
  const isKey = kind === "hybrid" ? isHybridPublicKey : isX25519PublicKey;
  if (decoded === undefined || kind === undefined || !isKey(decoded.bytes)) {
    throw new SealtreeError("E_RECIPIENT_INVALID", "the recipient is misspelt or cut short", {
      hints: ["copy the whole public key again, from age1 to its end"],
    });
  }
  return { kind, key: decoded.bytes };
}
