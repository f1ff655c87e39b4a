import { SealtreeError } from "../errors.ts";

/** A value as it stands between its quotes. */
export interface WrittenValue {
  readonly name: string;
  readonly quote: "'" | '"' | "`" | "";
  readonly text: string;
}

/** A value as dotenvx gives it, and the names it was made of, if any. */
export interface ExpandedValue {
  readonly value: string;
  readonly uses: readonly string[] | undefined;
}

const expression = /(?<!\\)\$\{([^{}]+)\}|(?<!\\)\$([A-Za-z_][A-Za-z0-9_]*)/g;
const command = /\$\([^()]+\)/;
const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The values of a .env file with the names of others in it resolved, as dotenvx does it outside of
 * single quotes: only names that stand above in the same file, and no operators. What would run a command or
 * ask the environment is E_INPUT_INVALID for all such values at once, with their names: nothing is run.
 */
export function expandDotenvx(values: readonly WrittenValue[]): Map<string, ExpandedValue> {
  const done = new Map<string, ExpandedValue>();
  const refused: string[] = [];
  for (const { name, quote, text } of values) {
    const expanded = quote === "'" ? { value: text, uses: undefined } : expand(text, done);
    if (expanded === undefined) refused.push(name);
    else done.set(name, expanded);
  }
  if (refused.length === 0) return done;
  throw new SealtreeError(
    "E_INPUT_INVALID",
    `${refused.length} values name a command, or a variable that is not above them in the file`,
    {
      hints: [
        ...refused.slice(0, 20).map((name) => `${name}: what it becomes depends on where dotenvx runs`),
        "write what it is to be in single quotes and seal it again, or take the texts as they are: --as-written",
      ],
    },
  );
}

function expand(text: string, done: ReadonlyMap<string, ExpandedValue>): ExpandedValue | undefined {
  if (command.test(text)) return undefined;
  const uses = new Set<string>();
  let isWhole = true;
  const value = text.replace(expression, (_match, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare ?? "";
    const found = done.get(name)?.value;
    // A dollar sign in what is put in would be read again.
    if (!plainName.test(name) || found === undefined || found.includes("$")) {
      isWhole = false;
      return "";
    }
    uses.add(name);
    return found;
  });
  if (!isWhole) return undefined;
  return { value: value.replaceAll("\\$", "$"), uses: uses.size === 0 ? undefined : [...uses] };
}
