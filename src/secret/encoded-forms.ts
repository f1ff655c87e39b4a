/**
 * Base64 and base64url of `value`, whole with padding and without, and the digits that only
 * `value` decides when it stands at any offset in a longer text that is encoded.
 */
export function base64Forms(value: Uint8Array): Buffer[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const standard = [bytes.toString("base64"), ...[0, 1, 2].map((offset) => embeddedBase64(bytes, offset))];
  const forms = [...standard, ...standard.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
  return [...forms, bytes.toString("base64url")].map((form) => Buffer.from(form));
}

/** The base64 digits that only `value` decides when it follows `offset` other bytes (modulo 3). */
function embeddedBase64(value: Buffer, offset: number): string {
  const digits = Buffer.concat([Buffer.alloc(offset), value]).toString("base64");
  const first = Math.ceil((offset * 8) / 6);
  return digits.slice(first, Math.floor(((offset + value.length) * 8) / 6));
}

/** `text` as it stands within the quotes of a JSON string. */
export function jsonForm(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** `text` in a URL: escaped as a component, and as a form's value. */
export function urlForms(text: string): string[] {
  return [encodeURIComponent(text), new URLSearchParams([["", text]]).toString().slice(1)];
}

/** Hexadecimal digits of `value`, small and capital. */
export function hexForms(value: Uint8Array): Buffer[] {
  const digits = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  return [Buffer.from(digits), Buffer.from(digits.toUpperCase())];
}
