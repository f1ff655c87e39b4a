import { printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { findSecretSchema, listRequired } from "../values/secret-schema.ts";
import type { TemplateSecret } from "./template.ts";

/**
 * What becomes of one secret: it is there and stays, it is made, asked for or copied, or the source
 * of its copy is not there.
 */
export type Step = "stays" | "generate" | "prompt" | "copy" | "no source";

export interface PlannedSecret extends TemplateSecret {
  readonly step: Step;
}

export interface ProvisionPlan {
  readonly secrets: readonly PlannedSecret[];
  /** Addresses that `policies/schema.yaml` asks for and that neither are there nor come. */
  readonly missing: readonly string[];
}

/** What a template means for the scopes as they are in `tree`. Opens nothing, and needs no key. */
export async function planProvision(tree: Tree, template: readonly TemplateSecret[]): Promise<ProvisionPlan> {
  const scopes = new Map<ScopePath, ScopeEntries>();
  const entriesOf = async (scope: ScopePath): Promise<ScopeEntries> => {
    const known = scopes.get(scope) ?? (await readScope(tree, scope)) ?? new Map<never, never>();
    scopes.set(scope, known);
    return known;
  };
  const secrets: PlannedSecret[] = [];
  for (const secret of template) {
    const { address, origin } = secret;
    const isThere = (await entriesOf(address.scope)).has(address.name);
    const lacksSource = origin.way === "copy" && !(await entriesOf(origin.from.scope)).has(origin.from.name);
    secrets.push({ ...secret, step: isThere ? "stays" : lacksSource ? "no source" : origin.way });
  }
  const { schema } = await findSecretSchema(tree);
  const missing: string[] = [];
  for (const scope of new Set(template.map(({ address }) => address.scope))) {
    const present = await entriesOf(scope);
    const coming = new Set<SecretName>(
      template.flatMap(({ address, optional }) => (address.scope === scope && !optional ? [address.name] : [])),
    );
    for (const name of schema === undefined ? [] : listRequired(schema, scope)) {
      if (!present.has(name) && !coming.has(name)) missing.push(printAddress({ scope, name }));
    }
  }
  return { secrets, missing };
}
