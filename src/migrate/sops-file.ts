import { decodeUtf8 } from "../secret/utf8.ts";
import { readIniTree } from "./ini-tree.ts";
import { readJsonTree } from "./json-tree.ts";
import { readSopsDotenv } from "./sops-dotenv.ts";
import { notSops, parseSopsMetadata, type SopsMetadata, unflattenMetadata } from "./sops-metadata.ts";
import { findItem, type SourceBranch, type SourceItem, textOf } from "./source-tree.ts";
import { readYamlTrees } from "./yaml-tree.ts";

export const sopsFormats = ["yaml", "json", "dotenv", "ini", "binary"] as const;
export type SopsFormat = (typeof sopsFormats)[number];

/** A SOPS file as it was read, with nothing opened. */
export interface SopsFile {
  readonly format: SopsFormat;
  /** One a document, without the metadata. */
  readonly branches: readonly SourceBranch[];
  readonly metadata: SopsMetadata;
}

const metadataKey = "sops";
const flatPrefix = "sops_";

/** The format that a file's name tells, or undefined. */
export function formatOfName(name: string): SopsFormat | undefined {
  const lower = name.toLowerCase();
  if (/\.ya?ml$/.test(lower)) return "yaml";
  if (lower.endsWith(".json")) return "json";
  if (lower.endsWith(".ini")) return "ini";
  return /(?:^|\/)\.env(?:\.[^/]+)?$|\.env$/.test(lower) ? "dotenv" : undefined;
}

/**
 * Reads a SOPS file of a known format; without one, the format that the text has. Throws
 * E_INPUT_INVALID for a file that is none, and for metadata that cannot be used.
 */
export function parseSopsFile(bytes: Uint8Array, known?: SopsFormat): SopsFile {
  const text = decodeUtf8(bytes);
  if (text === undefined || text.startsWith("\uFEFF")) throw notSops();
  const format = known ?? guessFormat(text);
  if (format === "dotenv") return readFlat(format, readSopsDotenv(text));
  if (format === "ini") return readSections(readIniTree(text));
  const documents = format === "yaml" ? readYamlTrees(text) : [readJsonTree(text)];
  const described = documents.find((document) => findItem(document, metadataKey) !== undefined);
  if (described === undefined) throw notSops();
  const branches = documents.map((document) => without(document, (key) => key === metadataKey));
  const metadata = parseSopsMetadata(findItem(described, metadataKey));
  const isBinary = format === "binary" || (known === undefined && format === "json" && isSingleData(branches));
  return { format: isBinary ? "binary" : format, branches, metadata };
}

function isSingleData([branch]: readonly SourceBranch[]): boolean {
  return branch?.items.length === 1 && textOf(findItem(branch, "data")) !== undefined;
}

function guessFormat(text: string): SopsFormat {
  if (/^\s*\{/.test(text)) return "json";
  if (/^sops_mac=/m.test(text)) return "dotenv";
  if (/^\[sops\]\s*$/m.test(text)) return "ini";
  return "yaml";
}

function readFlat(format: SopsFormat, branch: SourceBranch): SopsFile {
  const pairs = new Map<string, string>();
  for (const { key, value } of branch.items) {
    if (key.startsWith(flatPrefix)) pairs.set(key.slice(flatPrefix.length), textOf(value) ?? "");
  }
  if (pairs.size === 0) throw notSops();
  const metadata = parseSopsMetadata(unflattenMetadata(pairs));
  return { format, branches: [without(branch, (key) => key.startsWith(flatPrefix))], metadata };
}

function readSections(branch: SourceBranch): SopsFile {
  const section = findItem(branch, metadataKey);
  if (section?.kind !== "map") throw notSops();
  const pairs = new Map(section.items.map(({ key, value }) => [key, textOf(value) ?? ""]));
  const metadata = parseSopsMetadata(unflattenMetadata(pairs));
  return { format: "ini", branches: [without(branch, (key) => key === metadataKey)], metadata };
}

/** Comments of what is taken out stay, with the next item or at the end. */
function without(branch: SourceBranch, isDropped: (key: string) => boolean): SourceBranch {
  const items: SourceItem[] = [];
  let pending: readonly string[] = [];
  for (const item of branch.items) {
    if (isDropped(item.key)) {
      pending = [...pending, ...item.comments];
      continue;
    }
    items.push(pending.length === 0 ? item : { ...item, comments: [...pending, ...item.comments] });
    pending = [];
  }
  return { ...branch, items, trailing: [...pending, ...branch.trailing] };
}
