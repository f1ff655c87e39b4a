/**
 * The bytes of canonical base64url without padding (RFC 4648 section 5), or undefined when
 * `text` has another character, a length no encoder makes, or non-zero trailing bits.
 */
export function parseBase64url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Canonical base64url without padding. */
export function printBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
