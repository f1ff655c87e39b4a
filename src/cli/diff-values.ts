import { SealtreeError } from "../errors.ts";
import { hasSameBytes, type SideOpener, type SideValue } from "../history/open-sides.ts";
import { printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { printValue } from "./print-value.ts";
import { valueJson } from "./value-json.ts";

/** A sealed value of one side that a comparison is to open. */
export interface SealedSide {
  readonly scope: ScopePath;
  readonly name: SecretName;
  readonly record: string;
  readonly opener: SideOpener;
}

/** The opened values of a comparison, by record. */
export type OpenedSides = ReadonlyMap<string, SideValue>;

/** Opens both sides. Throws E_NO_ACCESS when none of the values opens. */
export async function openSides(sealed: readonly SealedSide[]): Promise<OpenedSides> {
  const opened = new Map<string, SideValue>();
  for (const { scope, name, record, opener } of sealed) opened.set(record, await opener.open(scope, name, record));
  if (sealed.length > 0 && [...opened.values()].every(({ secret }) => secret === undefined)) {
    throw new SealtreeError("E_NO_ACCESS", "none of your identities can open any of these values", {
      hints: ["sealtree access who SCOPE says who can", "without --reveal and --compare no key is needed"],
    });
  }
  return opened;
}

/**
 * {@link openSides} for values that are about to be printed: asks on a terminal, goes into a pipe
 * or a file only with --yes, and puts a read event a value into the audit log.
 */
export async function revealSides(context: Context, sealed: readonly SealedSide[]): Promise<OpenedSides> {
  if (sealed.length > 0 && context.io.stdout.isTTY !== true && !context.options.yes) {
    throw new SealtreeError("E_NEEDS_TERMINAL", "values go into a pipe or a file only with --yes", {
      hints: ["pass --yes, or leave out --reveal"],
    });
  }
  const opened = await openSides(sealed);
  if (sealed.length > 0) await context.confirm(`print ${count(sealed.length, "value")} on this terminal?`);
  const read = new Map(sealed.map((side) => [printAddress(side), side]));
  context.audit(
    [...read.values()].map(({ scope, name, record }) => ({
      kind: "read",
      operation: "diff",
      scope,
      name,
      outcome: "ok",
      member: opened.get(record)?.reader,
      knownBy: "keyring",
    })),
  );
  return opened;
}

/** What is printed for a record: its value, or that it is closed; undefined for one that was not to be opened. */
export function sayOpened(opened: OpenedSides, record: string | undefined): string | undefined {
  const side = record === undefined ? undefined : opened.get(record);
  if (side === undefined) return undefined;
  return side.secret === undefined ? "<your identities do not open it>" : printValue(side.secret);
}

/** The fields that `--json` has for a record; none for one that was not opened. */
export function openedJson(opened: OpenedSides, record: string | undefined) {
  const secret = record === undefined ? undefined : opened.get(record)?.secret;
  return secret === undefined ? {} : valueJson(secret);
}

/** Whether two records hold equal values; undefined when one of them is closed. */
export function isEqual(opened: OpenedSides, left: string, right: string): boolean | undefined {
  const [a, b] = [opened.get(left)?.secret, opened.get(right)?.secret];
  return a === undefined || b === undefined ? undefined : hasSameBytes(a, b);
}
