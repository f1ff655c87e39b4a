import { hasCode } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { scopeNotFound } from "../values/not-found.ts";
import type { Provider } from "./provider.ts";
import type { RepoAccess } from "./repo-provider.ts";
import type { RuntimeSecret } from "./runtime-secret.ts";

/** What reading a whole scope needs. */
export interface ScopeReading extends Pick<RepoAccess, "openTree"> {
  readonly providers: readonly Provider[];
  get(address: string): Promise<RuntimeSecret>;
}

/**
 * All secrets of a scope by name, in the order of its file. Names are read without a key, each time. A
 * secret that no source takes is left out; one that a source takes and nobody has is an error. Throws
 * E_SCOPE_NOT_FOUND.
 */
export async function readScopeSecrets(
  scope: ScopePath,
  from: ScopeReading,
): Promise<ReadonlyMap<string, RuntimeSecret>> {
  const names = await listNames(scope, from);
  const reads = names.map(async (name): Promise<readonly [string, RuntimeSecret][]> => {
    try {
      return [[name, await from.get(`${scope}/${name}`)]];
    } catch (error) {
      const isWanted = from.providers.some((it) => it.isOptional !== true && it.takes({ scope, name }));
      if (isWanted || !hasCode(error, "E_SECRET_NOT_FOUND")) throw error;
      return [];
    }
  });
  return new Map((await Promise.all(reads)).flat());
}

async function listNames(scope: ScopePath, from: ScopeReading) {
  const opened = await from.openTree();
  try {
    const entries = await readScope(opened.tree, scope);
    if (entries === undefined) throw await scopeNotFound(opened.tree, scope);
    return [...entries.keys()];
  } finally {
    opened.close();
  }
}
