import { SealtreeError } from "../errors.ts";
import { isStuck } from "../rotation/flight.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import { rotationStatus, type RotationStatus, type StatusEntry } from "../rotation/status.ts";
import { isScopePath, parseAddress, type Address, type ScopePath } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";

/** What `--state` takes: the states of a value, and how far a rotation of it is. */
const states = ["ok", "notice", "due", "overdue", "no-rule", "in-flight", "grace", "stuck"] as const;
type WantedState = (typeof states)[number];

/** The options that choose secrets, of every command that shows when secrets are rotated. */
export const filterOptions: readonly OptionSpec[] = [
  { flags: "--owner <name>", description: "only what this member is to be asked about" },
  { flags: "--type <type>", description: "only secrets of this type of the policy" },
  { flags: "--state <states>", description: `only these states, joined by commas: ${states.join(", ")}` },
];

/** A rotation status that was cut down, and to what. */
export interface FilteredStatus extends RotationStatus {
  /** The one secret that was asked for by its address. */
  readonly address: Address | undefined;
}

/**
 * The rotation status of the secrets that `text` (an address, or a scope with all scopes below
 * it) and {@link filterOptions} choose. Throws E_SCOPE_NOT_FOUND, E_SECRET_NOT_FOUND, and E_USAGE
 * for a type, an owner or a state that is not there: no answer to a typing error would look like
 * good news.
 */
export async function readFilteredStatus(
  context: Context,
  text: string | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<FilteredStatus> {
  const tree = await context.tree();
  const { scope, address } = text === undefined ? noTarget : await parseSubject(tree, text);
  context.about({ operation: context.subject.operation, ...address, ...(scope === undefined ? {} : { scope }) });
  const now = context.io.now();
  const status = await rotationStatus(tree, now);
  const [type, owner, wanted] = [textOf(options["type"]), textOf(options["owner"]), parseStates(options["state"])];
  if (type !== undefined) await checkType(status.policy, type);
  if (owner !== undefined) await checkOwner(tree, status.policy, owner);
  const isChosen = (entry: StatusEntry) =>
    isBelow(entry.address.scope, scope ?? address?.scope) &&
    (address === undefined || entry.address.name === address.name) &&
    (type === undefined || entry.rule?.type === type) &&
    (owner === undefined || entry.rule?.owner === owner) &&
    (wanted === undefined || wanted.some((state) => isIn(entry, state, now.getTime())));
  return {
    ...status,
    entries: status.entries.filter(isChosen),
    unreadable: status.unreadable.filter((it) => isBelow(it.scope, scope ?? address?.scope)),
    address,
  };
}

interface Subject {
  readonly scope: ScopePath | undefined;
  readonly address: Address | undefined;
}

const noTarget: Subject = { scope: undefined, address: undefined };

/** A folder of scopes is a scope here, and wins over an address. */
async function parseSubject(tree: Tree, text: string): Promise<Subject> {
  const scopes = await listScopes(tree);
  if (isScopePath(text) && scopes.some((path) => isBelow(path, text))) return { scope: text, address: undefined };
  const { scopeNotFound, secretNotFound } = await import("../values/not-found.ts");
  if (isScopePath(text) && !scopes.some((path) => text.startsWith(`${path}/`))) throw await scopeNotFound(tree, text);
  const address = parseAddress(text);
  const entries = await readScope(tree, address.scope);
  if (entries === undefined) throw await scopeNotFound(tree, address.scope);
  if (!entries.has(address.name)) throw secretNotFound(tree, address, entries.keys());
  return { scope: undefined, address };
}

function isBelow(path: ScopePath, scope: ScopePath | undefined): boolean {
  return scope === undefined || path === scope || path.startsWith(`${scope}/`);
}

function isIn({ state, flight }: StatusEntry, wanted: WantedState, nowMs: number): boolean {
  if (wanted === "stuck") return flight !== undefined && isStuck(flight, nowMs);
  return wanted === state || wanted === flight?.phase;
}

function parseStates(option: unknown): readonly WantedState[] | undefined {
  if (typeof option !== "string") return undefined;
  return option.split(",").map((text) => {
    const found = states.find((state) => state === text.trim());
    if (found !== undefined) return found;
    throw new SealtreeError("E_USAGE", "there is no such state", { hints: [`--state takes ${states.join(", ")}`] });
  });
}

async function checkType({ types }: RotationPolicy, type: string): Promise<void> {
  if (types.has(type)) return;
  const { suggest } = await import("../secret/suggest.ts");
  const names = [...types.keys()];
  throw new SealtreeError("E_USAGE", "the rotation policy has no such type", {
    hints: [...suggest(type, names), names.length === 0 ? "it has none" : `its types are ${names.join(", ")}`],
  });
}

/** An owner is named by a rule, or a member that could be. */
async function checkOwner(tree: Tree, policy: RotationPolicy, owner: string): Promise<void> {
  const places = [policy.defaults, ...policy.types.values(), ...policy.secrets.values()];
  const named = places.flatMap((place) => (place.owner === undefined ? [] : [place.owner]));
  if (named.includes(owner)) return;
  const [{ loadPolicy }, { suggest }] = [await import("../access/policy.ts"), await import("../secret/suggest.ts")];
  const members = [...(await loadPolicy(tree)).members.keys()];
  if (members.includes(owner)) return;
  throw new SealtreeError("E_USAGE", "that owner is no member, and no rule names it", {
    hints: [...suggest(owner, [...new Set([...named, ...members])]), "sealtree member list shows the members"],
  });
}

function textOf(option: unknown): string | undefined {
  return typeof option === "string" ? option : undefined;
}
