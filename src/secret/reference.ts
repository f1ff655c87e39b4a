import { isSealtreeError } from "../errors.ts";
import { parseAddress, printAddress, type Address } from "./address.ts";

/** Offsets are in UTF-16 code units; `end` is exclusive. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** One part of a text that may have references. */
export type ReferencePiece =
  /** Text without references; escapes are taken out, so it may be shorter than its stretch. */
  | (Stretch & { readonly kind: "text"; readonly text: string })
  | (Stretch & { readonly kind: "reference"; readonly address: Address })
  /** It begins as a reference does and is none. */
  | (Stretch & { readonly kind: "malformed" });

const opening = "{secret:";
/** No address is longer than 639 characters. */
const body = /\{secret:([^{}\s]{1,640})\}/y;

/** True when `text` may have a reference or an escaped one; cheap. */
export function mayHaveReferences(text: string): boolean {
  return text.includes("${secret:");
}

/**
 * `text` split at its references, `${secret:scope/NAME}`. Of the dollars right before `{secret:`
 * each pair stands for one, so `$${secret:` is the text `${secret:`, and a reference follows only
 * an odd number. Anything else with a dollar and a brace is text. Whatever begins with `${secret:`
 * is a reference or malformed. The pieces lie side by side and cover the text.
 */
export function splitReferences(text: string): ReferencePiece[] {
  const pieces: ReferencePiece[] = [];
  let start = 0;
  let pending = "";
  let from = 0;
  const flush = (end: number) => {
    if (end > start) pieces.push({ kind: "text", text: pending, start, end });
    pending = "";
  };
  for (let brace = text.indexOf(opening); brace !== -1; brace = text.indexOf(opening, Math.max(from, brace + 1))) {
    const dollars = countDollars(text, from, brace);
    pending += text.slice(from, brace - dollars) + "$".repeat(Math.floor(dollars / 2));
    from = brace;
    if (dollars % 2 === 0) continue;
    flush(from - 1);
    const address = findAddress(text, from);
    start = address?.end ?? from + opening.length;
    const stretch = { start: from - 1, end: start };
    pieces.push(
      address === undefined
        ? { kind: "malformed", ...stretch }
        : { kind: "reference", address: address.value, ...stretch },
    );
    from = start;
  }
  pending += text.slice(from);
  flush(text.length);
  return pieces;
}

/** The address that `text` as a whole refers to; undefined when it is anything but one reference. */
export function findWholeReference(text: string): Address | undefined {
  if (!text.startsWith("${secret:")) return undefined;
  const [piece, ...more] = splitReferences(text);
  return piece?.kind === "reference" && more.length === 0 ? piece.address : undefined;
}

/** `${secret:scope/NAME}` */
export function printReference(address: Address): string {
  return `\${secret:${printAddress(address)}}`;
}

/** How many dollars stand right before `end`, and not before `start`. */
function countDollars(text: string, start: number, end: number): number {
  let first = end;
  while (first > start && text[first - 1] === "$") first -= 1;
  return end - first;
}

function findAddress(text: string, offset: number): { readonly value: Address; readonly end: number } | undefined {
  body.lastIndex = offset;
  const match = body.exec(text);
  if (match === null) return undefined;
  try {
    return { value: parseAddress(match[1] ?? ""), end: offset + match[0].length };
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
