import { findPolicy, type Policy } from "../access/policy.ts";
import { parseRecordHeader, type RecordHeader } from "../crypto/record.ts";
import { hasCode, isSealtreeError, type SealtreeError } from "../errors.ts";
import { planAttributes } from "../history/git-setup.ts";
import { findRotationPolicy, type RotationPolicy } from "../rotation/policy.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import type { GenerationFile } from "../store/generation-file.ts";
import { listGenerations, listScopes, readGeneration } from "../store/keyring.ts";
import { policiesDirectory, scopeFilePath, secretsDirectory } from "../store/layout.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { findingOf } from "./finding-of.ts";
import { readScopeProblems } from "./scope-problems.ts";

/** A scope as read without a key: what is in order, and what is not. */
export interface ReviewedScope {
  readonly scope: ScopePath;
  readonly file: string;
  readonly entries: ScopeEntries;
  /** Headers of the records that are well formed. */
  readonly headers: ReadonlyMap<SecretName, RecordHeader>;
  readonly keyring: ReadonlyMap<string, GenerationFile>;
  /** Generations that have a file, also one that cannot be read. */
  readonly generations: readonly string[];
  /** What is wrong with the scope file, with its records, and with its keyring. */
  readonly fileProblems: readonly SealtreeError[];
  readonly recordProblems: readonly { readonly line: number; readonly error: SealtreeError }[];
  readonly keyringProblems: readonly SealtreeError[];
}

/** A tree as the checks see it, read once. */
export interface ReviewState {
  readonly tree: Tree;
  /** Undefined when there is none, or none that can be understood. */
  readonly policy: Policy | undefined;
  readonly rotation: RotationPolicy | undefined;
  /** What is wrong with the policies. */
  readonly policyFindings: readonly Finding[];
  readonly scopes: readonly ReviewedScope[];
  /** Every file below `secrets/` and `policies/`, sorted. */
  readonly paths: readonly string[];
  /** Files that are no regular files, or too large, and files marked as programs. */
  readonly unsafe: readonly SealtreeError[];
  readonly executable: readonly string[];
  /** False when `.gitattributes` lacks our lines. */
  readonly hasAttributes: boolean;
}

/** Reads all that the checks need of a tree. Whatever is wrong in it becomes part of the state; only system failures throw. */
export async function readReviewState(given: Tree): Promise<ReviewState> {
  const unsafe: SealtreeError[] = [];
  const tree = tolerantTree(given, unsafe);
  const paths = [...(await tree.list(policiesDirectory)), ...(await tree.list(secretsDirectory))];
  const executable: string[] = [];
  for (const path of paths) {
    if ((await tree.isExecutable?.(path)) === true) executable.push(path);
    const error = await problemOf(tree.read(path));
    if (error !== undefined) unsafe.push(error);
  }
  const policy = await readPolicy(() => findPolicy(tree));
  const rotation = await readPolicy(() => findRotationPolicy(tree));
  const scopes: ReviewedScope[] = [];
  for (const scope of await listScopes(tree)) scopes.push(await reviewScope(tree, scope));
  return {
    tree,
    policy: policy.policy,
    rotation: rotation.policy,
    policyFindings: [...policy.findings, ...rotation.findings],
    scopes,
    paths,
    unsafe,
    executable,
    hasAttributes: await hasAttributes(tree),
  };
}

/** `tree` where a directory that is none, such as a link, is empty; each is put into `unsafe` once. */
function tolerantTree(tree: Tree, unsafe: SealtreeError[]): Tree {
  return {
    ...tree,
    async list(directory) {
      try {
        return await tree.list(directory);
      } catch (error) {
        if (!hasCode(error, "E_UNSAFE_FILE")) throw error;
        if (!unsafe.some(({ file }) => file === error.file)) unsafe.push(error);
        return [];
      }
    },
  };
}

async function hasAttributes(tree: Tree): Promise<boolean> {
  try {
    return (await planAttributes(tree)) === undefined;
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return false;
    throw error;
  }
}

async function reviewScope(tree: Tree, scope: ScopePath): Promise<ReviewedScope> {
  const file = scopeFilePath(scope);
  const bytes = await readSafely(tree, file);
  const { entries, problems } = readScopeProblems(bytes ?? Buffer.from(`$sealtree: 1\n$scope: ${scope}\n`), scope);
  const headers = new Map<SecretName, RecordHeader>();
  const recordProblems: { line: number; error: SealtreeError }[] = [];
  for (const [name, { record, line }] of entries) {
    try {
      headers.set(name, parseRecordHeader(record));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      recordProblems.push({ line, error });
    }
  }
  const generations = await listGenerations(tree, scope);
  const keyring = new Map<string, GenerationFile>();
  const keyringProblems: SealtreeError[] = [];
  for (const id of generations) {
    try {
      const generation = await readGeneration(tree, scope, id);
      if (generation !== undefined) keyring.set(id, generation);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      if (!hasCode(error, "E_UNSAFE_FILE")) keyringProblems.push(error);
    }
  }
  return {
    scope,
    file,
    entries,
    headers,
    keyring,
    generations,
    fileProblems: problems,
    recordProblems,
    keyringProblems,
  };
}

async function readPolicy<T>(
  find: () => Promise<{ policy: T | undefined; findings: Finding[] }>,
): Promise<{ policy: T | undefined; findings: Finding[] }> {
  try {
    return await find();
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    // An unsafe file is in the list of those already.
    return { policy: undefined, findings: hasCode(error, "E_UNSAFE_FILE") ? [] : [findingOf("policy", error)] };
  }
}

async function readSafely(tree: Tree, path: string): Promise<Uint8Array | undefined> {
  try {
    return await tree.read(path);
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return undefined;
    throw error;
  }
}

async function problemOf(reading: Promise<unknown>): Promise<SealtreeError | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return error;
    throw error;
  }
}
