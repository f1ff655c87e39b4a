import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { ScopeEntries } from "../store/scope-file.ts";

/** What can be said of a sealed value without a key. */
export interface SealedState {
  readonly record: string;
  /** Undefined for a record that is malformed. */
  readonly valueId: string | undefined;
  /** When the value was set, in seconds since 1970. */
  readonly setAt: number | undefined;
  /** Undefined for a drop, and for what is malformed. */
  readonly generation: string | undefined;
  readonly isDrop: boolean;
}

/** `value`: another value; `resealed`: the same value, sealed again or a drop that was adopted. */
export type ChangeKind = "added" | "removed" | "value" | "resealed";

export interface SecretChange {
  readonly name: SecretName;
  readonly change: ChangeKind;
  readonly before: SealedState | undefined;
  readonly after: SealedState | undefined;
}

/** What differs between two versions of a scope, by name. A side that is not there has no secrets. */
export function compareSecrets(before: ScopeEntries | undefined, after: ScopeEntries | undefined): SecretChange[] {
  const names = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].sort(compareText);
  return names.flatMap((name): SecretChange[] => {
    const [old, now] = [before?.get(name)?.record, after?.get(name)?.record];
    if (old === now) return [];
    const sides = { name, before: toState(old), after: toState(now) };
    if (old === undefined) return [{ ...sides, change: "added" }];
    if (now === undefined) return [{ ...sides, change: "removed" }];
    return [{ ...sides, change: isSameValue(sides.before, sides.after) ? "resealed" : "value" }];
  });
}

/** True for one value, by its id. Two values that were set apart have two ids, also when they are equal. */
export function isSameValue(a: SealedState | undefined, b: SealedState | undefined): boolean {
  return a?.valueId !== undefined && a.valueId === b?.valueId;
}

/** Undefined for no record. */
export function toState(record: string | undefined): SealedState | undefined {
  if (record === undefined) return undefined;
  try {
    const { kind, valueId, createdAt, generation } = readSealedHeader(record);
    return { record, valueId, setAt: createdAt, generation, isDrop: kind === "drop" };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { record, valueId: undefined, setAt: undefined, generation: undefined, isDrop: false };
  }
}
