/** A line of a `.gitattributes` (gitattributes(5)). */
export interface AttributeLine {
  readonly file: string;
  /** One-based. */
  readonly line: number;
  /** True for a path from the root that the line speaks of. Letter case counts for nothing, as with core.ignoreCase. */
  matches(path: string): boolean;
  /** Attribute to its value: text, true, false, or undefined for one that is taken back. */
  readonly settings: ReadonlyMap<string, string | boolean | undefined>;
}

/** Longer lines are passed over by git too. */
const maxLineChars = 2048;
const builtIn = ["binary", "-diff -merge -text"] as const;

/**
 * The lines of a `.gitattributes` at `file`, with macros resolved; those of the file in the root
 * are put into `macros` and hold in other files too.
 */
export function parseAttributes(
  text: string,
  file: string,
  macros = new Map<string, string>([builtIn]),
): AttributeLine[] {
  const directory = file.includes("/") ? file.slice(0, file.lastIndexOf("/") + 1) : "";
  return text.split(/\r?\n/).flatMap((written, index): AttributeLine[] => {
    const trimmed = written.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.length > maxLineChars) return [];
    const [, quoted, bare, rest = ""] = /^(?:"((?:[^"\\]|\\.)*)"|(\S+))\s*(.*)$/.exec(trimmed) ?? [];
    const pattern = quoted === undefined ? (bare ?? "") : unquote(quoted);
    if (pattern.startsWith("[attr]")) {
      if (directory === "") macros.set(pattern.slice("[attr]".length), rest);
      return [];
    }
    const settings = readSettings(rest, macros, 0);
    return [{ file, line: index + 1, settings, matches: compilePattern(pattern, directory.toLowerCase()) }];
  });
}

function readSettings(text: string, macros: ReadonlyMap<string, string>, depth: number): AttributeLine["settings"] {
  const settings = new Map<string, string | boolean | undefined>();
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const [, sign = "", name = "", value] = /^([-!]?)([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    settings.set(name, sign === "-" ? false : sign === "!" ? undefined : (value ?? true));
    const macro = sign === "" && value === undefined && depth < 5 ? macros.get(name) : undefined;
    for (const [inner, set] of macro === undefined ? [] : readSettings(macro, macros, depth + 1))
      settings.set(inner, set);
  }
  return settings;
}

function unquote(text: string): string {
  return text.replaceAll(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
}

/** The pattern as a function of a path. Takes time in proportion to the lengths of both, whatever they are. */
function compilePattern(written: string, directory: string): (path: string) => boolean {
  const pattern = written.toLowerCase();
  if (pattern.endsWith("/")) return () => false;
  if (!pattern.includes("/")) {
    const glob = compileGlob(pattern);
    return (path) =>
      path.toLowerCase().startsWith(directory) && glob(path.toLowerCase().slice(path.lastIndexOf("/") + 1));
  }
  const segments = pattern.replace(/^\//, "").split("/");
  if (segments.at(-1) === "**") segments.push("*");
  const globs = segments.map((segment) => (segment === "**" ? undefined : compileGlob(segment)));
  return (path) => {
    const lower = path.toLowerCase();
    if (!lower.startsWith(directory)) return false;
    return matchSequence(globs, lower.slice(directory.length).split("/"));
  };
}

function compileGlob(pattern: string): (text: string) => boolean {
  const tokens: (((character: string) => boolean) | undefined)[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? "";
    const end =
      character === "[" ? pattern.indexOf("]", index + (/^\[[!^]?\]/.test(pattern.slice(index)) ? 3 : 2)) : -1;
    if (character === "*") tokens.push(undefined);
    else if (character === "?") tokens.push(() => true);
    else if (end > 0) {
      tokens.push(compileClass(pattern.slice(index + 1, end)));
      index = end;
    } else {
      const literal = character === "\\" ? (pattern[(index += 1)] ?? "\\") : character;
      tokens.push((other) => other === literal);
    }
  }
  return (text) => matchSequence(tokens, text);
}

/** A class that is written in a way not understood here matches everything: better a finding too many. */
function compileClass(written: string): (character: string) => boolean {
  if (written.includes("[") || written.includes("\\")) return () => true;
  const isNegated = /^[!^]/.test(written);
  const body = isNegated ? written.slice(1) : written;
  const parts = [...body.matchAll(/(.)-(.)|./gs)].map(([all, from = all, to = all]) => [from, to] as const);
  return (character) => parts.some(([from, to]) => from <= character && character <= to) !== isNegated;
}

/** Matches items one by one; an undefined matcher takes any number of them. */
function matchSequence<T>(matchers: readonly (((item: T) => boolean) | undefined)[], items: ArrayLike<T>): boolean {
  let [matcher, item] = [0, 0];
  let retry: { matcher: number; item: number } | undefined;
  while (item < items.length) {
    const fits = matchers[matcher];
    if (matcher < matchers.length && fits === undefined) {
      retry = { matcher, item };
      matcher += 1;
    } else if (fits?.(items[item] as T) === true) {
      matcher += 1;
      item += 1;
    } else if (retry !== undefined) {
      retry = { matcher: retry.matcher, item: retry.item + 1 };
      matcher = retry.matcher + 1;
      item = retry.item;
    } else return false;
  }
  return matchers.slice(matcher).every((rest) => rest === undefined);
}
