import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError, type SealtreeError } from "../errors.ts";
import type { Address, ScopePath } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { dueAt, stateOf, type RotationState } from "./due.ts";
import { loadRotationPolicy, ruleFor, type RotationPolicy, type Rule } from "./policy.ts";

/** One secret and its next rotation. Times are in milliseconds since 1970. */
export interface StatusEntry {
  readonly address: Address;
  readonly rule: Rule | undefined;
  readonly setAtMs: number;
  /** Undefined without a rule, and for the interval `never`. */
  readonly dueAtMs: number | undefined;
  readonly state: RotationState;
  /** As it stands in the tree, so that a rotation can tell that nobody was faster. */
  readonly record: string;
}

export interface RotationStatus {
  /** Every secret of every scope that can be read, by scope and name. */
  readonly entries: readonly StatusEntry[];
  /** Scopes that cannot be read, and why; their secrets are not in `entries`. */
  readonly unreadable: readonly { readonly scope: ScopePath; readonly error: SealtreeError }[];
}

/** The rotation state of all secrets of a tree. Needs no key and no history. Throws E_POLICY_INVALID. */
export async function rotationStatus(tree: Tree, now: Date): Promise<RotationStatus> {
  const policy = await loadRotationPolicy(tree);
  const entries: StatusEntry[] = [];
  const unreadable: { scope: ScopePath; error: SealtreeError }[] = [];
  for (const scope of await listScopes(tree)) {
    try {
      entries.push(...(await listEntries(tree, scope, policy, now)));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      unreadable.push({ scope, error });
    }
  }
  return { entries, unreadable };
}

/** True for a value whose time has come. */
export function isDue({ state }: StatusEntry): boolean {
  return state === "due" || state === "overdue";
}

async function listEntries(tree: Tree, scope: ScopePath, policy: RotationPolicy, now: Date): Promise<StatusEntry[]> {
  const entries = (await readScope(tree, scope)) ?? new Map<never, never>();
  return [...entries].map(([name, { record }]) => {
    const address = { scope, name };
    const setAtMs = readSealedHeader(record).createdAt * 1000;
    const rule = ruleFor(policy, address);
    if (rule === undefined) return { address, rule, setAtMs, dueAtMs: undefined, state: "no-rule", record };
    const state = stateOf(rule, address, setAtMs, now.getTime());
    return { address, rule, setAtMs, dueAtMs: dueAt(rule, address, setAtMs), state, record };
  });
}
