import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { splitReferences, type ReferencePiece } from "../secret/reference.ts";
import { indexLines, type LinePlace } from "./line-index.ts";
import type { Fill, TemplateFormat, TemplateString } from "./template-format.ts";

/** Every format of templates by the name `--format` takes; loaded when one of its kind is read. */
const formats = {
  yaml: async () => (await import("./template-yaml.ts")).yamlTemplate as TemplateFormat<TemplateString>,
  json: async () => (await import("./template-json.ts")).jsonTemplate,
  toml: async () => (await import("./template-toml.ts")).tomlTemplate as TemplateFormat<TemplateString>,
  dotenv: async () => (await import("./template-dotenv.ts")).dotenvTemplate as TemplateFormat<TemplateString>,
  text: async () => (await import("./template-text.ts")).textTemplate,
} as const satisfies Record<string, () => Promise<TemplateFormat<TemplateString>>>;

export type TemplateFormatName = keyof typeof formats;
export const templateFormats = Object.keys(formats) as readonly TemplateFormatName[];

/** A reference and where it stands. */
export interface PlacedReference extends LinePlace {
  readonly address: Address;
}

/** A text with references, read. */
export interface Template {
  /** In the order of the text; one that stands twice is in it twice. */
  readonly references: readonly PlacedReference[];
  /**
   * The text with `valueOf` in place of every reference; everything else is as it was, byte for
   * byte. Throws E_VALUE_UNFIT with the line for a value that the format cannot hold, E_VALUE_TOO_LARGE.
   */
  render(valueOf: (address: Address) => string): string;
}

const maxRenderedChars = 64 * 1024 * 1024;

/** What a file is called without what says that it is a template. */
const templateEnding = /\.(?:tmpl|tpl|template|in|example)$/;

/** The format of a template by the name of its file; plain text for a name that says nothing. */
export function templateFormatOf(file: string): TemplateFormatName {
  const name = file
    .toLowerCase()
    .replace(/^.*[/\\]/, "")
    .replace(templateEnding, "");
  if (/\.ya?ml$/.test(name)) return "yaml";
  if (name.endsWith(".json")) return "json";
  if (name.endsWith(".toml")) return "toml";
  return /^\.env(?:\..+)?$|\.env$/.test(name) ? "dotenv" : "text";
}

/**
 * Reads a template. `file` is said in errors. Throws E_INPUT_INVALID for text that is not of the
 * format, and E_REFERENCE_INVALID for what begins as a reference and is none, or stands in a name;
 * both with the line and without content.
 */
export async function parseTemplate(text: string, format: TemplateFormatName, file: string): Promise<Template> {
  const reader = await formats[format]();
  const placeOf = indexLines(text);
  const strings = reader
    .parse(text)
    .map((string) => ({ string, pieces: splitReferences(string.value) }))
    .filter(({ string, pieces }) => isChanged(string.value, pieces));
  const references: PlacedReference[] = [];
  for (const { string, pieces } of strings) {
    const places = placesOf(text, string, pieces).map(placeOf);
    const found = pieces.filter(({ kind }) => kind !== "text");
    for (const [index, piece] of found.entries()) {
      const place = places[index] ?? placeOf(string.start);
      if (piece.kind === "malformed") throw malformed(file, place);
      if (piece.kind !== "reference") continue;
      if (string.isKey) throw invalid(file, place, "a name cannot be a secret");
      references.push({ address: piece.address, ...place });
    }
  }
  return {
    references,
    render(valueOf) {
      const length = references.reduce((sum, { address }) => sum + valueOf(address).length, text.length);
      if (length > maxRenderedChars) throw tooLarge(file);
      const parts: string[] = [];
      let from = 0;
      for (const { string, pieces } of strings) {
        const written = reader.print(text, string, fillOf(pieces, valueOf));
        if (written === undefined) throw unfit(file, placeOf(string.start).line, format);
        parts.push(text.slice(from, string.start), written);
        from = string.end;
      }
      return parts.join("") + text.slice(from);
    },
  };
}

/** True for a string with references or escaped ones. */
function isChanged(value: string, pieces: readonly ReferencePiece[]): boolean {
  return pieces.some((piece) => piece.kind !== "text" || piece.text !== value);
}

/** `text` with `valueOf` in place of every reference, as plain text. */
export function fillReferences(text: string, valueOf: (address: Address) => string): string {
  return join(splitReferences(text), valueOf);
}

function fillOf(pieces: readonly ReferencePiece[], valueOf: (address: Address) => string): Fill {
  return {
    value: join(pieces, valueOf),
    within(raw, encode) {
      const written = splitReferences(raw);
      return addressesOf(written) === addressesOf(pieces)
        ? join(written, (address) => encode(valueOf(address)))
        : undefined;
    },
  };
}

function join(pieces: readonly ReferencePiece[], valueOf: (address: Address) => string): string {
  return pieces
    .map((piece) => (piece.kind === "text" ? piece.text : piece.kind === "reference" ? valueOf(piece.address) : ""))
    .join("");
}

function addressesOf(pieces: readonly ReferencePiece[]): string {
  return pieces.flatMap((piece) => (piece.kind === "reference" ? [printAddress(piece.address)] : [])).join(" ");
}

/** Offsets in `text` of what is not text in a string; empty when it is written with escapes. */
function placesOf(text: string, { start, end }: TemplateString, pieces: readonly ReferencePiece[]): number[] {
  const isPlaced = ({ kind }: ReferencePiece) => kind !== "text";
  const written = splitReferences(text.slice(start, end)).filter(isPlaced);
  return written.length === pieces.filter(isPlaced).length ? written.map((piece) => start + piece.start) : [];
}

function invalid(file: string, { line, column }: LinePlace, what: string, ...hints: string[]): SealtreeError {
  return new SealtreeError("E_REFERENCE_INVALID", `${file}:${line}:${column}: ${what}`, { file, line, hints });
}

function malformed(file: string, place: LinePlace): SealtreeError {
  return invalid(
    file,
    place,
    "it begins as a reference does, and is none",
    "a reference is ${secret:scope/NAME}, such as ${secret:prod/api/STRIPE_KEY}",
    "if it is meant as text: $${secret:",
  );
}

function unfit(file: string, line: number, format: TemplateFormatName): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `${file}:${line}: the value does not fit the format ${format}`, {
    file,
    line,
    hints: ["no quoting holds it for every reader of the format; take another format, or read the value from a file"],
  });
}

function tooLarge(file: string): SealtreeError {
  return new SealtreeError("E_VALUE_TOO_LARGE", `${file} with its values would have more than 64 Mi characters`, {
    file,
    hints: ["let the program read large values by itself: sealtree get ADDRESS --reveal"],
  });
}
