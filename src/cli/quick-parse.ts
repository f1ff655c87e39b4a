import { commonOptionsOf, toCommonOptions, type CommandModule, type OptionSpec, type ParsedLine } from "./command.ts";

interface KnownOption {
  readonly key: string;
  readonly takesValue: boolean;
  readonly repeats: boolean;
  /** What its presence means, when it takes no value: false for `--no-...`. */
  readonly meaning: boolean;
}

const flagsPattern = /^(?:-([A-Za-z])(?:, )?)?(?:--(no-)?([a-z][a-z0-9-]*))?( <[^>.]+>)?$/;

/**
 * Parses a plain, correct command line without loading commander, which costs a tenth of a
 * start. Gives what {@link parseLine} gives, or undefined for all that is not plain: help,
 * mistakes, and rare forms are left to it.
 */
export function quickParse(module: CommandModule, words: readonly string[]): ParsedLine | undefined {
  const known = readOptions([...module.options, ...commonOptionsOf(module.kind)]);
  const options: Record<string, unknown> = {};
  for (const { key, meaning } of known.values()) if (!meaning) options[key] = true;
  const end = module.passesThrough === true ? words.indexOf("--") : -1;
  const own = end < 0 ? words : words.slice(0, end);
  const args: string[] = [];
  for (let index = 0; index < own.length; index++) {
    const word = own[index] ?? "";
    if (!word.startsWith("-") || word === "-") {
      args.push(word);
      continue;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const option = known.get(equals < 0 ? word : word.slice(0, equals));
    if (option === undefined || (equals >= 0 && !option.takesValue)) return undefined;
    const value = equals >= 0 ? word.slice(equals + 1) : option.takesValue ? own[(index += 1)] : option.meaning;
    if (value === undefined || (typeof value === "string" && equals < 0 && value.startsWith("-"))) return undefined;
    options[option.key] = option.repeats ? [...((options[option.key] as string[]) ?? []), value] : value;
  }
  if (!fits(module.arguments, args.length)) return undefined;
  return { args: [...args, ...words.slice(own.length)], options, common: toCommonOptions(options) };
}

/** Options by each of their spellings, without those of a form that is not read here. */
function readOptions(specs: readonly OptionSpec[]): ReadonlyMap<string, KnownOption> {
  const known = new Map<string, KnownOption>();
  for (const { flags, repeats = false } of specs) {
    const match = flagsPattern.exec(flags);
    if (match === null) continue;
    const [, short, no, long, value] = match;
    const key = (long ?? short ?? "").replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const option = { key, takesValue: value !== undefined, repeats, meaning: no === undefined };
    if (short !== undefined) known.set(`-${short}`, option);
    if (long !== undefined) known.set(`--${no ?? ""}${long}`, option);
  }
  return known;
}

function fits(declared: string, given: number): boolean {
  const all = declared.split(" ").filter((text) => text !== "");
  const required = all.filter((text) => text.startsWith("<")).length;
  const isVariadic = all.some((text) => text.includes("..."));
  return given >= required && (isVariadic || given <= all.length);
}
