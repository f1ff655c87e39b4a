import { commonOptions, type CommandModule, type OptionSpec } from "./command.ts";
import { commands, groups, type CommandEntry } from "./program.ts";

interface Entry {
  readonly name: string;
  readonly entry: CommandEntry;
  readonly module: CommandModule;
}

const kindNotes = {
  read: "the options of reading",
  write: "the options of writing",
  both: "the options of reading and of writing",
  plain: "",
} as const;

/** The reference of all commands as a Markdown page, made of what `--help` shows; hidden ones are left out. */
export async function printCommandReference(): Promise<string> {
  const listed = Object.entries(commands).filter(([, { isHidden }]) => isHidden !== true);
  const entries = await Promise.all(
    listed.map(async ([name, entry]): Promise<Entry> => ({ name, entry, module: await entry.load() })),
  );
  const byGroup = groups
    .map((group) => ({ group, members: entries.filter(({ entry }) => entry.group === group) }))
    .filter(({ members }) => members.length > 0);
  const blocks = [
    "# Commands",
    "<!-- Written by `npm run docs`; change the command instead. -->",
    "`sealtree COMMAND --help` shows the same. An address is `SCOPE/NAME`, such as `prod/api/STRIPE_KEY`. What every failure means is in [Errors](errors.md).",
    byGroup.map(({ group, members }) => `- ${group}: ${members.map(link).join(", ")}`).join("\n"),
    "## Options of many commands",
    `Every command: the data is on stdout, words are on stderr.\n\n${optionTable(commonOptions.all)}`,
    `Reading:\n\n${optionTable(commonOptions.read)}`,
    `Writing:\n\n${optionTable(commonOptions.write)}`,
    ...byGroup.flatMap(({ group, members }) => [`## ${group}`, ...members.flatMap(section)]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function link({ name }: Entry): string {
  return `[${name}](#sealtree-${name.replaceAll(" ", "-")})`;
}

function section({ name, entry, module }: Entry): string[] {
  const usage = ["sealtree", name, "[options]", module.arguments].filter((word) => word !== "").join(" ");
  const tail = module.passesThrough === true ? " -- <command...>" : "";
  const aliases = entry.aliases === undefined ? "" : ` Also called ${entry.aliases.map(code).join(", ")}.`;
  const note = kindNotes[module.kind];
  return [
    `### sealtree ${name}`,
    `${sentence(entry.summary)}${aliases}`,
    fence([`${usage}${tail}`]),
    plain(module.description),
    ...(module.options.length === 0 ? [] : [optionTable(module.options)]),
    ...(note === "" ? [] : [`And [${note}](#options-of-many-commands).`]),
    fence(module.examples.flatMap(({ command, description }) => [`# ${description}`, command])),
    `With \`--json\`:`,
    fence([module.json]),
  ];
}

function optionTable(options: readonly OptionSpec[]): string {
  const rows = options.map(({ flags, description }) => `| ${code(flags)} | ${plain(description)} |`);
  return ["| option | what it does |", "| --- | --- |", ...rows].join("\n");
}

function sentence(summary: string): string {
  return plain(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
}

/** Text that Markdown takes for nothing else, in a table too. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]|]/g, (character) => `\\${character}`);
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

function fence(lines: readonly string[]): string {
  return ["```", ...lines, "```"].join("\n");
}
