import type { ReaderChange } from "../history/compare-readers.ts";
import type { ChangeKind, SealedState, SecretChange } from "../history/compare-secrets.ts";
import type { ScopeDifference, TreeDifference } from "../history/compare-trees.ts";
import { printAddress } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { openedJson, sayOpened, type OpenedSides } from "./diff-values.ts";
import { count, relativeTime, table, type Style } from "./present.ts";

const marks = {
  added: ["+", "green"],
  removed: ["-", "red"],
  value: ["~", "yellow"],
  resealed: ["=", "dim"],
} as const satisfies Record<ChangeKind, readonly [string, Style]>;

/** Prints what differs between two trees, a block a scope. */
export function printDifference(context: Context, { scopes }: TreeDifference, opened: OpenedSides): void {
  const origins = findOrigins(scopes);
  for (const { scope, secrets, readers } of scopes) {
    context.line(context.paint("bold", scope));
    const lines = table(secrets.map((change) => cells(context, change, originOf(origins, scope, change))));
    for (const [index, change] of secrets.entries()) {
      context.line(`  ${lines[index] ?? ""}`);
      const [old, now] = [sayOpened(opened, change.before?.record), sayOpened(opened, change.after?.record)];
      if (old !== undefined) context.line(`      ${context.paint("red", `- ${old}`)}`);
      if (now !== undefined) context.line(`      ${context.paint("green", `+ ${now}`)}`);
    }
    for (const reader of readers) context.line(`  ${sayReader(context, reader)}`);
  }
  context.say(summarise(scopes));
}

/** The same as `--json` has it. */
export function differenceJson({ scopes, problems }: TreeDifference, opened: OpenedSides) {
  const origins = findOrigins(scopes);
  return {
    scopes: scopes.map(({ scope, secrets, readers }) => ({
      scope,
      secrets: secrets.map((change) => ({
        name: change.name,
        change: change.change,
        before: stateJson(change.before, opened),
        after: stateJson(change.after, opened),
        moved_from: originOf(origins, scope, change) ?? null,
      })),
      readers: readers.map(readerJson),
    })),
    problems,
  };
}

/** A reader that changed, as `--json` has it. */
export function readerJson({ name, change, mayRead, canOpen }: ReaderChange) {
  return { name, change, may_read: mayRead, can_open: canOpen };
}

/** What can be said of a sealed value, and the value where it was opened. */
export function stateJson(state: SealedState | undefined, opened: OpenedSides) {
  if (state === undefined) return null;
  return {
    value_id: state.valueId ?? null,
    set_at: state.setAt === undefined ? null : new Date(state.setAt * 1000).toISOString(),
    generation: state.generation ?? null,
    is_drop: state.isDrop,
    ...openedJson(opened, state.record),
  };
}

/** `value 1a2b3c4d`, with what is odd about it. */
export function sayState({ valueId, isDrop }: SealedState): string {
  return valueId === undefined ? "malformed" : `value ${valueId.slice(0, 8)}${isDrop ? " (drop)" : ""}`;
}

function cells(context: Context, change: SecretChange, origin: string | undefined): string[] {
  const [sign, style] = marks[change.change];
  const { before, after } = change;
  const name = [context.paint(style, sign), context.paint(style, change.name)];
  const age = (state: SealedState | undefined) =>
    state?.setAt === undefined ? "" : relativeTime(state.setAt * 1000, context.io.now().getTime());
  if (before === undefined || after === undefined) {
    const state = before ?? after;
    const moved = origin === undefined ? "" : `, moved from ${origin}`;
    return [...name, state === undefined ? "" : sayState(state), `set ${age(state)}${moved}`];
  }
  if (change.change === "value")
    return [...name, `${sayState(before)} -> ${sayState(after)}`, `set ${age(after)}, before ${age(before)}`];
  const seal =
    before.isDrop && !after.isDrop
      ? "drop adopted"
      : `sealed again, generation ${shortGeneration(before)} -> ${shortGeneration(after)}`;
  return [...name, sayState(after), seal];
}

function shortGeneration({ generation, isDrop }: SealedState): string {
  return isDrop ? "none (drop)" : (generation?.slice(0, 8) ?? "unknown");
}

function sayReader(context: Context, { name, change, mayRead, canOpen }: ReaderChange): string {
  if (change === "keys") return context.paint("yellow", `~ ${name} reads with other keys`);
  if (change === "gains") {
    const but = canOpen
      ? mayRead
        ? ""
        : ", without a right to it: sealtree rekey"
      : " by the policy, when sealtree rekey has run";
    return context.paint("green", `+ ${name} gains read access${but}`);
  }
  const but = canOpen
    ? ", but its keyring still opens for them: sealtree rekey"
    : mayRead
      ? ", though the policy allows it"
      : "";
  return context.paint("red", `- ${name} loses read access${but}`);
}

function summarise(scopes: readonly ScopeDifference[]): string {
  const all = scopes.flatMap(({ secrets }) => secrets);
  const amount = (kind: ChangeKind) => all.filter(({ change }) => change === kind).length;
  const parts = [
    [amount("added"), "added"],
    [amount("removed"), "removed"],
    [amount("value"), "with a new value"],
    [amount("resealed"), "sealed again"],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  if (scopes.length === 0) return "no difference";
  const secrets = said.length === 0 ? "no secret changed" : said.join(", ");
  const readers = scopes.filter((scope) => scope.readers.length > 0).length;
  return readers === 0 ? secrets : `${secrets}; other readers in ${count(readers, "scope")}`;
}

/** Where values left, by value id. */
function findOrigins(scopes: readonly ScopeDifference[]): ReadonlyMap<string, string> {
  return new Map(
    scopes.flatMap(({ scope, secrets }) =>
      secrets.flatMap(({ name, change, before }) =>
        before?.valueId !== undefined && (change === "removed" || change === "value")
          ? [[before.valueId, printAddress({ scope, name })] as const]
          : [],
      ),
    ),
  );
}

function originOf(
  origins: ReadonlyMap<string, string>,
  scope: string,
  { name, change, after }: SecretChange,
): string | undefined {
  const isNew = change === "added" || change === "value";
  const origin = isNew && after?.valueId !== undefined ? origins.get(after.valueId) : undefined;
  return origin === `${scope}/${name}` ? undefined : origin;
}
