import { base64Forms, jsonForm, urlForms } from "../secret/encoded-forms.ts";
import type { Secret } from "../secret/secret.ts";

/** Shortest run of bytes that is masked. Shorter ones, such as `1` or `true`, are everywhere. */
const minMaskedBytes = 6;

/**
 * Every form of the values that is masked in a child's output, without repeats: the value,
 * also without the white space at its ends, each of its lines, base64 and base64url (whole, and
 * what is left of it at any offset in a longer text), JSON-escaped and URL-encoded. Forms of
 * less than 6 bytes are left out.
 */
export function maskPatterns(secrets: Iterable<Secret>): Uint8Array[] {
  const patterns = new Map<string, Uint8Array>();
  for (const secret of secrets) {
    for (const form of listForms(Buffer.from(secret.reveal()), secret.revealText())) {
      if (isMasked(form)) patterns.set(form.toString("latin1"), form);
    }
  }
  return [...patterns.values()];
}

function isMasked({ length }: Uint8Array): boolean {
  return length >= minMaskedBytes;
}

function listForms(value: Buffer, text: string | undefined): Buffer[] {
  if (!isMasked(value)) return [];
  if (text === undefined) return [value, ...base64Forms(value)];
  const whole = [...new Set([text, text.trim()])];
  const lines = new Set(text.split(/\r\n|\r|\n/).flatMap((line) => [line, line.trim()]));
  const texts = new Set([...whole, ...lines, ...whole.flatMap((form) => [jsonForm(form), ...urlForms(form)])]);
  const forms = [...texts].map((form) => Buffer.from(form));
  return [...forms, ...forms.slice(0, whole.length).filter(isMasked).flatMap(base64Forms)];
}
