import { maskPatterns } from "../resolve/mask-patterns.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import type { Secret } from "../secret/secret.ts";

/** Fewest characters of a value that is masked: a mask of `1` or `true` would hide the log, not the value. */
export const minMaskedChars = 6;
/** Fewest characters of a line of a longer value that is masked by itself. */
export const minLineChars = 4;

/**
 * True when the runner can hide the value: it has 6 characters without the white space at its ends, and
 * a line of 4 where it has several, since the runner takes each line of a mask for one of its own.
 */
export function isMaskable(secret: Secret): boolean {
  const text = secret.revealText();
  if (text === undefined) return secret.reveal().length >= minMaskedChars;
  return text.trim().length >= minMaskedChars && linesOf(text).some((line) => line.length >= minLineChars);
}

/**
 * All that the runner has to hide so that the value is in no log: what {@link maskPatterns} lists,
 * and each line of 4 characters or more. Longest first. Empty for a value that is not
 * {@link isMaskable}.
 */
export function listMasks(secret: Secret): string[] {
  if (!isMaskable(secret)) return [];
  const forms = maskPatterns([secret]).flatMap((bytes) => decodeUtf8(bytes) ?? []);
  const lines = linesOf(secret.revealText() ?? "");
  const masks = new Set([...forms, ...lines].filter((form) => form.trim().length >= minLineChars));
  return [...masks].sort((a, b) => b.length - a.length);
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map((line) => line.trim());
}
