/**
 * `text` from a repository, from git or from a person, made safe to print: control characters,
 * line breaks other than `\n` and bidirectional overrides are shown as `\u{...}`, so that none
 * of them reaches the terminal. So is a sign of what runners take for a command wherever it stands
 * in a line (`##[...]`, `##vso[...]`).
 */
export function safeText(text: string): string {
  const escape = (character: string) => `\\u{${hexOf(character)}}`;
  return text.replaceAll(unsafe, escape).replaceAll(runnerCommand, `#${escape("#")}`);
}

/** JSON text with the same escaped: it says what it said, in letters that can be printed. */
export function safeJson(json: string): string {
  const escape = (character: string) => `\\u${hexOf(character).padStart(4, "0")}`;
  return json.replaceAll(unsafe, escape).replaceAll(runnerCommand, `#${escape("#")}`);
}

const runnerCommand = /##(?=\[|vso\[)/gi;
const unsafe =
  // oxlint-disable-next-line no-control-regex -- the point is to escape them
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

function hexOf(character: string): string {
  return character.codePointAt(0)?.toString(16) ?? "";
}
