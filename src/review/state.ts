import { findPolicy, type Policy } from "../access/policy.ts";
import { fingerprintOf, type Recipient } from "../crypto/recipient.ts";
import { hasCode, isSealtreeError } from "../errors.ts";
import { planAttributes } from "../history/git-setup.ts";
import { readRotationPolicy, type RotationPolicy, type RotationPolicyFile } from "../rotation/policy.ts";
import { parseAddress, type Address, type ScopePath } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import {
  accessPolicyPath,
  attributesPath,
  deployPolicyPath,
  modulesPath,
  parseSecretsPath,
  policiesDirectory,
  secretsDirectory,
} from "../store/layout.ts";
import { parseStrictYaml, type StrictDocument } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";
import { findSecretSchema, type SecretSchema } from "../values/secret-schema.ts";
import type { ReviewBase } from "./base.ts";
import { createFileReader, type FileReader } from "./file-reader.ts";
import { findingOf } from "../store/finding-of.ts";
import { findGeneratedDrift, type GeneratedDrift } from "./generated-files.ts";
import { isOurs } from "./our-files.ts";
import { readJournals, type ReadJournal } from "./read-journals.ts";
import { createReaderLookup, type ScopeReaders } from "./scope-readers.ts";

/** A tree as the checks see it, without its scopes: those are read one after the other. */
export interface ReviewState {
  readonly tree: Tree;
  readonly now: Date;
  readonly reader: FileReader;
  /** Every file below `secrets/` and `policies/`, sorted. */
  readonly paths: readonly string[];
  /** Scopes that have a file, sorted, with the ids of their generations. */
  readonly scopes: ReadonlyMap<ScopePath, readonly string[]>;
  /** Undefined when there is none, or none that can be understood. */
  readonly policy: Policy | undefined;
  /** Where the parts of `policies/access.yaml` stand. */
  readonly accessDocument: StrictDocument | undefined;
  readonly readersOf: ((scope: ScopePath) => ScopeReaders) | undefined;
  /** Every recipient that the policy knows, by fingerprint. */
  readonly recipients: ReadonlyMap<string, Recipient>;
  readonly rotation: RotationPolicy | undefined;
  /** The secrets that have a rotation rule, by scope. */
  readonly ruled: ReadonlyMap<ScopePath, readonly Address[]>;
  readonly rotationFile: RotationPolicyFile | undefined;
  readonly schema: SecretSchema | undefined;
  /** Rotations in flight or in grace, by scope. */
  readonly journals: ReadonlyMap<ScopePath, readonly ReadJournal[]>;
  /** What is wrong with the targets of `policies/deploy.yaml`, and between them and the secrets. */
  readonly deployFindings: readonly Finding[];
  /** What is wrong with the policies. */
  readonly policyFindings: readonly Finding[];
  /** Every `.gitattributes` that speaks of our files, the one of the root first, and `.gitmodules`. */
  readonly gitFiles: ReadonlyMap<string, string>;
  /** False when `.gitattributes` lacks our lines. */
  readonly hasAttributes: boolean;
  /** Files made from the policy that differ from it. */
  readonly generatedDrift: readonly GeneratedDrift[];
  /** What the tree is compared with, when there is something. */
  readonly base: ReviewBase | undefined;
  /** The policy of the base. */
  readonly basePolicy: Policy | undefined;
  /** Paths of generations that the base has and the tree has not. */
  readonly goneGenerations: readonly string[];
}

/** What is kept of a scope when it is checked. */
export interface ScopeSummary {
  readonly scope: ScopePath;
  readonly file: string;
  readonly secrets: number;
  /** How many of them are drops. */
  readonly drops: number;
  /** Shared by all scopes with the same readers; undefined without a policy. */
  readonly readers: ScopeReaders | undefined;
  /** Secrets whose rotation is due, and overdue. */
  readonly due: number;
  readonly overdue: number;
}

/** Reads all that the checks need of a tree besides its scopes. Whatever is wrong in it becomes part of the state; only system failures throw. */
export async function readReviewState(
  tree: Tree,
  { now, base }: { readonly now: Date; readonly base?: ReviewBase | undefined },
): Promise<ReviewState> {
  const reader = createFileReader(tree);
  const policyPaths = await reader.list(policiesDirectory);
  const secretPaths = await reader.list(secretsDirectory);
  const { scopes, others } = groupPaths(secretPaths);
  const policies = await readPolicies(reader, policyPaths);
  const isJournal = (path: string) => parseSecretsPath(path)?.kind === "journal";
  for (const path of others) if (!isJournal(path)) await reader.read(path);
  const policy = await readPolicy(async () => await findPolicy(policies));
  const rotation = await readPolicy(async () => asPolicy(await readRotationPolicy(policies)));
  const schema = await readPolicy(async () => asPolicy(await findSecretSchema(policies)));
  const gitFiles = await readGitFiles(reader, [...policyPaths, ...secretPaths]);
  return {
    tree,
    now,
    reader,
    paths: [...policyPaths, ...secretPaths],
    scopes,
    policy: policy.policy,
    accessDocument: policy.policy === undefined ? undefined : parseAccess(await policies.read(accessPolicyPath)),
    readersOf: policy.policy === undefined ? undefined : createReaderLookup(policy.policy),
    recipients: listRecipients(policy.policy),
    rotation: rotation.policy?.policy,
    ruled: groupByScope([...(rotation.policy?.policy?.secrets.keys() ?? [])].map(parseAddress)),
    rotationFile: rotation.policy,
    schema: schema.policy?.schema,
    journals: await readJournals(others.filter(isJournal), (path) => reader.read(path)),
    deployFindings: policyPaths.includes(deployPolicyPath) ? await readDeployFindings(policies, tree) : [],
    policyFindings: [...policy.findings, ...rotation.findings, ...schema.findings],
    gitFiles,
    hasAttributes: await hasAttributes(gitFiles.get(attributesPath)),
    generatedDrift: policy.policy === undefined ? [] : await findGeneratedDrift(tree, reader, policy.policy),
    base,
    basePolicy: base === undefined ? undefined : (await readPolicy(async () => await findPolicy(base.tree))).policy,
    goneGenerations: base === undefined ? [] : await listGone(base, new Set(secretPaths)),
  };
}

/** Scopes with the ids of their generations, and files of ours that belong to no scope that is there. */
function groupPaths(paths: readonly string[]): { scopes: Map<ScopePath, string[]>; others: string[] } {
  const parsed = paths.map((path) => ({ path, item: parseSecretsPath(path) }));
  const scopes = new Map<ScopePath, string[]>();
  for (const { item } of parsed) if (item?.kind === "scope") scopes.set(item.scope, []);
  const others: string[] = [];
  for (const { path, item } of parsed) {
    const generations = item?.kind === "generation" ? scopes.get(item.scope) : undefined;
    if (item?.kind === "generation" && generations !== undefined) generations.push(item.generation);
    else if (item !== undefined && item.kind !== "scope") others.push(path);
  }
  return { scopes: new Map([...scopes].sort(([a], [b]) => (a < b ? -1 : 1))), others };
}

async function listGone({ tree }: ReviewBase, present: ReadonlySet<string>): Promise<string[]> {
  const before = await createFileReader(tree).list(secretsDirectory);
  return before.filter((path) => !present.has(path) && parseSecretsPath(path)?.kind === "generation");
}

function groupByScope(addresses: readonly Address[]): Map<ScopePath, Address[]> {
  const groups = new Map<ScopePath, Address[]>();
  for (const address of addresses) {
    const group = groups.get(address.scope);
    if (group === undefined) groups.set(address.scope, [address]);
    else group.push(address);
  }
  return groups;
}

function listRecipients(policy: Policy | undefined): Map<string, Recipient> {
  const members = [...(policy?.members.values() ?? [])].flatMap(({ recipients }) => recipients);
  const all = [...members, ...[...(policy?.recovery.values() ?? [])].flat()];
  return new Map(all.map((recipient) => [fingerprintOf(recipient.text), recipient]));
}

/** The files of the policies in memory, each read once; one that is not safe to read throws when it is asked for. */
async function readPolicies(reader: FileReader, paths: readonly string[]): Promise<Tree> {
  const files = new Map<string, Uint8Array | undefined>();
  for (const path of paths) if (isOurs(path)) files.set(path, await reader.read(path));
  return {
    label: "the policies",
    read(path) {
      const error = reader.unsafe.find(({ file }) => file === path);
      return error === undefined ? Promise.resolve(files.get(path)) : Promise.reject(error);
    },
    list: (directory) => Promise.resolve(paths.filter((path) => path.startsWith(`${directory}/`))),
  };
}

/** The file of the root, also when it is empty, those below our folders, and `.gitmodules`. */
async function readGitFiles(reader: FileReader, paths: readonly string[]): Promise<Map<string, string>> {
  const below = paths.filter((path) => path.endsWith(`/${attributesPath}`));
  const files = new Map<string, string>();
  for (const path of [attributesPath, ...below, modulesPath]) {
    const bytes = await reader.read(path);
    if (bytes !== undefined) files.set(path, Buffer.from(bytes).toString("utf8"));
  }
  return files;
}

async function hasAttributes(text: string | undefined): Promise<boolean> {
  const read = () => Promise.resolve(text === undefined ? undefined : Buffer.from(text));
  return (await planAttributes({ label: "", read, list: () => Promise.resolve([]) })) === undefined;
}

/** Loaded only where there are targets. */
async function readDeployFindings(policies: Tree, tree: Tree): Promise<readonly Finding[]> {
  const { readDeployPolicy } = await import("../deploy/policy.ts");
  const { findNameFindings } = await import("../deploy/name-findings.ts");
  const { policy, findings } = await readPolicy(async () => {
    const file = await readDeployPolicy(policies);
    return { policy: file, findings: file.findings };
  });
  return policy === undefined ? findings : [...findings, ...(await findNameFindings(policy, tree))];
}

function asPolicy<T extends { readonly findings: readonly Finding[] }>(file: T) {
  return { policy: file, findings: file.findings };
}

async function readPolicy<T>(
  find: () => Promise<{ policy: T | undefined; findings: readonly Finding[] }>,
): Promise<{ policy: T | undefined; findings: readonly Finding[] }> {
  try {
    return await find();
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    // An unsafe file is in the list of those already.
    return { policy: undefined, findings: hasCode(error, "E_UNSAFE_FILE") ? [] : [findingOf("policy", error)] };
  }
}

function parseAccess(bytes: Uint8Array | undefined): StrictDocument | undefined {
  return bytes === undefined ? undefined : parseStrictYaml(bytes, accessPolicyPath);
}
