/**
 * The members of a JSON object (RFC 8259), each value as it is written, so that numbers and nested
 * values of others can be kept to the letter. Of a name that is there twice the last counts.
 * Undefined when `text` is no JSON object.
 */
export function findMembers(text: string): Map<string, string> | undefined {
  if (!isObject(text)) return undefined;
  const members = new Map<string, string>();
  // The text is JSON, so only strings and brackets have to be told apart.
  let at = skip(text, /\s*\{\s*/y, 0);
  while (text[at] !== "}") {
    const afterName = skip(text, quoted, at);
    const name = JSON.parse(text.slice(at, afterName)) as string;
    const start = skip(text, /\s*:\s*/y, afterName);
    const end = endOfValue(text, start);
    members.set(name, text.slice(start, end));
    at = skip(text, /\s*,?\s*/y, end);
  }
  return members;
}

/** A JSON object of members as {@link findMembers} gives them. */
export function printMembers(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

const quoted = /"(?:[^"\\]|\\.)*"/y;

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    // The cause quotes the text.
    return false;
  }
}

function endOfValue(text: string, start: number): number {
  let [at, depth] = [start, 0];
  do {
    const character = text[at];
    if (character === '"') at = skip(text, quoted, at);
    else if (character === "{" || character === "[") [at, depth] = [at + 1, depth + 1];
    else if (character === "}" || character === "]") [at, depth] = [at + 1, depth - 1];
    else if (depth > 0 && (character === "," || character === ":")) at++;
    else at = skip(text, /[^\s,:"{}[\]]+|\s+/y, at);
  } while (depth > 0);
  return at;
}

/** Where a match that begins at `at` ends; `at` itself without one. */
function skip(text: string, pattern: RegExp, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
