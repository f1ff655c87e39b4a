import { SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import { rotationPolicyPath } from "../store/layout.ts";
import { checkPlaces, rotatedNames } from "./credential-values.ts";
import { ruleFor, type Rule } from "./policy.ts";
import type { RotationRun } from "./rotation-run.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Provider } from "./rotators/provider.ts";
import type { BoundProvider } from "./rotators/registry.ts";
import { openReferences } from "../services/open-references.ts";
import { referenceKey, type KeptReference } from "../services/secret-reference.ts";

/** The rule of a secret whose credential is at a provider. */
export interface ProviderRule {
  readonly rule: Rule;
  readonly bound: BoundProvider;
}

/**
 * The rule by which a secret is rotated, checked for where its parts are kept. Throws
 * E_ROTATION_NOT_DONE, E_POLICY_INVALID.
 */
export async function requireProviderRule(
  run: Pick<RotationRun, "bind">,
  view: RotationView,
  address: Address,
): Promise<ProviderRule> {
  const rule = ruleFor(await view.rules(), address);
  const bound = rule === undefined ? undefined : run.bind(rule);
  if (rule === undefined || bound === undefined) {
    throw new SealtreeError(
      "E_ROTATION_NOT_DONE",
      `${printAddress(address)} has ${rule === undefined ? "no rule" : `the rotator ${rule.rotator}, which changes nothing at a provider,`} in ${rotationPolicyPath} of the remote branch`,
      { hints: ["push the policy first, or look at it: sealtree rotation status"] },
    );
  }
  checkPlaces(address, rule, bound.parts, bound.changing);
  return { rule, bound };
}

/**
 * Connects to the provider of a rule; references to other secrets are opened on `view`. Throws
 * ProviderFailure, and E_POLICY_INVALID for a rule that would have a secret rotate itself.
 */
export async function openProvider(
  run: Pick<RotationRun, "session" | "env" | "timeoutMs">,
  view: RotationView,
  address: Address,
  { rule, bound }: ProviderRule,
): Promise<Provider> {
  const own = new Set(rotatedNames(address, rule).map((name) => printAddress({ scope: address.scope, name })));
  for (const reference of bound.references) {
    if (own.has(referenceKey(reference))) {
      throw new SealtreeError(
        "E_POLICY_INVALID",
        `${rotationPolicyPath}: ${printAddress(address)} cannot be what its own rotation logs in with`,
        {
          file: rotationPolicyPath,
          hints: ["give the administrator a secret of its own"],
        },
      );
    }
  }
  const references = await openReferences(bound.references, {
    kept: async (reference) => await readReference(run, view, reference),
    identityToken: run.session.identityToken,
  });
  return await bound.open({
    ...references,
    random: run.session.random,
    now: () => run.session.now(),
    timeoutMs: run.timeoutMs,
    directory: run.session.place.root,
  });
}

async function readReference(
  run: Pick<RotationRun, "env">,
  view: RotationView,
  reference: KeptReference,
): Promise<Secret> {
  if (reference.kind === "secret") {
    const { open } = await view.scope(reference.address.scope);
    return await open.open(reference.address.name);
  }
  const value = run.env[reference.name];
  if (value !== undefined && value !== "") return Secret.text(value);
  throw new SealtreeError("E_ROTATION_NOT_DONE", `the environment has no ${reference.name}, which a rotator needs`, {
    hints: [`set it where the rotation runs; ${rotationPolicyPath} names it`],
  });
}
