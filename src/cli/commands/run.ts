import { accessSync, constants, existsSync, statSync } from "node:fs";
import { basename, delimiter, resolve } from "node:path";
import { Writable } from "node:stream";
import { SealtreeError, usageError } from "../../errors.ts";
import type { EnvFileValues } from "../../resolve/env-file.ts";
import { refusedName } from "../../resolve/refused-names.ts";
import { runChild } from "../../resolve/run-child.ts";
import { parseScopePath, printAddress } from "../../secret/address.ts";
import { decodeUtf8 } from "../../secret/utf8.ts";
import { byVariable } from "../../values/select-secrets.ts";
import { auditReads } from "../audit-reads.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import type { OutputStream } from "../io.ts";
import { parseNameList } from "../name-list.ts";
import { auditOpened, openValues } from "../open-values.ts";
import { readInputFile } from "../value-input.ts";

const maxEnvFileBytes = 8 * 1024 * 1024;

export const run: CommandModule = {
  arguments: "[scopes...]",
  kind: "read",
  passesThrough: true,
  description:
    "Runs a command with the secrets of the scopes as environment variables, and passes its exit status and signals through. Dotted and dashed names become UPPER_SNAKE. A .env file gives names and values of its own, with references such as ${secret:prod/api/STRIPE_KEY}; it goes before the scopes, they go before the present environment, and a later file before an earlier one. Values are masked in the output unless it is a terminal.",
  options: [
    {
      flags: "--dotenv <file>",
      description: "take names and values from a .env file, references resolved; may be given several times",
      repeats: true,
    },
    { flags: "--only <names>", description: "of the scopes hand over these names only, joined by commas" },
    { flags: "--allow-name <names>", description: "hand over names that change how programs load, such as PATH" },
    { flags: "--no-mask", description: "leave the output as it is" },
    { flags: "--mask", description: "mask also where the output is a terminal" },
  ],
  examples: [
    { command: "sealtree run prod/api -- node server.js", description: "a server with its secrets" },
    { command: "sealtree run --dotenv .env -- npm start", description: "what a .env file refers to" },
    { command: "sealtree run prod/api prod/db --only DATABASE_URL -- psql", description: "one value of two scopes" },
  ],
  json: "nothing of its own: stdout is the command's; a failure before it starts is JSON on stderr",
  async run(context, args, options) {
    context.about({ operation: "run" });
    const end = args.indexOf("--");
    const [command, ...commandArgs] = end < 0 ? [] : args.slice(end + 1);
    if (command === undefined) {
      throw new SealtreeError("E_USAGE", "there is no command to run", {
        hints: ["put it after two dashes: sealtree run SCOPE -- COMMAND"],
      });
    }
    const scopes = args.slice(0, end).map(parseScopePath);
    if (scopes.length === 1 && scopes[0] !== undefined) context.about({ operation: "run", scope: scopes[0] });
    const files = (options["dotenv"] as readonly string[] | undefined) ?? [];
    if (scopes.length === 0) checkHasFiles(files, options["only"]);
    const selected = scopes.length === 0 ? [] : await openValues(context, scopes, parseNameList(options["only"]));
    const variables = byVariable(selected);
    const allowed = parseVariables(options["allowName"]);
    checkNames(
      [...variables].map(([variable, { address }]) => [variable, printAddress(address)]),
      allowed,
    );
    const given = files.length === 0 ? undefined : await readEnvFiles(context, files, allowed);
    auditOpened(context, "run", selected);
    auditReads(context, "run", given?.opened ?? []);
    const { env, stdin, stdout, stderr } = context.io;
    const status = await runChild({
      command,
      args: commandArgs,
      directory: context.directory,
      environment: env,
      secrets: new Map([
        ...[...variables].map(([variable, { secret }]) => [variable, secret] as const),
        ...[...(given?.variables ?? [])].map(([variable, { value }]) => [variable, value] as const),
      ]),
      masked: [...selected.flatMap(({ secret, parts }) => [secret, ...parts]), ...(given?.secret ?? [])],
      masking: options["mask"] === false ? "off" : "on",
      stdout: toStream(stdout, options["mask"] === true),
      stderr: toStream(stderr, options["mask"] === true),
      signals: process,
      stdin: stdin.isTTY === true ? "terminal" : "other",
    });
    if (status === 126 || status === 127) explainStart(context, command, status);
    return status;
  },
};

/** Says why nothing ran. A command that did run and ended with the same status has spoken for itself. */
function explainStart(context: Context, command: string, status: number): void {
  const folders = command.includes("/") ? [""] : (context.io.env["PATH"] ?? "").split(delimiter);
  const paths = folders.map((folder) => resolve(context.directory, folder, command));
  if (status === 127 && !paths.some((path) => existsSync(path)))
    context.say("sealtree: error: the command is not found");
  if (status === 126 && !paths.some(isExecutable)) context.say("sealtree: error: the command cannot be executed");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function parseVariables(option: unknown): readonly string[] {
  return typeof option === "string" ? option.split(",").map((text) => text.trim()) : [];
}

function checkHasFiles(files: readonly string[], only: unknown): void {
  if (files.length === 0)
    throw usageError(
      "there are no secrets to run it with",
      "name a scope, or --dotenv FILE: sealtree run SCOPE -- COMMAND",
    );
  if (only !== undefined) throw usageError("--only chooses from scopes, and there is none", "name a scope");
}

/** The .env files of the command line. */
async function readEnvFiles(
  context: Context,
  paths: readonly string[],
  allowed: readonly string[],
): Promise<EnvFileValues> {
  const { resolveEnvFiles } = await import("../../resolve/env-file.ts");
  const files = paths.map((path) => {
    const text = decodeUtf8(readInputFile(context, path, maxEnvFileBytes));
    if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "the .env file is not UTF-8");
    return { name: basename(path), text };
  });
  const given = await resolveEnvFiles(
    files,
    () => context.tree(),
    () => context.session.identities(),
  );
  checkNames(
    [...given.variables].map(([variable, { file }]) => [variable, `${variable} of ${file}`]),
    allowed,
  );
  return given;
}

/** `names` are variables, each with what it is in words. */
function checkNames(names: readonly (readonly [variable: string, what: string])[], allowed: readonly string[]): void {
  for (const [variable, what] of names) {
    const reason = allowed.includes(variable) ? undefined : refusedName(variable);
    if (reason === undefined) continue;
    throw new SealtreeError("E_NAME_REFUSED", `${what} is not handed over as ${variable}: ${reason}`, {
      hints: [`if it is meant: --allow-name ${variable}; otherwise leave it out`],
    });
  }
}

/** A stream without a descriptor where the child must not write by itself. */
function toStream(
  stream: OutputStream,
  mustMask: boolean,
): Writable & { readonly fd?: number; readonly isTTY?: boolean } {
  const real = mustMask ? undefined : stream.stream?.();
  if (real !== undefined) return real;
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      stream.write(chunk);
      done();
    },
  });
}
