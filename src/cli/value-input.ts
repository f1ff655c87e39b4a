import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import { maxValueBytes } from "../crypto/frame.ts";
import { Secret } from "../secret/secret.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";

/** Where a value may come from; the same options in every command that takes one. */
export const valueOptions: readonly OptionSpec[] = [
  { flags: "--stdin", description: "read the value from stdin, bytes as they are" },
  { flags: "--from-file <path>", description: "read the value from a file, bytes as they are" },
  {
    flags: "--from-json <pointer>",
    description: "take one string of a JSON document on stdin, by JSON pointer, such as /data/password",
  },
  {
    flags: "--generate <spec>",
    description:
      "make the value: password, passphrase, numeric, hex, base64, base64url, uuid, a key pair (ed25519, x25519, ecdsa, rsa, ssh, age), certificate or csr, with options as in password:length=40",
  },
  { flags: "--binary", description: "keep the value as binary even if it is text" },
];

/**
 * The value that the options name, or that is typed at a hidden prompt. Without an option
 * and without a terminal stdin is read, less one trailing newline. Throws E_USAGE for two sources, E_VALUE_TOO_LARGE, E_INPUT_INVALID.
 */
export async function readValue(
  context: Context,
  options: Readonly<Record<string, unknown>>,
  question: string,
): Promise<Secret> {
  const sources = ["stdin", "fromFile", "fromJson", "generate"].filter((key) => options[key] !== undefined);
  if (sources.length > 1)
    throw new SealtreeError("E_USAGE", "the value can come from one place only", {
      hints: ["give one of --stdin, --from-file, --from-json, --generate"],
    });
  const secret = await readFrom(context, options, question);
  return options["binary"] === true ? Secret.of(secret.reveal(), "binary") : secret;
}

async function readFrom(
  context: Context,
  options: Readonly<Record<string, unknown>>,
  question: string,
): Promise<Secret> {
  const { stdin, fromFile, fromJson, generate } = options;
  if (typeof generate === "string") {
    const { generateValue, parseGeneratorSpec } = await import("../rotation/generator-spec.ts");
    return await generateValue(parseGeneratorSpec(generate), context.session);
  }
  if (typeof fromFile === "string") return Secret.fromBytes(readInputFile(context, fromFile));
  if (typeof fromJson === "string") return pickFromJson(await readStdin(context), fromJson);
  if (stdin === true) return Secret.fromBytes(await readStdin(context));
  if (context.isInteractive) return Secret.text(await context.askHidden(question));
  if (context.options.nonInteractive || context.io.stdin.isTTY === true) {
    throw new SealtreeError("E_NEEDS_TERMINAL", "a value is needed, and nobody can be asked here", {
      hints: ["give it with --stdin, --from-file or --generate"],
    });
  }
  return Secret.fromBytes(withoutNewline(await readStdin(context)));
}

/** All of stdin. Throws E_VALUE_TOO_LARGE beyond `maxBytes`. */
export async function readStdin(context: Context, maxBytes: number = maxValueBytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of context.io.stdin) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** A file named on the command line. Throws E_FILE_NOT_FOUND, E_IO, E_VALUE_TOO_LARGE. */
export function readInputFile(context: Context, path: string, maxBytes: number = maxValueBytes): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(context.directory, path));
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (code === "ENOENT")
      throw new SealtreeError("E_FILE_NOT_FOUND", "the file to read is not there", { cause: error });
    throw new SealtreeError("E_IO", `the file cannot be read (${code})`, { cause: error });
  }
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function pickFromJson(bytes: Buffer, pointer: string): Secret {
  const invalid = (what: string) =>
    new SealtreeError("E_INPUT_INVALID", what, { hints: ["a JSON pointer names one string, such as /data/password"] });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid("stdin is not JSON");
  }
  if (pointer !== "" && !pointer.startsWith("/")) throw invalid("a JSON pointer begins with /");
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key))
      throw invalid("the JSON document has nothing at that pointer");
    value = (value as Record<string, unknown>)[key];
  }
  if (typeof value !== "string") throw invalid("what the pointer names is not a string");
  return Secret.text(value);
}

function withoutNewline(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 10) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 13 ? -2 : -1);
}

function tooLarge(maxBytes: number): SealtreeError {
  return new SealtreeError("E_VALUE_TOO_LARGE", `the input has more than ${maxBytes} bytes`, {
    hints: [`a value has at most ${maxValueBytes} bytes; keep larger files elsewhere and seal their key`],
  });
}
