import { isSealtreeError } from "../errors.ts";
import { parseAddress, printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { readScope } from "../store/keyring.ts";
import { rotationPolicyPath } from "../store/layout.ts";
import { parseStrictYaml, type StrictDocument } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";
import { dayMs } from "./duration.ts";
import { rotationSchema, type RuleFields } from "./policy-schema.ts";
import type { RotatorName, WrittenOptions } from "./rotators/registry.ts";

/** When each secret gets a new value and how, checked: every type and rotator that is named is there. */
export interface RotationPolicy {
  readonly defaults: RuleFields;
  readonly types: ReadonlyMap<string, RuleFields>;
  /** By printed address. */
  readonly secrets: ReadonlyMap<string, RuleFields & { readonly type?: string }>;
}

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
  readonly owner: string | undefined;
  readonly runbook: string | undefined;
}

const builtIn = {
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
    owner: own.owner ?? type?.owner ?? policy.defaults.owner,
    runbook: own.runbook ?? type?.runbook ?? policy.defaults.runbook,
  };
}

/** The rotation policy of a tree, without any rule when there is no file. Throws E_POLICY_INVALID with the first error. */
export async function loadRotationPolicy(tree: Tree): Promise<RotationPolicy> {
  const { policy, findings } = await findRotationPolicy(tree);
  const [first, ...others] = findings.filter(({ severity }) => severity === "error");
  if (first === undefined) return policy ?? { defaults: {}, types: new Map(), secrets: new Map() };
  throw policyError(first, others);
}

/**
 * The rotation policy of a tree with everything that is wrong in it; a rule for a secret that
 * is not there is a warning. Policy undefined when there is no file or it cannot be understood.
 */
export async function findRotationPolicy(
  tree: Tree,
): Promise<{ policy: RotationPolicy | undefined; findings: Finding[] }> {
  const bytes = await tree.read(rotationPolicyPath);
  if (bytes === undefined) return { policy: undefined, findings: [] };
  const findings: Finding[] = [];
  const parsed = parsePolicy(bytes, findings);
  if (parsed === undefined) return { policy: undefined, findings };
  const names = new Map<ScopePath, Promise<ReadonlySet<string> | undefined>>();
  for (const [address, { type }] of parsed.policy.secrets) {
    const { scope, name } = parseAddress(address);
    const known = names.get(scope) ?? listNames(tree, scope);
    names.set(scope, known);
    const at = ["secrets", address];
    if (type !== undefined && !parsed.policy.types.has(type)) {
      report(
        findings,
        parsed.document,
        [...at, "type"],
        "error",
        `${address} has the type ${type}, which is not defined`,
        "define it under types",
      );
    }
    if ((await known)?.has(name) === false) {
      report(
        findings,
        parsed.document,
        at,
        "warning",
        `${address} has a rule, and there is no such secret`,
        "remove the rule, or set the secret",
      );
    }
  }
  return { policy: parsed.policy, findings };
}

function parsePolicy(
  bytes: Uint8Array,
  findings: Finding[],
): { policy: RotationPolicy; document: StrictDocument } | undefined {
  try {
    const document = parseStrictYaml(bytes, rotationPolicyPath);
    const { success, data, error } = rotationSchema.safeParse(document.data);
    if (success)
      return { policy: { defaults: data.defaults, types: toMap(data.types), secrets: toMap(data.secrets) }, document };
    for (const issue of error.issues) {
      const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
      const where = path.length === 0 ? "the file" : path.map(String).join(".");
      const message = issue.code === "invalid_key" ? issue.issues[0]?.message : issue.message;
      report(findings, document, path, "error", `${where}: ${message ?? issue.message}`);
    }
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    const line = error.line === undefined ? {} : { line: error.line };
    findings.push({
      rule: "rotation-policy",
      severity: "error",
      message: error.message,
      file: rotationPolicyPath,
      ...line,
    });
  }
  return undefined;
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

function report(
  findings: Finding[],
  document: StrictDocument,
  path: readonly PropertyKey[],
  severity: Finding["severity"],
  message: string,
  hint?: string,
): void {
  const more = hint === undefined ? {} : { hint };
  findings.push({
    rule: "rotation-policy",
    severity,
    message,
    file: rotationPolicyPath,
    line: document.lineOf(path),
    ...more,
  });
}

function toMap<T>(object: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(object));
}
