import { findDrift, type ScopeDrift } from "../access/drift.ts";
import type { RecordHeader } from "../crypto/record.ts";
import { readSealedHeader, type DropHeader } from "../crypto/sealed-header.ts";
import { hasCode, isSealtreeError, type SealtreeError } from "../errors.ts";
import { stateOf, type RotationState } from "../rotation/due.ts";
import { ruleFor } from "../rotation/policy.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseGenerationFile, type GenerationFile } from "../store/generation-file.ts";
import { generationPath, scopeFilePath } from "../store/layout.ts";
import { printScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import { differs, type ReviewBase } from "./base.ts";
import type { FileReader } from "./file-reader.ts";
import { readScopeProblems } from "./scope-problems.ts";
import type { ScopeReaders } from "./scope-readers.ts";
import type { ReviewState } from "./state.ts";

/** A scope as read without a key: what is in order, and what is not. Let go when it is checked. */
export interface ReviewedScope {
  readonly scope: ScopePath;
  readonly file: string;
  readonly entries: ScopeEntries;
  /** Headers of the records, and of the drops, that are well formed. */
  readonly headers: ReadonlyMap<SecretName, RecordHeader>;
  readonly drops: ReadonlyMap<SecretName, DropHeader>;
  readonly keyring: ReadonlyMap<string, GenerationFile>;
  /** Generations that have a file, also one that cannot be read. */
  readonly generations: readonly string[];
  /** What is wrong with the scope file, with its records, and with its keyring. */
  readonly fileProblems: readonly SealtreeError[];
  readonly recordProblems: readonly { readonly line: number; readonly error: SealtreeError }[];
  readonly keyringProblems: readonly SealtreeError[];
  /** False for a file in order that sealtree would write otherwise. */
  readonly isTidy: boolean;
  /** The generations of the base whose file has other bytes now, as they were. */
  readonly earlier: ReadonlyMap<string, GenerationFile>;
  /** Who may read it; undefined without a policy. */
  readonly readers: ScopeReaders | undefined;
  /** How it differs from the policy; undefined without one. */
  readonly drift: ScopeDrift | undefined;
  /** Secrets whose rotation is not far, by name. */
  readonly rotation: readonly ReviewedRotation[];
}

/** A secret of a scope that is due, or soon will be. */
export interface ReviewedRotation {
  readonly name: SecretName;
  readonly state: RotationState;
  readonly setAtMs: number;
  /** Whether a person gives it its new value. */
  readonly isManual: boolean;
}

/** The bytes of a scope, not looked into yet. */
export interface ScopeBytes {
  readonly scope: ScopePath;
  readonly file: Uint8Array | undefined;
  /** Of every generation there is a file for; undefined for one that is not safe to read. */
  readonly generations: ReadonlyMap<string, Uint8Array | undefined>;
  /** Of those that differ from the base, as they were there. */
  readonly earlier: ReadonlyMap<string, Uint8Array>;
}

/** Reads each file of a scope once. Throws E_IO. */
export async function readScopeBytes(
  reader: FileReader,
  scope: ScopePath,
  ids: readonly string[],
  base: ReviewBase | undefined,
): Promise<ScopeBytes> {
  const file = await reader.read(scopeFilePath(scope));
  const generations = new Map<string, Uint8Array | undefined>();
  const earlier = new Map<string, Uint8Array>();
  for (const id of ids) {
    const path = generationPath(scope, id);
    const bytes = await reader.read(path);
    generations.set(id, bytes);
    const before = base !== undefined && differs(base, path, bytes) ? await readBefore(base, path) : undefined;
    if (before !== undefined) earlier.set(id, before);
  }
  return { scope, file, generations, earlier };
}

/** Looks into the bytes of a scope. Whatever is wrong becomes part of the result. */
export function reviewScope(bytes: ScopeBytes, state: ReviewState): ReviewedScope {
  const { scope } = bytes;
  const read = bytes.file ?? Buffer.from(`$sealtree: 1\n$scope: ${scope}\n`);
  const { entries, problems } = readScopeProblems(read, scope);
  const sealed = readHeaders(entries);
  const keyringProblems: SealtreeError[] = [];
  const keyring = parseGenerations(scope, bytes.generations, keyringProblems);
  const readers = state.readersOf?.(scope);
  const sealedUnder = new Map([...sealed.headers].map(([name, { generation }]) => [name, generation]));
  return {
    ...sealed,
    scope,
    file: scopeFilePath(scope),
    entries,
    keyring,
    generations: [...bytes.generations.keys()],
    fileProblems: problems,
    keyringProblems,
    isTidy: problems.length > 0 || bytes.file === undefined || isTidy(scope, entries, bytes.file),
    earlier: parseGenerations(scope, bytes.earlier, []),
    readers,
    drift:
      state.policy === undefined || readers === undefined
        ? undefined
        : findDrift(state.policy, scope, keyring, sealedUnder, readers.readers),
    rotation: listRotation(scope, [...sealed.headers, ...sealed.drops], state),
  };
}

function readHeaders(entries: ScopeEntries): Pick<ReviewedScope, "headers" | "drops" | "recordProblems"> {
  const headers = new Map<SecretName, RecordHeader>();
  const drops = new Map<SecretName, DropHeader>();
  const recordProblems: { line: number; error: SealtreeError }[] = [];
  for (const [name, { record, line }] of entries) {
    try {
      const header = readSealedHeader(record);
      if (header.kind === "drop") drops.set(name, header);
      else headers.set(name, header);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      recordProblems.push({ line, error });
    }
  }
  return { headers, drops, recordProblems };
}

function parseGenerations(
  scope: ScopePath,
  files: ReadonlyMap<string, Uint8Array | undefined>,
  problems: SealtreeError[],
): Map<string, GenerationFile> {
  const keyring = new Map<string, GenerationFile>();
  for (const [id, bytes] of files) {
    if (bytes === undefined) continue;
    try {
      keyring.set(id, parseGenerationFile(bytes, scope, id));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      problems.push(error);
    }
  }
  return keyring;
}

function isTidy(scope: ScopePath, entries: ScopeEntries, bytes: Uint8Array): boolean {
  try {
    return Buffer.compare(Buffer.from(printScopeFile(scope, entries)), bytes) === 0;
  } catch (error) {
    // Larger than a file may be when it is printed: then it is better left as it is.
    if (hasCode(error, "E_VALUE_TOO_LARGE")) return true;
    throw error;
  }
}

function listRotation(
  scope: ScopePath,
  headers: readonly (readonly [SecretName, { readonly createdAt: number }])[],
  { rotation, now }: ReviewState,
): ReviewedScope["rotation"] {
  if (rotation === undefined || rotation.secrets.size === 0) return [];
  return headers.flatMap(([name, { createdAt }]) => {
    const address = { scope, name };
    const rule = ruleFor(rotation, address);
    const setAtMs = createdAt * 1000;
    return rule === undefined
      ? []
      : [{ name, state: stateOf(rule, address, setAtMs, now.getTime()), setAtMs, isManual: rule.rotator === "manual" }];
  });
}

/** The file in the base; undefined for one that is too odd to compare with. */
async function readBefore({ tree }: ReviewBase, path: string): Promise<Uint8Array | undefined> {
  try {
    return await tree.read(path);
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return undefined;
    throw error;
  }
}
