import { resolveValues, type ResolvedSecret } from "../resolve/interpolate.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { selectSecrets } from "../values/select-secrets.ts";
import { auditReads } from "./audit-reads.ts";
import type { Context } from "./context.ts";

/**
 * Opens the secrets of `scopes`, with `only` no others than those names, with the references in them
 * resolved. Throws what selecting and resolving throws.
 */
export async function openValues(
  context: Context,
  scopes: readonly ScopePath[],
  only: readonly SecretName[] | undefined,
): Promise<ResolvedSecret[]> {
  const [tree, identities] = [await context.tree(), await context.session.identities()];
  return await resolveValues(tree, identities, await selectSecrets(tree, scopes, identities, only));
}

/** Puts the reads of {@link openValues} into the audit log, with those of all they refer to, before the values leave. */
export function auditOpened(context: Context, operation: string, opened: readonly ResolvedSecret[]): void {
  auditReads(context, operation, [...opened, ...opened.flatMap(({ references }) => references)]);
}
