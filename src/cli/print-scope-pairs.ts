import type { ReaderChange } from "../history/compare-readers.ts";
import type { NamePair, ScopePair } from "../history/compare-scopes.ts";
import type { Context } from "./context.ts";
import { isEqual, sayOpened, type OpenedSides } from "./diff-values.ts";
import { table, type Style } from "./present.ts";
import { readerJson, sayState, stateJson } from "./print-diff.ts";

/** What is known of a name in two scopes; `equal` and `different` take a key. */
export type PairState = "left" | "right" | "both" | "same" | "equal" | "different";

const marks = {
  left: ["-", "red"],
  right: ["+", "green"],
  both: [" ", "dim"],
  same: ["=", "dim"],
  equal: ["=", "dim"],
  different: ["~", "yellow"],
} as const satisfies Record<PairState, readonly [string, Style]>;

/** What is known of a pair, with what was opened to compare it. */
export function stateOf({ where, left, right }: NamePair, compared: OpenedSides | undefined): PairState {
  if (compared === undefined || left === undefined || right === undefined || where === "same") return where;
  const equal = isEqual(compared, left.record, right.record);
  return equal === undefined ? "both" : equal ? "equal" : "different";
}

/** Prints two scopes, or the scopes of two folders, side by side. */
export function printScopePairs(
  context: Context,
  pairs: readonly ScopePair[],
  { opened, compared }: { readonly opened: OpenedSides; readonly compared: OpenedSides | undefined },
): void {
  for (const { left, right, names, readers } of pairs) {
    context.line(context.paint("bold", `${left} -> ${right}`));
    const states = names.map((pair) => stateOf(pair, compared));
    const rows = names.map((pair, index) => cells(context, pair, { state: states[index] ?? "both", left, right }));
    for (const [index, line] of table(rows).entries()) {
      context.line(`  ${line}`);
      const pair = names[index];
      const [old, now] = [sayOpened(opened, pair?.left?.record), sayOpened(opened, pair?.right?.record)];
      if (old !== undefined) context.line(`      ${context.paint("red", `- ${old}`)}`);
      if (now !== undefined) context.line(`      ${context.paint("green", `+ ${now}`)}`);
    }
    for (const reader of readers) context.line(`  ${sayReader(context, reader, { left, right })}`);
  }
  const all = pairs.flatMap(({ names }) => names.map((pair) => stateOf(pair, compared)));
  const amount = (state: PairState) => all.filter((each) => each === state).length;
  const parts: readonly (readonly [number, string])[] = [
    [amount("left"), "only on the left"],
    [amount("right"), "only on the right"],
    [amount("both"), "on both sides"],
    [amount("same"), "with the same value by its id"],
    [amount("equal"), "with equal values"],
    [amount("different"), "with different values"],
  ];
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  context.say(said.length === 0 ? "no secrets" : said.join(", "));
  if (amount("both") > 0 && compared === undefined)
    context.say("whether values are equal only a key can tell: --compare");
}

/** The same as `--json` has it. */
export function pairsJson(pairs: readonly ScopePair[], opened: OpenedSides, compared: OpenedSides | undefined) {
  return pairs.map(({ left, right, names, readers }) => ({
    left,
    right,
    secrets: names.map((pair) => ({
      name: pair.name,
      state: stateOf(pair, compared),
      left: stateJson(pair.left, opened),
      right: stateJson(pair.right, opened),
    })),
    readers: readers.map(readerJson),
  }));
}

interface Sides {
  readonly left: string;
  readonly right: string;
}

function cells(context: Context, pair: NamePair, { state, left, right }: Sides & { state: PairState }): string[] {
  const [sign, style] = marks[state];
  const only = pair.left ?? pair.right;
  const words = {
    left: `only in ${left}, ${only === undefined ? "" : sayState(only)}`,
    right: `only in ${right}, ${only === undefined ? "" : sayState(only)}`,
    both: "in both",
    same: "the same value, by its id",
    equal: "equal values",
    different: "different values",
  };
  return [context.paint(style, sign), context.paint(style, pair.name), words[state]];
}

function sayReader(context: Context, { name, change }: ReaderChange, { left, right }: Sides): string {
  if (change === "keys") return context.paint("yellow", `~ ${name} reads the two with different keys`);
  return change === "gains"
    ? context.paint("green", `+ ${name} reads ${right} only`)
    : context.paint("red", `- ${name} reads ${left} only`);
}
