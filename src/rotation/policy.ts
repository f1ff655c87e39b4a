import { isSealtreeError } from "../errors.ts";
import {
  parseAddress,
  parseSecretName,
  printAddress,
  type Address,
  type ScopePath,
  type SecretName,
} from "../secret/address.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { readScope } from "../store/keyring.ts";
import { rotationPolicyPath } from "../store/layout.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { StrictDocument } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";
import { dayMs } from "./duration.ts";
import { rotationSchema, type RuleFields } from "./policy-schema.ts";
import { findPublicProblems } from "./public-path.ts";
import type { RotatorName, WrittenOptions } from "./rotators/registry.ts";

/** When each secret gets a new value and how, checked: every type and rotator that is named is there. */
export interface RotationPolicy {
  readonly defaults: RuleFields;
  readonly types: ReadonlyMap<string, RuleFields>;
  /** By printed address. */
  readonly secrets: ReadonlyMap<string, SecretFields>;
}

/** What the policy says of one secret. */
export type SecretFields = RuleFields & { readonly type?: string; readonly public?: string };

/** What holds for one secret. Times are in milliseconds. */
export interface Rule {
  readonly type: string | undefined;
  readonly intervalMs: number | "never";
  /** Time of day in UTC at which a value becomes due. */
  readonly atMs: number;
  readonly noticeMs: number;
  readonly isRollbackAllowed: boolean;
  /** How long the old credential stays alive beside the new one. */
  readonly graceMs: number;
  readonly rotator: RotatorName;
  readonly options: WrittenOptions;
  /** What the secret itself holds of a credential: its first part, or a URL or a JSON object with all. */
  readonly as: "plain" | "url" | "json";
  /** Secrets of the same scope that hold other parts of the credential, by part. */
  readonly companions: ReadonlyMap<string, SecretName>;
  /** Where in the repository the public half of each new value is written. */
  readonly publicPath: string | undefined;
  readonly owner: string | undefined;
  readonly runbook: string | undefined;
}

/** What holds where the policy says nothing. */
export const builtIn = {
  interval: 90 * dayMs,
  at: 2 * 3_600_000,
  notice: 7 * dayMs,
  rollback: true,
  grace: dayMs,
  rotator: "manual",
} as const satisfies RuleFields;

/**
 * The rule of a secret; undefined when `secrets` does not name it. Field by field the secret
 * says, else its type, else the defaults, else what is built in; `options` come with the
 * rotator from the one place that names it.
 */
export function ruleFor(policy: RotationPolicy, address: Address): Rule | undefined {
  const own = policy.secrets.get(printAddress(address));
  if (own === undefined) return undefined;
  const type = own.type === undefined ? undefined : policy.types.get(own.type);
  const merged = { ...builtIn, ...policy.defaults, ...type, ...own };
  const chosen = [own, type, policy.defaults].find((place) => place?.rotator !== undefined);
  return {
    type: own.type,
    intervalMs: merged.interval,
    atMs: merged.at,
    noticeMs: merged.notice,
    isRollbackAllowed: merged.rollback,
    graceMs: merged.grace,
    rotator: merged.rotator,
    options: chosen?.options ?? {},
    as: own.as ?? type?.as ?? policy.defaults.as ?? "plain",
    companions: toCompanions(own.parts ?? type?.parts ?? policy.defaults.parts ?? {}),
    publicPath: own.public,
    owner: own.owner ?? type?.owner ?? policy.defaults.owner,
    runbook: own.runbook ?? type?.runbook ?? policy.defaults.runbook,
  };
}

function toCompanions(parts: Readonly<Record<string, string>>): Map<string, SecretName> {
  return new Map(Object.entries(parts).map(([part, name]) => [part, parseSecretName(name)]));
}

/** The rotation policy of a tree, without any rule when there is no file. Throws E_POLICY_INVALID with the first error. */
export async function loadRotationPolicy(tree: Tree): Promise<RotationPolicy> {
  const { policy, findings } = await readRotationPolicy(tree);
  const [first, ...others] = findings;
  if (first === undefined) return policy ?? { defaults: {}, types: new Map(), secrets: new Map() };
  throw policyError(first, others);
}

/** A rotation policy as it is written. */
export interface RotationPolicyFile {
  /** Undefined when there is no file, or it cannot be understood. */
  readonly policy: RotationPolicy | undefined;
  /** What is wrong in the file itself; errors all of them. */
  readonly findings: readonly Finding[];
  /** The warning that `address` has a rule and no such secret is there. */
  strangerFinding(address: string): Finding;
}

/** The rotation policy of a tree with everything that is wrong in it, without a look at the secrets. */
export async function readRotationPolicy(tree: Tree): Promise<RotationPolicyFile> {
  const bytes = await tree.read(rotationPolicyPath);
  const findings: Finding[] = [];
  const parsed = bytes === undefined ? undefined : parsePolicy(bytes, findings);
  for (const [address, { type }] of parsed?.policy.secrets ?? []) {
    if (parsed === undefined || type === undefined || parsed.policy.types.has(type)) continue;
    findings.push({
      rule: "rotation-policy",
      severity: "error",
      message: `${address} has the type ${type}, which is not defined`,
      file: rotationPolicyPath,
      line: parsed.document.lineOf(["secrets", address, "type"]),
      hint: "define it under types",
    });
  }
  if (parsed !== undefined) findings.push(...listPublicFindings(parsed));
  return {
    policy: parsed?.policy,
    findings,
    strangerFinding: (address) => ({
      rule: "rotation-policy",
      severity: "warning",
      message: `${address} has a rule, and there is no such secret`,
      file: rotationPolicyPath,
      line: parsed?.document.lineOf(["secrets", address]) ?? 1,
      hint: "remove the rule, or set the secret",
    }),
  };
}

/** {@link readRotationPolicy} with a warning for each rule whose secret is not there. */
export async function findRotationPolicy(
  tree: Tree,
): Promise<{ policy: RotationPolicy | undefined; findings: Finding[] }> {
  const file = await readRotationPolicy(tree);
  const { policy, findings } = file;
  const strangers: Finding[] = [];
  const names = new Map<ScopePath, ReadonlySet<string> | undefined>();
  for (const address of policy?.secrets.keys() ?? []) {
    const { scope, name } = parseAddress(address);
    if (!names.has(scope)) names.set(scope, await listNames(tree, scope));
    if (names.get(scope)?.has(name) === false) strangers.push(file.strangerFinding(address));
  }
  return { policy, findings: [...findings, ...strangers] };
}

interface ParsedPolicy {
  readonly policy: RotationPolicy;
  readonly document: StrictDocument;
}

function listPublicFindings({ policy, document }: ParsedPolicy): Finding[] {
  const rules = [...policy.secrets].flatMap(([address, { public: path }]) => {
    const rule = path === undefined ? undefined : ruleFor(policy, parseAddress(address));
    return rule === undefined ? [] : [[address, rule] as const];
  });
  return [...findPublicProblems(new Map(rules))].map(([address, problem]) => ({
    rule: "rotation-policy",
    severity: "error",
    message: `${address} ${problem}`,
    file: rotationPolicyPath,
    line: document.lineOf(["secrets", address, "public"]),
    hint: "docs/generators.md says which generators have a public half; each needs a path of its own",
  }));
}

function parsePolicy(bytes: Uint8Array, findings: Finding[]): ParsedPolicy | undefined {
  const checked = readChecked(bytes, rotationPolicyPath, { schema: rotationSchema, rule: "rotation-policy", findings });
  if (checked === undefined) return undefined;
  const { data, document } = checked;
  return { policy: { defaults: data.defaults, types: toMap(data.types), secrets: toMap(data.secrets) }, document };
}

/** The names in a scope; undefined when it cannot be read, which is another finding's business. */
async function listNames(tree: Tree, scope: ScopePath): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set((await readScope(tree, scope))?.keys());
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

function toMap<T>(object: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(object));
}
