import { checkAllowed, findMember } from "../access/permission.ts";
import { loadPolicy } from "../access/policy.ts";
import type { Session } from "../access/session.ts";
import { SealtreeError } from "../errors.ts";
import { isBefore } from "../git/ancestors.ts";
import { listUncommitted } from "../git/changes.ts";
import { parseAddress, printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { policyError } from "../store/finding.ts";
import { deployPolicyPath, scopeFilePath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { findSecretSchema, listRequired } from "../values/secret-schema.ts";
import { findFactProblems } from "./check-facts.ts";
import type { DeployValues, SourcedItem } from "./deploy-values.ts";
import { findNameFindings } from "./name-findings.ts";
import type { ReceiptStore } from "./receipt-store.ts";
import type { DeployPolicyFile, TargetEntry } from "./policy.ts";
import { takesName } from "./target-names.ts";

/** The entries of these names, or all of them. Throws E_TARGET_NOT_FOUND. */
export function chooseTargets(targets: ReadonlyMap<string, TargetEntry>, names: readonly string[]): TargetEntry[] {
  const [strange] = names.filter((name) => !targets.has(name));
  if (strange === undefined)
    return [...targets.values()].filter(({ name }) => names.length === 0 || names.includes(name));
  const known = [...targets.keys()].join(", ");
  throw new SealtreeError("E_TARGET_NOT_FOUND", `there is no such target in ${deployPolicyPath}`, {
    hints: [known === "" ? "there are no targets yet: docs/deploy.md shows how to write one" : `there are ${known}`],
  });
}

/** Throws E_POLICY_INVALID with what is wrong in the policy. */
export function checkPolicy({ findings }: DeployPolicyFile): void {
  const [first, ...others] = findings;
  if (first !== undefined) throw policyError(first, others);
}

/** Throws E_POLICY_INVALID with what is wrong between `entries` and the secrets of `tree`. */
export async function checkNames(file: DeployPolicyFile, tree: Tree, entries: readonly TargetEntry[]): Promise<void> {
  const findings = await findNameFindings(file, tree, new Set(entries.map(({ name }) => name)));
  const [first, ...others] = findings.filter(({ severity }) => severity === "error");
  if (first !== undefined) throw policyError(first, others);
}

/** The name of who deploys. Throws E_PERMISSION_DENIED unless they may deploy from every scope. */
export async function checkMayDeploy(session: Session, entries: readonly TargetEntry[]): Promise<string | undefined> {
  const policy = await loadPolicy(openWorkTree(session.place.root));
  const member = await findMember(policy, await session.identities());
  for (const scope of listScopes(entries)) checkAllowed(policy, member, "deploy", scope);
  return member?.name;
}

/** Throws E_DEPLOY_REFUSED for a file that is not as it was committed, of which the wrong half would be deployed. */
export async function checkCommitted(
  session: Session,
  entries: readonly TargetEntry[],
  isAtRevision: boolean,
): Promise<void> {
  const scopes = isAtRevision ? [] : listScopes(entries).map(scopeFilePath);
  const [changed] = await listUncommitted(session.place, [deployPolicyPath, ...scopes]);
  if (changed === undefined) return;
  throw new SealtreeError("E_DEPLOY_REFUSED", `${changed.path} is not committed, and what is deployed is a commit`, {
    file: changed.path,
    hints: [
      `git add ${changed.path} && git commit`,
      ...(changed.path === deployPolicyPath ? [] : ["or deploy the values that are committed: --at HEAD"]),
    ],
  });
}

/**
 * Throws E_DEPLOY_REFUSED when a target has values of a commit that comes after `commit`, such as in a
 * job that was late: it would take them back.
 */
export async function checkNotOlder(
  session: Session,
  entries: readonly TargetEntry[],
  commit: string,
  receipts: ReceiptStore,
): Promise<void> {
  for (const { name, bound } of entries) {
    const receipt = receipts.get(name);
    if (receipt?.place !== bound.place || !(await isBefore(session.place, commit, receipt.commit))) continue;
    const newer = receipt.commit.slice(0, 9);
    throw new SealtreeError(
      "E_DEPLOY_REFUSED",
      `${name} has values of ${newer}, which comes after what is to be deployed`,
      {
        hints: ["git pull, then deploy", `to go back on purpose: sealtree deploy --at ${commit.slice(0, 9)}`],
      },
    );
  }
}

/** A required secret that is not there, as the target would have it. */
export async function listMissingRequired(
  tree: Tree,
  entries: readonly TargetEntry[],
  values: DeployValues,
): Promise<Address[]> {
  const { schema, findings } = await findSecretSchema(tree);
  const [first, ...others] = findings;
  if (first !== undefined) throw policyError(first, others);
  if (schema === undefined) return [];
  const missing = new Map<string, Address>();
  for (const { scopes, only } of entries) {
    for (const scope of scopes) {
      const present = await values.entries(scope);
      for (const name of listRequired(schema, scope)) {
        const address = { scope, name };
        if (takesName(only, name) && !present.has(name)) missing.set(printAddress(address), address);
      }
    }
  }
  return [...missing.values()];
}

/** Throws E_REQUIRED_MISSING when there are any. */
export function checkRequired(missing: readonly Address[]): void {
  const [first, ...others] = missing.map(printAddress);
  if (first === undefined) return;
  throw new SealtreeError("E_REQUIRED_MISSING", `${first} is required and is not there, so nothing was sent`, {
    hints: [
      `sealtree set ${first}`,
      ...(others.length === 0 ? [] : [`${others.length} more are missing: ${others.slice(0, 5).join(", ")}`]),
    ],
  });
}

/** Throws E_DEPLOY_REFUSED with everything that one of the targets would not take. */
export function checkFacts(wanted: ReadonlyMap<TargetEntry, readonly SourcedItem[]>): void {
  const problems = [...wanted].flatMap(([entry, items]) => [
    ...listDrops(entry, items),
    ...findFactProblems(entry, items),
  ]);
  const [first, ...others] = problems;
  if (first === undefined) return;
  const shown = others.slice(0, 10);
  throw new SealtreeError("E_DEPLOY_REFUSED", `${first}; nothing was sent anywhere`, {
    file: deployPolicyPath,
    hints: [...shown, ...(others.length > shown.length ? [`${others.length - shown.length} more`] : [])],
  });
}

function listDrops({ name, allowsDrops }: TargetEntry, items: readonly SourcedItem[]): string[] {
  if (allowsDrops) return [];
  return items.flatMap(({ drop }) =>
    drop === undefined
      ? []
      : [
          `${drop} is a drop that no reader has looked at: sealtree adopt ${parseAddress(drop).scope}, or drops: allow for ${name}`,
        ],
  );
}

function listScopes(entries: readonly TargetEntry[]): ScopePath[] {
  return [...new Set(entries.flatMap(({ scopes }) => scopes))];
}
