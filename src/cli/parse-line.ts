import { Command, CommanderError, Option } from "commander";
import { SealtreeError } from "../errors.ts";
import { commonOptionsOf, toCommonOptions, type CommandModule, type ParsedLine } from "./command.ts";
import type { Io } from "./io.ts";
import type { CommandEntry } from "./program.ts";

/**
 * Parses the words after a command. Undefined when help was asked for and shown. Throws
 * E_USAGE, which never repeats a word of the line: somebody may have typed a value there.
 */
export function parseLine(
  name: string,
  entry: CommandEntry,
  module: CommandModule,
  words: readonly string[],
  io: Io,
): ParsedLine | undefined {
  const command = buildCommand(name, entry, module);
  const end = module.passesThrough === true ? words.indexOf("--") : -1;
  const own = end < 0 ? words : words.slice(0, end);
  command.configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined });
  try {
    command.parse([...own], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help") return undefined;
    throw commanderError(name, error, command);
  }
  const options = command.opts<Record<string, unknown>>();
  return { args: [...command.args, ...words.slice(own.length)], options, common: toCommonOptions(options) };
}

/** The commander command of a module, for parsing and for its help. */
export function buildCommand(name: string, entry: CommandEntry, module: CommandModule): Command {
  const command = new Command(`sealtree ${name}`)
    .exitOverride()
    .description(`${entry.summary}\n\n${module.description}`);
  for (const argument of module.arguments.split(" ").filter((text) => text !== "")) command.argument(argument);
  for (const { flags, description, repeats } of [...module.options, ...commonOptionsOf(module.kind)]) {
    const option = new Option(flags, description);
    if (repeats === true)
      option.argParser<readonly string[] | undefined>((value, previous) => [...(previous ?? []), value]);
    command.addOption(option);
  }
  if (module.passesThrough === true) command.usage(`[options] ${module.arguments} -- <command> [args...]`);
  const width = Math.max(...module.examples.map((example) => example.command.length));
  const examples = module.examples.map((example) => `  ${example.command.padEnd(width)}  # ${example.description}`);
  return command.addHelpText("after", () => `\nExamples:\n${examples.join("\n")}\n\nJSON:\n  ${module.json}\n`);
}

function commanderError(name: string, error: CommanderError, command: Command): SealtreeError {
  const help = `sealtree ${name} --help shows how`;
  const usage = `usage: ${command.name()} ${command.usage()}`;
  switch (error.code) {
    case "commander.unknownOption": {
      const meant = /\(Did you mean (--[a-z-]+)\?\)/.exec(error.message)?.[1];
      return new SealtreeError("E_USAGE", "an option is not known", {
        hints: [...(meant === undefined ? [] : [`did you mean ${meant}?`]), help],
      });
    }
    case "commander.excessArguments":
      return new SealtreeError("E_USAGE", "too many arguments; a value is never an argument", { hints: [usage, help] });
    case "commander.missingArgument":
      return new SealtreeError("E_USAGE", "an argument is missing", { hints: [usage, help] });
    case "commander.optionMissingArgument":
      return new SealtreeError("E_USAGE", "an option needs a value", { hints: [help] });
    default:
      return new SealtreeError("E_USAGE", "the command line is not understood", { hints: [usage, help] });
  }
}
