import { exitCodes, SealtreeError } from "../errors.ts";
import { suggest } from "../secret/suggest.ts";
import type { Io } from "./io.ts";
import { table } from "./present.ts";
import { findCommand } from "./find-command.ts";
import { commands, groups } from "./program.ts";

/**
 * `sealtree`, `sealtree --help`, `sealtree help [command]`. Any other words are an unknown
 * command: throws E_USAGE with the nearest one, without repeating what was typed.
 */
export async function showHelp(words: readonly string[], io: Io): Promise<number> {
  const [first] = words;
  if (first === undefined || first === "--help" || first === "-h" || (first === "help" && words.length === 1)) {
    io.stdout.write(`${overview()}\n`);
    return first === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const found = first === "help" ? findCommand(words.slice(1)) : undefined;
  if (found !== undefined) {
    const { buildCommand } = await import("./parse-line.ts");
    const command = buildCommand(found.name, found.entry, await found.entry.load());
    command.configureOutput({ writeOut: (text) => io.stdout.write(text) }).outputHelp();
    return exitCodes.ok;
  }
  throw unknownCommand(words);
}

function unknownCommand(words: readonly string[]): SealtreeError {
  const inGroup = Object.keys(commands).filter((name) => name.startsWith(`${words[0] ?? ""} `));
  if (inGroup.length > 0) {
    return new SealtreeError("E_USAGE", `${words[0] ?? ""} needs one of its commands`, {
      hints: inGroup.map((name) => `sealtree ${name}`),
    });
  }
  const names = Object.entries(commands).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])]);
  return new SealtreeError("E_USAGE", "there is no such command", {
    hints: [...suggest(words[0] === "help" ? (words[1] ?? "") : (words[0] ?? ""), names), "sealtree --help lists them"],
  });
}

function overview(): string {
  const lines = ["Secrets sealed in your own git tree.", "", "Usage: sealtree <command> [options]", ""];
  const entries = Object.entries(commands).filter(([, entry]) => entry.isHidden !== true);
  const width = Math.max(...entries.map(([name]) => name.length));
  for (const group of groups) {
    const rows = entries
      .filter(([, entry]) => entry.group === group)
      .map(([name, entry]) => [`  ${name.padEnd(width)}`, aliasText(entry.summary, entry.aliases)]);
    if (rows.length > 0) lines.push(`${group}:`, ...table(rows), "");
  }
  lines.push("sealtree <command> --help shows options and examples; sealtree --version the version.");
  return lines.join("\n");
}

function aliasText(summary: string, aliases: readonly string[] | undefined): string {
  return aliases === undefined ? summary : `${summary} (${aliases.join(", ")})`;
}
