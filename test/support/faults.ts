import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadIdentities } from "../../src/identity/load.ts";
import { openCommitTree } from "../../src/store/commit-tree.ts";
import { listScopes, readKeyring } from "../../src/store/keyring.ts";
import type { Tree } from "../../src/store/tree.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { openScope } from "../../src/values/open-scope.ts";
import { builtBin } from "./build.ts";
import { findCanaryFiles, findCanaryObjects } from "./canary.ts";
import { createRepository, type TestRepository } from "./repository.ts";

const preload = fileURLToPath(new URL("../faults/preload.js", import.meta.url));

/** What is done to the command, and at which of its points, counted from 1. */
export type Fault =
  | { readonly mode: "count"; readonly of: "kill" | "fail"; readonly report: string }
  | { readonly mode: "kill"; readonly at: number }
  | { readonly mode: "fail"; readonly at: number; readonly code: "ENOSPC" | "EIO" | "EACCES" };

/** A repository, a home and a folder for temporary files that a fault may ruin. */
export interface Field {
  readonly base: string;
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where an editor's text may lie: in memory, where the system has such a place. */
  readonly runtime: string;
}

/** A command to be cut off: how it is called, and the values before and after it, by address. */
export interface CutCommand {
  readonly argv: readonly string[];
  readonly stdin: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Command lines that prepare the repository, after the values of `before` are set. */
  readonly setup?: readonly (readonly string[])[];
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
  /** What is done to the repository after that. */
  readonly prepare?: (repository: TestRepository) => Promise<void>;
  /** Key files in the home of others, who open every value throughout, or cannot open the scopes at the end. */
  readonly others?: { readonly readers: readonly string[]; readonly strangers: readonly string[] };
}

export interface Outcome {
  /** Exit status; undefined when it was killed. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sealed repository with the values of `command.before`, to be copied for each fault. */
export async function createTemplate(command: CutCommand): Promise<TestRepository> {
  const repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  for (const [address, value] of command.before) await repository.ok(["set", address, "--stdin"], { stdin: value });
  for (const argv of command.setup ?? []) await repository.ok(argv);
  await command.prepare?.(repository);
  rmSync(join(repository.root, ".git", "hooks"), { recursive: true });
  return repository;
}

/** A copy of a template with a folder for temporary files. Remove it with {@link removeField}. */
export function copyTemplate(template: TestRepository): Field {
  const base = mkdtempSync(join(tmpdir(), "sealtree-fault-"));
  const temporary = join(base, "tmp");
  mkdirSync(temporary);
  cpSync(join(template.root, ".."), base, { recursive: true });
  const env = { PATH: process.env["PATH"] ?? "", ...template.env, HOME: join(base, "home"), TMPDIR: temporary };
  const runtime = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : temporary, "runtime-"));
  return { base, root: join(base, "repo"), env: { ...env, XDG_RUNTIME_DIR: runtime }, runtime };
}

export function removeField(field: Field): void {
  for (const directory of [field.base, field.runtime]) rmSync(directory, { recursive: true, force: true });
}

/** Runs the built command in a field, with a fault when one is given. */
export async function runCut(field: Field, command: CutCommand, fault?: Fault): Promise<Outcome> {
  const flags = fault === undefined ? [] : ["--import", preload];
  const child = spawn(process.execPath, [...flags, builtBin, ...command.argv], {
    cwd: field.root,
    env: { ...field.env, ...command.env, ...(fault === undefined ? {} : { FAULT: JSON.stringify(fault) }) },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(command.stdin);
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? undefined, stdout, stderr }));
  });
}

/** The points of a run without faults, in order: what is called at each. Throws when the run fails. */
export async function listPoints(
  template: TestRepository,
  command: CutCommand,
  of: "kill" | "fail",
): Promise<string[]> {
  const field = copyTemplate(template);
  try {
    const report = join(field.base, "points");
    const { code, stderr } = await runCut(field, command, { mode: "count", of, report });
    if (code !== 0) throw new Error(`the command fails without any fault (${code ?? "killed"}): ${stderr}`);
    return readFileSync(report, "utf8").trimEnd().split("\n");
  } finally {
    removeField(field);
  }
}

/**
 * What is wrong with a field after a fault, one sentence each: in the work tree and at HEAD
 * every file must parse and every value must open and be as before the command or after it;
 * git must find its repository whole; no value may lie in any file that is not in memory.
 */
export async function findDamage(field: Field, command: CutCommand): Promise<string[]> {
  const damage: string[] = [];
  const place = { root: field.root, env: field.env };
  const head = await openCommitTree(place, "HEAD");
  try {
    for (const tree of [openWorkTree(field.root), head]) {
      for (const keyFile of [undefined, ...(command.others?.readers ?? [])]) {
        const who = `${tree.label}, ${keyFile ?? "own key"}`;
        const values = await readValues(field, tree, keyFile).catch((error: unknown) => String(error));
        if (typeof values === "string") damage.push(`${who}: does not open: ${values}`);
        else damage.push(...compareValues(values, command).map((what) => `${who}: ${what}`));
      }
    }
  } finally {
    head.close();
  }
  damage.push(...checkObjects(field));
  const values = [...new Set([...command.before.values(), ...command.after.values()])];
  return [...damage, ...findCanaryFiles([field.base], values), ...findCanaryObjects(field.root, values)];
}

/** What is wrong with a field after the command was run again: it must be new, committed, whole and swept. */
export async function findUnfinished(field: Field, command: CutCommand): Promise<string[]> {
  const unfinished: string[] = [];
  const values = await readValues(field, openWorkTree(field.root));
  for (const [address, value] of command.after) {
    if (values.get(address) !== value) unfinished.push(`${address} is not new`);
  }
  for (const keyFile of command.others?.strangers ?? []) {
    const opened = await readValues(field, openWorkTree(field.root), keyFile).catch(() => undefined);
    if (opened !== undefined) unfinished.push(`${keyFile} still opens the scopes`);
  }
  const status = git(field, "status", "--porcelain");
  if (status !== "") unfinished.push(`git status is not clean: ${status}`);
  return [...unfinished, ...findLeftovers(field), ...checkObjects(field)];
}

/** Files of ours that are there only while a command runs. */
export function findLeftovers(field: Field): string[] {
  const own = /^(?:\.sealtree-|sealtree[.-])|^index\.lock$/;
  return [field.root, field.runtime, join(field.base, "tmp"), join(field.env["HOME"] ?? "", ".local")].flatMap(
    (directory) => listNames(directory).flatMap(({ name, path }) => (own.test(name) ? [`${path} is left over`] : [])),
  );
}

/** Runs `work` on each item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Every value of a tree, opened with the key of the field's owner, or with `keyFile` of their home. Throws unless all open. */
async function readValues(field: Field, tree: Tree, keyFile?: string): Promise<Map<string, string>> {
  const home = field.env["HOME"] ?? "";
  const env =
    keyFile === undefined
      ? field.env
      : { ...field.env, XDG_CONFIG_HOME: join(home, "other"), SEALTREE_IDENTITY_FILE: join(home, keyFile) };
  const { identities } = await loadIdentities({ env });
  const values = new Map<string, string>();
  for (const scope of await listScopes(tree)) {
    await readKeyring(tree, scope);
    const opened = await (await openScope(tree, scope, identities)).openAll();
    for (const [name, secret] of opened) values.set(`${scope}/${name}`, secret.revealText() ?? "");
  }
  return values;
}

function compareValues(values: ReadonlyMap<string, string>, { before, after }: CutCommand): string[] {
  const addresses = new Set([...values.keys(), ...before.keys(), ...after.keys()]);
  return [...addresses].flatMap((address) => {
    const value = values.get(address);
    return value === before.get(address) || value === after.get(address) ? [] : [`${address} is neither old nor new`];
  });
}

function checkObjects(field: Field): string[] {
  try {
    git(field, "fsck", "--strict", "--no-dangling");
    return [];
  } catch (error) {
    return [`git fsck: ${String(error)}`];
  }
}

function git(field: Field, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd: field.root,
    env: field.env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function listNames(directory: string): { name: string; path: string }[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true }).map((item) => ({
      name: item.name,
      path: join(item.parentPath, item.name),
    }));
  } catch {
    return [];
  }
}
