import type { Secret } from "../secret/secret.ts";

/** A value as the fields that `--json` prints: text as it is, anything else as base64. */
export function valueJson(secret: Secret): { readonly value: string } | { readonly value_base64: string } {
  const text = secret.kind === "text" ? secret.revealText() : undefined;
  return text === undefined ? { value_base64: Buffer.from(secret.reveal()).toString("base64") } : { value: text };
}
