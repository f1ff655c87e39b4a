import { type SourceBranch, type SourceItem, sourceLineError, type SourceLeaf } from "./source-tree.ts";

/** The section of keys that stand above every section. */
export const iniDefault = "DEFAULT";

/**
 * An INI file as SOPS writes it: sections of `key = value` lines, values bare or in quotes or
 * backticks, comments with `;` or `#` above what they belong to. Throws E_INPUT_INVALID with the line.
 */
export function readIniTree(text: string): SourceBranch {
  const sections = new Map<string, { items: SourceItem[]; comments: readonly string[] }>();
  let section = { items: [] as SourceItem[], comments: [] as readonly string[] };
  sections.set(iniDefault, section);
  let comments: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "") continue;
    if (/^[;#]/.test(line)) {
      comments.push(line.replace(/^[;#]+[; #]*/, ""));
      continue;
    }
    const heading = /^\[(.+)\]$/.exec(line)?.[1]?.trim();
    if (heading === undefined) {
      section.items.push({ ...readPair(line, index + 1), comments });
    } else {
      section = sections.get(heading) ?? { items: [], comments };
      sections.set(heading, section);
    }
    comments = [];
  }
  const items = [...sections].map(([key, { items: pairs, comments: above }]) => ({
    key,
    value: { kind: "map", items: pairs, trailing: [] } as const,
    comments: above,
  }));
  return { kind: "map", items, trailing: comments };
}

function readPair(line: string, number: number): { key: string; value: SourceLeaf } {
  const match = /^(?:`([^`]*)`|"([^"]*)"|([^=:"`]+?))\s*[=:]\s*(.*)$/.exec(line);
  if (match === null) throw sourceLineError("neither a section, a comment nor a key with a value", number);
  const written = match[4] ?? "";
  const quote = /^["'`]/.exec(written)?.[0];
  const isQuoted = quote !== undefined && written.length > 1 && written.endsWith(quote);
  const value = isQuoted ? written.slice(1, -1) : written;
  return { key: match[1] ?? match[2] ?? match[3] ?? "", value: { kind: "leaf", type: "text", text: value } };
}
