import { commands, type CommandEntry } from "./program.ts";

export interface FoundCommand {
  readonly name: string;
  readonly entry: CommandEntry;
  /** How many words named it. */
  readonly length: number;
}

/** The command that `words` begin with: its name and how many words name it; undefined when there is none. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const length of [2, 1]) {
    if (words.length < length) continue;
    const typed = words.slice(0, length).join(" ");
    for (const [name, entry] of Object.entries(commands)) {
      if (name === typed || entry.aliases?.includes(typed)) return { name, entry, length };
    }
  }
  return undefined;
}
