/** `bare`: without padding, as in an age header. `padded`: as in armor. */
export type Base64Form = "bare" | "padded";

/**
 * The bytes of canonical standard base64 (RFC 4648 section 4), or undefined when `text` has
 * another character, padding that is not its form's, or non-zero trailing bits.
 */
export function parseBase64(text: string, form: Base64Form): Uint8Array | undefined {
  // Buffer passes over what it does not know; printed again, that is missing.
  const bytes = Buffer.from(text, "base64");
  return printBase64(bytes, form) === text ? bytes : undefined;
}

/** Canonical standard base64. */
export function printBase64(bytes: Uint8Array, form: Base64Form): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return form === "padded" ? text : text.replace(/=+$/, "");
}
