import type { Identity } from "../crypto/identity.ts";
import { isSealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { splitReferences } from "../secret/reference.ts";
import type { Secret } from "../secret/secret.ts";
import { compareText } from "../secret/text-order.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { openScope } from "../values/open-scope.ts";
import { mayRefer } from "./interpolate.ts";

/** Secrets by printed address to those whose values have theirs in them, also through others; sorted. */
export type Dependents = ReadonlyMap<string, readonly string[]>;

/**
 * What changes when one of `addresses` does: the secrets of `tree` that refer to it. Looks only at
 * what the identities open, scope after scope, and leaves out what does not open.
 */
export async function findDependents(
  tree: Tree,
  identities: readonly Identity[],
  addresses: readonly Address[],
): Promise<Dependents> {
  const referring = await readReferring(tree, identities);
  const dependents = new Map<string, readonly string[]>();
  for (const address of addresses.map(printAddress)) {
    const found = new Set<string>();
    const open = [...(referring.get(address) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === address || found.has(next)) continue;
      found.add(next);
      open.push(...(referring.get(next) ?? []));
    }
    if (found.size > 0) dependents.set(address, [...found].sort(compareText));
  }
  return dependents;
}

/** From each secret that is referred to, to those that name it. */
async function readReferring(tree: Tree, identities: readonly Identity[]): Promise<Map<string, Set<string>>> {
  const referring = new Map<string, Set<string>>();
  for (const scope of await listScopes(tree)) {
    const opened = await attempt(async () => await openScope(tree, scope, identities));
    for (const name of opened?.entries.keys() ?? []) {
      const secret = await attempt(async () => await opened?.open(name));
      if (secret === undefined) continue;
      for (const target of referredBy(secret)) {
        const known = referring.get(target) ?? new Set();
        referring.set(target, known.add(printAddress({ scope, name })));
      }
    }
  }
  return referring;
}

function referredBy(secret: Secret): string[] {
  if (!mayRefer(secret)) return [];
  return splitReferences(secret.revealText() ?? "").flatMap((piece) =>
    piece.kind === "reference" ? [printAddress(piece.address)] : [],
  );
}

async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
