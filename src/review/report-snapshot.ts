import type { ScopePath, SecretName } from "../secret/address.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { ReviewedScope } from "./reviewed-scope.ts";

/** What anybody can read of one secret. */
export interface SealedState {
  /** Undefined for a record that is not whole. */
  readonly valueId: string | undefined;
  /** Undefined for a drop, and for a record that is not whole. */
  readonly generation: string | undefined;
  /** When the value was set, in seconds since 1970; 0 for a record that is not whole. */
  readonly createdAt: number;
  readonly isDrop: boolean;
  readonly record: string;
}

/** What a report keeps of a scope of one tree. */
export interface ScopeSnapshot {
  readonly scope: ScopePath;
  readonly entries: ScopeEntries;
  readonly secrets: ReadonlyMap<SecretName, SealedState>;
  /** False when lines of the file cannot be read, so that a secret may be there and not be seen. */
  readonly isWhole: boolean;
  /** Names that the policy lets read, recovery keys too; undefined without a policy. */
  readonly allowed: ReadonlySet<string> | undefined;
  /** By generation: who can open it, as its file says. */
  readonly openers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Who can open some generation. */
  readonly anyOpener: ReadonlySet<string>;
  /** By generation: who could ever open it, as its file says. */
  readonly knowers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly stale: readonly SecretName[];
  readonly overdue: readonly SecretName[];
}

/** All scopes of a tree. */
export type Snapshots = ReadonlyMap<ScopePath, ScopeSnapshot>;

/** Keeps what a report needs of a scope, without its problems. */
export function takeSnapshot(reviewed: ReviewedScope): ScopeSnapshot {
  const { scope, entries, headers, drops, keyring, readers, drift, rotation, fileProblems } = reviewed;
  const secrets = new Map<SecretName, SealedState>();
  for (const [name, { record }] of entries) {
    const header = headers.get(name);
    const drop = drops.get(name);
    secrets.set(name, {
      valueId: (header ?? drop)?.valueId,
      generation: header?.generation,
      createdAt: (header ?? drop)?.createdAt ?? 0,
      isDrop: drop !== undefined,
      record,
    });
  }
  const files = [...keyring.values()];
  return {
    scope,
    entries,
    secrets,
    isWhole: fileProblems.length === 0,
    allowed: readers === undefined ? undefined : new Set(readers.readers.map(({ name }) => name)),
    openers: new Map(files.map(({ id, wrappedFor }) => [id, new Set(wrappedFor.keys())])),
    anyOpener: new Set(files.flatMap(({ wrappedFor }) => [...wrappedFor.keys()])),
    knowers: new Map(
      files.map(({ id, mintedFor, wrappedFor }) => [id, new Set([...mintedFor.keys(), ...wrappedFor.keys()])]),
    ),
    stale: drift?.stale ?? [],
    overdue: rotation.filter(({ state }) => state === "overdue").map(({ name }) => name),
  };
}
