import { commonFields, deploySchema, type EnvironmentEntry, type WrittenTarget } from "../deploy/policy-schema.ts";
import { SealtreeError } from "../errors.ts";
import { suggest } from "../secret/suggest.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { deployPolicyPath } from "../store/layout.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { Tree } from "../store/tree.ts";

/** A source of an environment: this repository, or a target of the policy as it is written. */
export type EnvironmentSource =
  | { readonly kind: "repo" }
  | { readonly kind: "target"; readonly name: string; readonly target: SourceTarget };

/** What reading from a target needs of its entry; a source that is no target has no scopes of its own. */
export type SourceTarget = Pick<WrittenTarget, "kind" | "names" | "only" | "prefix"> & {
  readonly scopes: readonly string[] | undefined;
  /** The fields of its kind. */
  readonly options: Readonly<Record<string, unknown>>;
};

/** Where values are read from in one environment. */
export interface EnvironmentPolicy {
  readonly sources: readonly EnvironmentSource[];
  /** A .env file of the repository, read last; undefined for none. */
  readonly fallback: string | undefined;
  /** How long a value is kept, in milliseconds; 0 keeps none. */
  readonly cacheMs: number;
}

/**
 * What `policies/deploy.yaml` says of an environment. Looks at no other part of the file but the targets
 * that are its sources. Throws E_POLICY_INVALID, and E_USAGE for an environment that there is not.
 */
export async function loadEnvironmentPolicy(tree: Pick<Tree, "read">, name: string): Promise<EnvironmentPolicy> {
  const bytes = await tree.read(deployPolicyPath);
  const findings: Finding[] = [];
  const options = { schema: deploySchema, rule: "deploy-policy", findings };
  const checked = bytes === undefined ? undefined : readChecked(bytes, deployPolicyPath, options);
  const [first, ...others] = findings;
  if (first !== undefined) throw policyError(first, others);
  const environments = checked?.data.environments ?? {};
  const entry = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (entry === undefined) throw unknownEnvironment(name, Object.keys(environments));
  const { sources, fallback, cache } = entry;
  return {
    sources: sources.map((source) => readSource(source, name, checked?.data.targets ?? {})),
    fallback: fallback === "none" ? undefined : fallback,
    cacheMs: cache === "off" ? 0 : cache,
  };
}

function readSource(
  source: EnvironmentEntry["sources"][number],
  environment: string,
  targets: Readonly<Record<string, WrittenTarget>>,
): EnvironmentSource {
  if (source === "repo") return { kind: "repo" };
  if (typeof source !== "string") {
    const { kind, ...options } = source;
    return { kind: "target", name: kind, target: { kind, names: {}, scopes: undefined, options } };
  }
  const written = Object.hasOwn(targets, source) ? targets[source] : undefined;
  if (written === undefined) {
    throw new SealtreeError("E_POLICY_INVALID", `a source of the environment ${environment} is no target`, {
      file: deployPolicyPath,
      hints: ["a source is repo, the name of a target, or the entry of a provider with its kind"],
    });
  }
  const { kind, names, only, prefix, scopes } = written;
  const options = Object.fromEntries(Object.entries(written).filter(([field]) => !commonFields.has(field)));
  const naming = { names, ...(only === undefined ? {} : { only }), ...(prefix === undefined ? {} : { prefix }) };
  return { kind: "target", name: source, target: { kind, ...naming, scopes, options } };
}

function unknownEnvironment(name: string, known: readonly string[]): SealtreeError {
  const there = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
  return new SealtreeError("E_USAGE", `${deployPolicyPath} has no environment of that name`, {
    hints: [...suggest(name, known), there, "it is chosen by the option environment, or by SEALTREE_ENVIRONMENT"],
  });
}
