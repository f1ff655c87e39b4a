import { basename, resolve } from "node:path";
import { SealtreeError } from "../errors.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { parseEditBuffer, type EditBuffer } from "../values/edit-buffer.ts";
import { withLine } from "../values/input-line.ts";
import { checkNotTracked } from "../values/plaintext-file.ts";
import { textFormats } from "../values/text-formats.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";
import { readInputFile, readStdin } from "./value-input.ts";

export const inputFormats = ["dotenv", "json", "yaml"] as const;
export type InputFormat = (typeof inputFormats)[number];

/** The options of every command that reads plaintext values from a file. */
export const inputOptions: readonly OptionSpec[] = [
  { flags: "--format <format>", description: `${inputFormats.join(", ")}; by the file's name without` },
  { flags: "--merge", description: "add and change, remove nothing" },
  { flags: "--replace", description: "also remove what the input does not have" },
  { flags: "--allow-plaintext", description: "read also a file that git has or would take" },
];

const maxInputBytes = 8 * 1024 * 1024;

/**
 * The text of `file`, or of stdin for `-` and none, and its format. Throws E_USAGE when the
 * format is not known, E_PLAINTEXT_TRACKED for a file that git has or would take,
 * E_INPUT_INVALID for bytes that are not UTF-8, and what reading throws.
 */
export async function readPlaintextInput(
  context: Context,
  file: string | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<{ text: string; format: InputFormat }> {
  const name = file === "-" ? undefined : file;
  const format = parseInputFormat(options["format"]) ?? findFormat(name);
  if (format === undefined) {
    throw new SealtreeError("E_USAGE", "the format of the input is not known", {
      hints: [`say it: --format ${inputFormats.join("|")}`],
    });
  }
  if (name === undefined && context.io.stdin.isTTY === true) {
    throw new SealtreeError("E_USAGE", "there is nothing to read", { hints: ["name a file, or pipe the input in"] });
  }
  if (name !== undefined && options["allowPlaintext"] !== true) {
    await checkNotTracked(resolve(context.directory, name), context.io.env, "or hand it over on stdin");
  }
  const bytes =
    name === undefined ? await readStdin(context, maxInputBytes) : readInputFile(context, name, maxInputBytes);
  return { text: decodeInput(bytes), format };
}

/** What an input text holds; comments only of YAML. Throws E_INPUT_INVALID and E_NAME_INVALID with the line. */
export function parsePlaintextInput(
  text: string,
  format: InputFormat,
  asked: "values" | "values and comments",
): Pick<EditBuffer, "entries"> & Partial<Pick<EditBuffer, "comments">> {
  try {
    if (format === "yaml" && asked === "values and comments") return parseEditBuffer(text);
    return { entries: textFormats[format].parse(text) };
  } catch (error) {
    throw withLine(error, "the input");
  }
}

/** `merge` or `replace` as the options say, or undefined. Throws E_USAGE for both. */
export function parseImportMode(options: Readonly<Record<string, unknown>>): "merge" | "replace" | undefined {
  if (options["merge"] === true && options["replace"] === true) {
    throw new SealtreeError("E_USAGE", "--merge and --replace exclude each other", { hints: ["give one of the two"] });
  }
  if (options["merge"] === true) return "merge";
  return options["replace"] === true ? "replace" : undefined;
}

function parseInputFormat(option: unknown): InputFormat | undefined {
  if (option === undefined) return undefined;
  const format = inputFormats.find((known) => known === option);
  if (format !== undefined) return format;
  throw new SealtreeError("E_USAGE", "the format cannot be read", { hints: [`one of ${inputFormats.join(", ")}`] });
}

function findFormat(file: string | undefined): InputFormat | undefined {
  const name = basename(file ?? "").toLowerCase();
  if (name.endsWith(".json")) return "json";
  if (/\.ya?ml$/.test(name)) return "yaml";
  return /^\.env(?:\..+)?$|\.env$/.test(name) ? "dotenv" : undefined;
}

function decodeInput(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "the input is not UTF-8");
  return text;
}
