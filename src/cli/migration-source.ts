import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Identity } from "../crypto/identity.ts";
import { errnoOf, hasCode, SealtreeError, usageError } from "../errors.ts";
import { type SourceContents, type SourceSystem, sourceSystems } from "../migrate/source-values.ts";
import { isProviderFailure, type ProviderFailure } from "../net/provider-failure.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { withLine } from "../values/input-line.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";
import { readPlaintextInput } from "./plaintext-input.ts";
import { readInputFile, readStdin } from "./value-input.ts";

/** The options of reading another system. */
export const migrationOptions: readonly OptionSpec[] = [
  { flags: "--from <system>", description: `${sourceSystems.join(", ")}: move from it, with a report` },
  { flags: "--keys <path>", description: "the other system's private keys: a file, ejson's folder, or - for stdin" },
  { flags: "--prefix <text>", description: "with --from: put before every name" },
  { flags: "--dots <how>", description: "with --from: keep (a.b.0) or underscore (a_b_0) for what is nested" },
  { flags: "--comments", description: "with --from: keep private comments too, which then stand in the open" },
  { flags: "--as-written", description: "with --from dotenvx: keep $NAME and $(command) in values as text" },
  { flags: "--markdown", description: "with --from: print the report as Markdown" },
];

const maxSourceBytes = 8 * 1024 * 1024;
const maxKeyBytes = 64 * 1024;

type Options = Readonly<Record<string, unknown>>;

/** The system of `--from`. Throws E_USAGE for one that is not known. */
export function parseSystem(text: unknown): SourceSystem {
  const system = sourceSystems.find((known) => known === text);
  if (system !== undefined) return system;
  throw usageError("that system cannot be read", `one of ${sourceSystems.join(", ")}`);
}

/**
 * All that is at `place`, a file, a path in Vault or a secret's name; stdin for `-` and none. Throws what
 * the reader of the system throws, with the line of a text.
 */
export async function readSource(
  context: Context,
  system: SourceSystem,
  place: string | undefined,
  options: Options,
): Promise<SourceContents> {
  const file = place === "-" ? undefined : place;
  if (options["format"] !== undefined && system !== "sops") {
    throw usageError("--format does not go with this --from", "only the files of sops have several formats");
  }
  try {
    if (system === "vault" || system === "aws-secrets-manager") return await readService(context, system, file);
    if (system === "sops") return await readSopsFile(context, file, options);
    if (system === "dotenvx") return await readDotenvxFile(context, file, options);
    if (system === "ejson") return await readEjsonFile(context, file, options);
    const { readPlain } = await import("../migrate/read-plain.ts");
    const { text } = await readPlaintextInput(context, file, { ...options, format: system });
    return readPlain(text, system);
  } catch (error) {
    if (isProviderFailure(error)) throw sayFailure(system, error);
    throw withLine(error, "the source");
  }
}

function sayFailure(system: SourceSystem, { class: kind, message, hints }: ProviderFailure): SealtreeError {
  return new SealtreeError("E_PROVIDER", `${system} (${kind}): ${message}`, { hints });
}

async function readService(
  context: Context,
  system: "vault" | "aws-secrets-manager",
  place: string | undefined,
): Promise<SourceContents> {
  const world = { env: context.io.env, random: context.session.random, now: () => context.session.now() };
  if (system === "vault") {
    if (place === undefined)
      throw usageError("nothing is named to read", "name the mount and the path in it, such as secret/apps/api");
    const { readVault } = await import("../migrate/read-vault.ts");
    return await readVault(place, world);
  }
  if (place === undefined) throw usageError("nothing is named to read", "name the secret, such as prod/api");
  const { readAwsSecret } = await import("../migrate/read-aws-secret.ts");
  return await readAwsSecret(place, world);
}

async function readSopsFile(context: Context, file: string | undefined, options: Options): Promise<SourceContents> {
  const { formatOfName, parseSopsFile, sopsFormats } = await import("../migrate/sops-file.ts");
  const { findSopsIdentities } = await import("../migrate/sops-key.ts");
  const { readSops } = await import("../migrate/read-sops.ts");
  const asked = options["format"];
  const known = sopsFormats.find((format) => format === asked);
  if (asked !== undefined && known === undefined)
    throw usageError("the format cannot be read", `one of ${sopsFormats.join(", ")}`);
  const sops = parseSopsFile(await readBytes(context, file), known ?? formatOfName(file ?? ""));
  const keys = keysOf(options);
  const own = await ownIdentities(context);
  const path = keys === undefined ? undefined : resolve(context.directory, keys);
  const { io, askPassphrase } = context;
  const reading = { env: io.env, askPassphrase, plugins: () => context.session.plugins() };
  const theirs = await findSopsIdentities(reading, path);
  return await readSops(sops, [...theirs, ...own], basename(file ?? "data"));
}

/** Somebody who moves in may have a key of the other system only. */
async function ownIdentities(context: Context): Promise<readonly Identity[]> {
  try {
    return await context.session.identities();
  } catch (error) {
    if (hasCode(error, "E_NO_IDENTITY")) return [];
    throw error;
  }
}

async function readDotenvxFile(context: Context, file: string | undefined, options: Options): Promise<SourceContents> {
  const { findDotenvxKeys, readDotenvx } = await import("../migrate/read-dotenvx.ts");
  const text = readText(await readBytes(context, file));
  const named = keysOf(options);
  const beside = join(dirname(resolve(context.directory, file ?? ".env")), ".env.keys");
  const keysText = named === undefined ? readIfThere(beside) : readText(readInputFile(context, named, maxKeyBytes));
  const keys = findDotenvxKeys(context.io.env, keysText);
  return readDotenvx(text, keys, options["asWritten"] === true ? "keep" : "resolve");
}

async function readEjsonFile(context: Context, file: string | undefined, options: Options): Promise<SourceContents> {
  const { ejsonFolder, readEjson } = await import("../migrate/read-ejson.ts");
  const keys = keysOf(options);
  if (keys === "-") {
    if (file === undefined) throw usageError("stdin cannot be both the file and its key", "name the file");
    const text = readText(readInputFile(context, file, maxSourceBytes));
    return readEjson(text, { from: "text", text: readText(await readStdin(context, maxKeyBytes)) });
  }
  const folder = resolve(context.directory, keys ?? ejsonFolder(context.io.env));
  return readEjson(readText(await readBytes(context, file)), { from: "folder", folder });
}

async function readBytes(context: Context, file: string | undefined): Promise<Buffer> {
  if (file !== undefined) return readInputFile(context, file, maxSourceBytes);
  if (context.io.stdin.isTTY === true)
    throw usageError("there is nothing to read", "name a file, or pipe the input in");
  return await readStdin(context, maxSourceBytes);
}

function keysOf(options: Options): string | undefined {
  return typeof options["keys"] === "string" ? options["keys"] : undefined;
}

function readText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "the source is not UTF-8");
  return text;
}

function readIfThere(path: string): string | undefined {
  try {
    return readText(readFileSync(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
