import { isSealtreeError } from "../../errors.ts";
import { isSecretName, type SecretName } from "../../secret/address.ts";
import type { RandomSource } from "../../crypto/random.ts";
import { Secret } from "../../secret/secret.ts";
import type { TextFormat } from "../../values/text-format.ts";
import { textFormats } from "../../values/text-formats.ts";
import type { Mark } from "./target.ts";

/** The formats that a file with plaintext values can have. */
export const fileFormats = ["dotenv", "docker", "compose", "systemd", "shell", "json", "yaml"] as const;
export type FileFormat = (typeof fileFormats)[number];

/** One value in a file, with what is known of it. */
export interface FileEntry {
  readonly name: SecretName;
  readonly value: Secret;
  /** Undefined for what others wrote, and in JSON, which has no room for it. */
  readonly mark: Mark | undefined;
}

/** What is in a file: our entries; or it was never ours; or it is ours and was changed into something else. */
export type FileContent =
  | { readonly kind: "ours"; readonly entries: readonly FileEntry[] }
  | { readonly kind: "foreign" }
  | { readonly kind: "broken" };

const firstLine = "# written by sealtree: change the secrets, not this file";
const markLine = /# ([A-Za-z_][A-Za-z0-9_.-]*) = ([a-z0-9_/-]+\/[A-Za-z_][A-Za-z0-9_.-]*) ([0-9a-f]{16})\n/y;

const printers: Readonly<Record<FileFormat, NonNullable<TextFormat["print"]>>> = {
  dotenv: textFormats.dotenv.print,
  docker: textFormats.docker.print,
  compose: textFormats.compose.print,
  systemd: textFormats.systemd.print,
  shell: textFormats.shell.print,
  json: textFormats.json.print,
  yaml: textFormats.yaml.print,
};

/** The text of a file: who wrote it and a mark an entry, then the entries by name. Throws E_VALUE_UNFIT. */
export function printFile(format: FileFormat, entries: readonly FileEntry[], random: RandomSource): string {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const text = printers[format](new Map(sorted.map(({ name, value }) => [name, value])), random);
  if (format === "json") return text;
  const marks = sorted.flatMap(({ name, mark }) =>
    mark === undefined ? [] : [`# ${name} = ${mark.address} ${mark.fingerprint}\n`],
  );
  return `${firstLine}\n${marks.join("")}${text}`;
}

/** What is in the text of a file. All of it must be of the form that {@link printFile} writes. */
export function readFile(format: FileFormat, text: string): FileContent {
  if (format === "json") {
    const values = readValues(format, text);
    return values === undefined ? { kind: "broken" } : { kind: "ours", entries: toEntries(values, new Map()) };
  }
  if (!text.startsWith(`${firstLine}\n`)) return { kind: "foreign" };
  const { marks, rest } = readMarks(text.slice(firstLine.length + 1));
  const values = readValues(format, rest);
  return values === undefined ? { kind: "broken" } : { kind: "ours", entries: toEntries(values, marks) };
}

/** Marks stand before all values, where no value can look like one. */
function readMarks(text: string): { marks: ReadonlyMap<string, Mark>; rest: string } {
  const marks = new Map<string, Mark>();
  let offset = 0;
  for (;;) {
    markLine.lastIndex = offset;
    const [line, name, address, fingerprint] = markLine.exec(text) ?? [];
    if (line === undefined || name === undefined || address === undefined || fingerprint === undefined)
      return { marks, rest: text.slice(offset) };
    marks.set(name, { address, fingerprint });
    offset += line.length;
  }
}

function toEntries(values: ReadonlyMap<SecretName, Secret>, marks: ReadonlyMap<string, Mark>): FileEntry[] {
  return [...values].map(([name, value]) => ({ name, value, mark: marks.get(name) }));
}

function readValues(format: FileFormat, text: string): ReadonlyMap<SecretName, Secret> | undefined {
  if (format !== "dotenv" && format !== "json" && format !== "yaml") return readLines(format, text);
  if (text === "") return new Map();
  try {
    return textFormats[format].parse(text);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** How each format writes one value, and what it stands for: the first group that is there. */
const forms = {
  docker: [/([A-Za-z_]\w*)=([^\n]*)\n/y, (text: string) => text],
  compose: [/([A-Za-z_]\w*)=(?:'([^']*)'|"([^"]*)"|([^'"\n][^\n]*))\n/y, (text: string) => text],
  shell: [/export ([A-Za-z_]\w*)='((?:[^']|'\\'')*)'\n/y, (text: string) => text.replaceAll("'\\''", "'")],
  systemd: [
    /([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\["\\$`])*)"|([^"\n]*))\n/y,
    (text: string) => text.replaceAll(/\\(["\\$`])/g, "$1"),
  ],
} as const;

function readLines(format: keyof typeof forms, text: string): ReadonlyMap<SecretName, Secret> | undefined {
  const [pattern, decode] = forms[format];
  const values = new Map<SecretName, Secret>();
  for (let offset = 0; offset < text.length;) {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    const [line = "", name = "", ...groups] = match ?? [];
    if (match === null || !isSecretName(name) || values.has(name)) return undefined;
    values.set(name, Secret.text(decode(groups.find((group) => group !== undefined) ?? "")));
    offset += line.length;
  }
  return values;
}
