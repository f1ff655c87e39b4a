import type { ScopePath } from "../secret/address.ts";
import { isScopePath } from "../secret/address.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { deployPolicyPath } from "../store/layout.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { StrictDocument } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";
import { findOrderProblems } from "./deploy-order.ts";
import {
  commonFields,
  deploySchema,
  type EnvironmentEntry,
  type WrittenDeployPolicy,
  type WrittenTarget,
} from "./policy-schema.ts";
import type { Naming } from "./target-names.ts";
import { bindTarget, type BoundTarget } from "./targets/bind-target.ts";
import { targetKinds } from "./targets/registry.ts";

/** One target of the policy, with its kind and options in order. */
export interface TargetEntry extends Naming {
  readonly name: string;
  readonly kind: string;
  readonly scopes: readonly ScopePath[];
  readonly bound: BoundTarget;
  /** Whether a deploy fails when it cannot be brought in order. */
  readonly isRequired: boolean;
  /** Whether it comes before all others, which wait for it to be in order. */
  readonly isCanary: boolean;
  /** Targets that come before it. */
  readonly after: readonly string[];
  /** Whether what stands there without a mark may be taken over. */
  readonly adopts: boolean;
  /** Whether a value that no reader has adopted may be deployed. */
  readonly allowsDrops: boolean;
}

/** Where values are deployed to, and where programs read them from, checked. */
export interface DeployPolicy {
  readonly targets: ReadonlyMap<string, TargetEntry>;
  readonly environments: ReadonlyMap<string, EnvironmentEntry>;
}

/** A deploy policy as it is written. */
export interface DeployPolicyFile {
  /** Undefined when there is no file, or it cannot be understood; without the targets that have findings. */
  readonly policy: DeployPolicy | undefined;
  /** What is wrong in the file itself; errors all of them. */
  readonly findings: readonly Finding[];
  /** One-based line of what stands at a path of the file. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** The deploy policy of a tree, without any target when there is no file. Throws E_POLICY_INVALID with the first error. */
export async function loadDeployPolicy(tree: Pick<Tree, "read">): Promise<DeployPolicy> {
  const { policy, findings } = await readDeployPolicy(tree);
  const [first, ...others] = findings;
  if (first === undefined) return policy ?? { targets: new Map(), environments: new Map() };
  throw policyError(first, others);
}

/** The deploy policy of a tree with everything that is wrong in it, without a look at the scopes. */
export async function readDeployPolicy(tree: Pick<Tree, "read">): Promise<DeployPolicyFile> {
  const bytes = await tree.read(deployPolicyPath);
  const findings: Finding[] = [];
  const checked =
    bytes === undefined
      ? undefined
      : readChecked(bytes, deployPolicyPath, { schema: deploySchema, rule: "deploy-policy", findings });
  if (checked === undefined) return { policy: undefined, findings, lineOf: () => 1 };
  const { data, document } = checked;
  const targets = new Map<string, TargetEntry>();
  for (const [name, written] of Object.entries(data.targets)) {
    const entry = await bindEntry(name, written, document, findings);
    if (entry !== undefined) targets.set(name, entry);
  }
  findings.push(...listOrderFindings(data, document), ...listSourceFindings(data, document));
  const environments = new Map(Object.entries(data.environments));
  return { policy: { targets, environments }, findings, lineOf: (path) => document.lineOf(path) };
}

/** A finding about `policies/deploy.yaml`. */
export function deployFinding(
  { lineOf }: Pick<DeployPolicyFile, "lineOf">,
  path: readonly PropertyKey[],
  message: string,
  context: { readonly hint?: string; readonly severity?: Finding["severity"] } = {},
): Finding {
  const { hint, severity = "error" } = context;
  return {
    rule: "deploy-policy",
    severity,
    message,
    file: deployPolicyPath,
    line: lineOf(path),
    ...(hint === undefined ? {} : { hint }),
  };
}

async function bindEntry(
  name: string,
  written: WrittenTarget,
  document: StrictDocument,
  findings: Finding[],
): Promise<TargetEntry | undefined> {
  const { kind, scopes, only, names, prefix, required, canary, after, adopt, drops } = written;
  const options = Object.fromEntries(Object.entries(written).filter(([field]) => !commonFields.has(field)));
  const result = await bindTarget(kind, options);
  if (result === undefined) {
    const hint = `there are ${targetKinds.join(", ")}`;
    findings.push(
      deployFinding(document, ["targets", name, "kind"], `${name}: there is no such kind of target`, { hint }),
    );
    return undefined;
  }
  if ("problems" in result) {
    const hint = `docs/targets/${kind}.md has the fields of ${kind}`;
    for (const { path, message } of result.problems)
      findings.push(deployFinding(document, ["targets", name, ...path], `${name}: ${message}`, { hint }));
    return undefined;
  }
  return {
    name,
    kind,
    scopes: scopes.filter((scope) => isScopePath(scope)),
    only,
    names: new Map(Object.entries(names)),
    prefix: prefix ?? "",
    bound: result.bound,
    toName: (secret) => result.bound.toName(secret),
    isRequired: required,
    isCanary: canary,
    after,
    adopts: adopt,
    allowsDrops: drops === "allow",
  };
}

function listOrderFindings({ targets }: WrittenDeployPolicy, document: StrictDocument): Finding[] {
  const entries = Object.entries(targets).map(([name, { after, canary }]) => ({ name, after, isCanary: canary }));
  return findOrderProblems(entries).map(({ name, message }) =>
    deployFinding(document, ["targets", name, "after"], `${name}: ${message}`),
  );
}

function listSourceFindings({ targets, environments }: WrittenDeployPolicy, document: StrictDocument): Finding[] {
  return Object.entries(environments).flatMap(([name, { sources }]) =>
    sources.flatMap((source, index) =>
      typeof source !== "string" || source === "repo" || Object.hasOwn(targets, source)
        ? []
        : [
            deployFinding(
              document,
              ["environments", name, "sources", index],
              `${name}: a source is neither repo nor one of the targets`,
            ),
          ],
    ),
  );
}
