import { createHash } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { isHybridPublicKey } from "./age-hybrid.ts";
import { isX25519PublicKey } from "./age-x25519.ts";
import { decodeBech32, encodeBech32 } from "./bech32.ts";

/** Classic, or post-quantum hybrid (ML-KEM-768 with X25519). */
export type RecipientKind = "x25519" | "hybrid";

/** A checked public key, made by {@link parseRecipient}. */
export interface Recipient {
  readonly kind: RecipientKind;
  /** Canonical text: `age1...` or `age1pq1...`, lower case. */
  readonly text: string;
}

const prefixes = { x25519: "age", hybrid: "age1pq" } as const satisfies Record<RecipientKind, string>;
const kinds = new Map<string, RecipientKind>([
  [prefixes.x25519, "x25519"],
  [prefixes.hybrid, "hybrid"],
]);

/**
 * The recipient in `text`, which has nothing around it. Throws E_RECIPIENT_INVALID, also
 * for a key that no identity could have, and never repeats `text`: it may be a private key.
 */
export function parseRecipient(text: string): Recipient {
  return { kind: decodeRecipient(text).kind, text };
}

/** The public bytes of a recipient. Throws E_RECIPIENT_INVALID when nobody checked it. */
export function recipientKey(recipient: Recipient): Uint8Array {
  return decodeRecipient(recipient.text).key;
}

/** The recipient of public bytes. */
export function printRecipient(kind: RecipientKind, key: Uint8Array): Recipient {
  return { kind, text: encodeBech32(prefixes[kind], key) };
}

/** First 16 hex digits of SHA-256 of a recipient's canonical text. */
export function fingerprintOf(recipientText: string): string {
  return createHash("sha256").update(recipientText).digest("hex").slice(0, 16);
}

function decodeRecipient(text: string): { readonly kind: RecipientKind; readonly key: Uint8Array } {
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
    throw new SealtreeError("E_RECIPIENT_INVALID", "only age1... and age1pq1... recipients are supported", {
      hints: ["make a key of such a kind with sealtree keygen -o FILE"],
    });
  }
  const isKey = kind === "hybrid" ? isHybridPublicKey : isX25519PublicKey;
  if (decoded === undefined || kind === undefined || !isKey(decoded.bytes)) {
    throw new SealtreeError("E_RECIPIENT_INVALID", "the recipient is misspelt or cut short", {
      hints: ["copy the whole public key again, from age1 to its end"],
    });
  }
  return { kind, key: decoded.bytes };
}
