import { createHash } from "node:crypto";
import { encodeBech32 } from "./bech32.ts";
import type { SshKind } from "./ssh-strength.ts";

/** Kinds of key that sealtree makes: classic, or post-quantum hybrid (ML-KEM-768 with X25519). */
export type GeneratedKind = "x25519" | "hybrid";
export type RecipientKind = GeneratedKind | SshKind | "plugin";

/** A checked public key, made by parseRecipient or {@link printRecipient}. */
export interface Recipient {
  readonly kind: RecipientKind;
  /** Canonical text: `age1...`, `age1pq1...`, `age1NAME1...` in lower case, or SSH type and key without comment. */
  readonly text: string;
}

/** The part of a recipient's text before its last `1`. */
export const recipientPrefixes = { x25519: "age", hybrid: "age1pq" } as const satisfies Record<GeneratedKind, string>;

/** True when a quantum computer is of no help against what is sealed to the recipient. */
export function isPostQuantum(recipient: Recipient): boolean {
  return recipient.kind === "hybrid" || recipient.text.startsWith("age1tagpq1");
}

/** The recipient of public bytes. */
export function printRecipient(kind: GeneratedKind, key: Uint8Array): Recipient {
  return { kind, text: encodeBech32(recipientPrefixes[kind], key) };
}

/** First 16 hex digits of SHA-256 of a recipient's canonical text. */
export function fingerprintOf(recipientText: string): string {
  return createHash("sha256").update(recipientText).digest("hex").slice(0, 16);
}
