import { SealtreeError } from "../errors.ts";
import type { Session } from "../access/session.ts";
import { Secret } from "../secret/secret.ts";
import { deployPolicyPath } from "../store/layout.ts";
import { openReferences } from "../services/open-references.ts";
import type { KeptReference } from "../services/secret-reference.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import type { DeployValues } from "./deploy-values.ts";
import type { TargetEntry } from "./policy.ts";

/** How long one call to a target may take, in milliseconds. */
const callTimeoutMs = 30_000;

/** What a target is given to work with: the credentials that its entry names, opened now. Throws SealtreeError, ProviderFailure. */
export async function openAccess(
  entry: TargetEntry,
  session: Session,
  env: Readonly<Record<string, string | undefined>>,
  values: DeployValues,
): Promise<ServiceAccess> {
  const references = await openReferences(entry.bound.references, {
    kept: async (reference) => await readReference(reference, entry, env, values),
    identityToken: session.identityToken,
  });
  return {
    ...references,
    random: session.random,
    now: () => session.now(),
    timeoutMs: callTimeoutMs,
    directory: session.place.root,
    environment: env,
  };
}

async function readReference(
  reference: KeptReference,
  { name, kind }: TargetEntry,
  env: Readonly<Record<string, string | undefined>>,
  values: DeployValues,
): Promise<Secret> {
  if (reference.kind === "secret") return (await values.value(reference.address)).secret;
  const value = env[reference.name];
  if (value !== undefined && value !== "") return Secret.text(value);
  throw new SealtreeError(
    "E_DEPLOY_REFUSED",
    `the environment has no ${reference.name}, which the target ${name} needs`,
    {
      file: deployPolicyPath,
      hints: [`set it where the deploy runs; docs/targets/${kind}.md says what it must be allowed to do`],
    },
  );
}
