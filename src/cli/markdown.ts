import { withoutRunnerCommands } from "../review/print-findings.ts";
import { safeText } from "./safe-text.ts";

/** Most characters of one text from elsewhere. */
const maxChars = 120;
/** What no renderer takes for anything: no markup, link, mention, reference or short code. */
const harmless = /^(?:\p{L}[\p{L}\p{N} ,()'!?-]*)?$/u;
/** A commit id or a reference such as GH-1, which GitHub makes a link of. */
const reference = /\b(?:[0-9a-f]{7,64}\b|gh-\d)/i;
/** Stands between two characters and shows nothing. */
const gap = "&#8203;";

/**
 * Our own words, with names in them, as Markdown that shows them as they are, also in a table. A
 * host looks for mentions, references and short codes in what is left after entities are decoded,
 * so their first characters are parted from the rest.
 */
export function markdownText(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*_{}[\]<>|~&@#$]|:(?=\S)|(?<=www)\.|(?<=^\s*)[-+=]|(?<=^\s*)\d(?=\d*[.)])/giu, escapeMark)
    .replaceAll(/\b(gh)-(?=\d)/gi, `$1${gap}-`);
}

function escapeMark(mark: string): string {
  const entity = `&#${mark.codePointAt(0) ?? 0};`;
  if (mark === ".") return `${gap}${entity}`;
  return "@#:$".includes(mark) ? `${entity}${gap}` : entity;
}

/** Text that somebody wrote: as it is when that is harmless, else as code, in which nothing means anything. */
export function markdownForeign(text: string): string {
  const clipped = clip(oneLine(text));
  return harmless.test(clipped) && !reference.test(clipped) ? clipped.trim() : markdownCode(clipped);
}

/** Text as code, also in a table. */
export function markdownCode(text: string): string {
  const clipped = clip(oneLine(text));
  if (clipped.trim() === "") return "";
  const longest = Math.max(0, ...(clipped.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  const padded = longest > 0 || /^\s|\s$/.test(clipped) ? ` ${clipped} ` : clipped;
  // In a table a bar ends the cell, also within code; a backslash before it would take its own away.
  return `${fence}${padded.replaceAll("\\", "\u29f5").replaceAll("|", "\u2502")}${fence}`;
}

function clip(text: string): string {
  const characters = Array.from(text);
  return characters.length <= maxChars ? text : `${characters.slice(0, maxChars - 1).join("")}…`;
}

/** Control characters as escapes, and no line break, tab or other character that shows nothing. */
function oneLine(text: string): string {
  return withoutRunnerCommands(safeText(text)).replaceAll(/[\n\t\u00ad\u200b-\u200d\u2060\u180e]/g, (character) => {
    return character === "\n" || character === "\t" ? " " : `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
  });
}
