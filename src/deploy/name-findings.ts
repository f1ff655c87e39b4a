import { isSealtreeError } from "../errors.ts";
import { printAddress, type ScopePath, type SecretName } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import { readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { deployFinding, type DeployPolicyFile, type TargetEntry } from "./policy.ts";
import { findNameProblem, nameKey, nameThere, takesName } from "./target-names.ts";

/** What holds at a target by names alone, without a key. */
export interface NamedItem {
  readonly address: string;
  readonly name: string;
}

/** The names in the scopes of a tree, read once each; undefined for a scope that is not there or cannot be read. */
export type ScopeNames = (scope: ScopePath) => Promise<readonly SecretName[] | undefined>;

/** Reads the names of scopes, each once. A scope file with mistakes is another finding's business. */
export function readScopeNames(tree: Tree): ScopeNames {
  const known = new Map<ScopePath, Promise<readonly SecretName[] | undefined>>();
  const read = async (scope: ScopePath) => {
    try {
      const entries = await readScope(tree, scope);
      return entries === undefined ? undefined : [...entries.keys()];
    } catch (error) {
      if (isSealtreeError(error)) return [];
      throw error;
    }
  };
  return (scope) => {
    const names = known.get(scope) ?? read(scope);
    known.set(scope, names);
    return names;
  };
}

/** What a target shall have, by names. */
export async function listNamed(entry: TargetEntry, namesOf: ScopeNames): Promise<NamedItem[]> {
  const items: NamedItem[] = [];
  for (const scope of new Set(entry.scopes)) {
    for (const name of (await namesOf(scope)) ?? []) {
      if (takesName(entry.only, name))
        items.push({ address: printAddress({ scope, name }), name: nameThere(entry, name) });
    }
  }
  return items;
}

/**
 * What is wrong between the targets of a policy and the secrets of a tree: scopes that are not there,
 * names that a target does not take, two secrets under one name, and names of nothing. With `targets`
 * only what concerns one of these.
 */
export async function findNameFindings(
  file: DeployPolicyFile,
  tree: Tree,
  targets?: ReadonlySet<string>,
): Promise<Finding[]> {
  const namesOf = readScopeNames(tree);
  const findings: Finding[] = [];
  const places = new Map<string, { readonly address: string; readonly target: string }>();
  const concerns = (name: string | undefined) => targets === undefined || (name !== undefined && targets.has(name));
  for (const entry of file.policy?.targets.values() ?? []) {
    if (concerns(entry.name)) findings.push(...(await listGone(entry, file, namesOf)));
    for (const item of await listNamed(entry, namesOf)) {
      const judged = judgeName(entry, item, file, places);
      if (judged !== undefined && (concerns(entry.name) || concerns(judged.other))) findings.push(judged.finding);
    }
  }
  return findings;
}

async function listGone(entry: TargetEntry, file: DeployPolicyFile, namesOf: ScopeNames): Promise<Finding[]> {
  const findings: Finding[] = [];
  const names = new Set<SecretName>();
  for (const [index, scope] of entry.scopes.entries()) {
    const found = await namesOf(scope);
    for (const name of found ?? []) names.add(name);
    if (found !== undefined) continue;
    const message = `${entry.name}: there is no scope ${scope}`;
    findings.push(deployFinding(file, ["targets", entry.name, "scopes", index], message, { hint: "sealtree list" }));
  }
  for (const name of entry.names.keys()) {
    if ([...names].some((known) => known === name)) continue;
    const message = `${entry.name}: names has ${name}, and its scopes have no such secret`;
    findings.push(deployFinding(file, ["targets", entry.name, "names", name], message, { severity: "warning" }));
  }
  return findings;
}

function judgeName(
  entry: TargetEntry,
  { address, name }: NamedItem,
  file: DeployPolicyFile,
  places: Map<string, { readonly address: string; readonly target: string }>,
): { readonly finding: Finding; readonly other?: string } | undefined {
  const { nameRule } = entry.bound.facts;
  const path = ["targets", entry.name];
  const hint = "give it another name there with names:, or leave it out with only:";
  const problem = findNameProblem(nameRule, name);
  const say = (message: string) => deployFinding(file, path, `${entry.name}: ${message}`, { hint });
  if (problem !== undefined) return { finding: say(`the name of ${address} there ${problem}`) };
  const key = JSON.stringify([entry.kind, entry.bound.place, nameKey(nameRule, name)]);
  const other = places.get(key);
  places.set(key, { address, target: entry.name });
  if (other === undefined) return undefined;
  const where = other.target === entry.name ? "" : ` of the target ${other.target}`;
  return { finding: say(`${address} and ${other.address}${where} have one name there`), other: other.target };
}
