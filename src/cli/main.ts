import { exitCodes, SealtreeError } from "../errors.ts";
import type { CommandModule, ParsedLine } from "./command.ts";
import type { Io } from "./io.ts";
import { findCommand, type FoundCommand } from "./find-command.ts";
import { isVersionRequest, version } from "./version.ts";

/**
 * Runs one command line and gives its exit status. Writes only to `io`; never exits, and
 * never lets a failure out as anything but words on stderr.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    if (isVersionRequest(argv)) {
      io.stdout.write(`${version}\n`);
      return exitCodes.ok;
    }
    return await runLine(argv, io);
  } catch (error) {
    const { reportError } = await import("./report-error.ts");
    return reportError(error, io, { json: wantsJson(argv) });
  }
}

async function runLine(argv: readonly string[], io: Io): Promise<number> {
  refuseNodeOption(argv);
  const split = splitGlobals(argv);
  const found = findCommand(split.words);
  if (found === undefined || split.words[0] === "help") {
    const { showHelp } = await import("./help.ts");
    return await showHelp(split.words, io);
  }
  const module = await found.entry.load();
  const words = [...split.globals, ...split.words.slice(found.length)];
  const { quickParse } = await import("./quick-parse.ts");
  const line = quickParse(module, words) ?? (await parseSlowly(found, module, words, io));
  if (line === undefined) return exitCodes.ok;
  return await runCommand(found.name, module, line, io);
}

async function parseSlowly(
  found: FoundCommand,
  module: CommandModule,
  words: readonly string[],
  io: Io,
): Promise<ParsedLine | undefined> {
  const { parseLine } = await import("./parse-line.ts");
  return parseLine(found.name, found.entry, module, words, io);
}

async function runCommand(name: string, module: CommandModule, line: ParsedLine, io: Io): Promise<number> {
  const { withContext } = await import("./with-context.ts");
  const code = await withContext(io, line.common, name, async (context) =>
    module.run(context, line.args, line.options),
  );
  return code ?? exitCodes.ok;
}

/**
 * Node takes `--env-file` for its own wherever it stands before two dashes, and has followed a
 * NODE_OPTIONS in the file by now. Throws E_USAGE, so that nobody makes a habit of it.
 */
function refuseNodeOption(argv: readonly string[]): void {
  const end = argv.indexOf("--");
  const own = argv.slice(0, end < 0 ? argv.length : end);
  if (!own.some((word) => /^--env-file(?:-if-exists)?(?:=|$)/.test(word))) return;
  throw new SealtreeError("E_USAGE", "Node reads --env-file itself, before sealtree begins", {
    hints: ["take the option of sealtree: sealtree run --dotenv FILE -- COMMAND"],
  });
}

/** Options may stand before the command; -C takes a word along. */
function splitGlobals(argv: readonly string[]): { globals: string[]; words: string[] } {
  const globals: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--help" || word === "-h" || !word.startsWith("-") || word === "--") break;
    globals.push(word);
    if (word === "-C") globals.push(argv[(index += 1)] ?? missingDirectory());
  }
  return { globals, words: argv.slice(index) };
}

function missingDirectory(): never {
  throw new SealtreeError("E_USAGE", "-C needs a directory", { hints: ["sealtree -C DIR COMMAND"] });
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
}
