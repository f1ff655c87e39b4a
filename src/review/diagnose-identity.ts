import { isAllowed, findMember } from "../access/permission.ts";
import { findPolicy, type Member, type Policy } from "../access/policy.ts";
import type { Identity } from "../crypto/identity.ts";
import { hasCode, isSealtreeError } from "../errors.ts";
import { findIdentities } from "../identity/load.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { diagnoseKeychain, diagnosePermissions, diagnosePlugins } from "./diagnose-keys.ts";
import { fail, ok, warn, type Diagnosis, type Patient } from "./diagnosis.ts";

/** Where private keys were looked for, who may read those files, and whose they are in the policy of `tree`. */
export async function diagnoseIdentity(patient: Patient, tree: Tree | undefined): Promise<Diagnosis[]> {
  // The doctor looks, and asks nothing.
  const plugins = async () => await patient.session.plugins();
  const { identities, sources } = await findIdentities({ env: patient.env, plugins });
  const broken = sources.filter(({ isBroken }) => isBroken);
  const found = sources.filter(({ kind }) => kind !== undefined);
  const references = found.filter(({ kind }) => kind === "keychain").flatMap((source) => source.identities);
  const makeOne = "sealtree keygen makes one; SEALTREE_IDENTITY_FILE names another place";
  return [
    ...(identities.length === 0
      ? [fail("identity", `none in ${sources.map(({ place }) => place).join(", ")}`, makeOne)]
      : found.map(({ place, outcome }) => ok("identity", `${outcome} in ${place}`))),
    ...broken.map(({ place, outcome }) =>
      warn("identity", `${place}: ${outcome}`, "mend it, or take it out of the environment"),
    ),
    ...sources.flatMap(diagnosePermissions),
    ...diagnosePlugins(patient.env, identities, tree && patient.session.place.root),
    ...(await Promise.all(references.map(diagnoseKeychain))),
    ...(tree === undefined ? [] : [await diagnoseMember(tree, identities)]),
  ];
}

async function diagnoseMember(tree: Tree, identities: readonly Identity[]): Promise<Diagnosis> {
  const policy = await policyOrNone(tree);
  if (policy === undefined) return warn("member", "the policy cannot be read, so nobody is a member", "sealtree check");
  const known = await findKnown(policy, identities);
  if (known === "locked") {
    return warn("member", "who you are is behind a passphrase", "put the public half beside the file, as PATH.pub");
  }
  const { member, recipient } = known;
  if (member === undefined) {
    return warn(
      "member",
      "your identity is no member's",
      `ask an admin: sealtree member add NAME --role ROLE --recipient ${recipient}`,
    );
  }
  const scopes = await listScopes(tree);
  return ok(
    "member",
    describeMember(
      policy,
      member,
      scopes.filter((scope) => isAllowed(policy, member, "read", scope)).length,
      scopes.length,
    ),
  );
}

/** The member; a recipient to send to an admin when it is nobody's. */
async function findKnown(
  policy: Policy,
  identities: readonly Identity[],
): Promise<{ readonly member: Member | undefined; readonly recipient: string } | "locked"> {
  try {
    const recipients = await Promise.all(identities.map(async (identity) => await identity.recipients()));
    return { member: await findMember(policy, identities), recipient: recipients.flat()[0]?.text ?? "R" };
  } catch (error) {
    if (hasCode(error, "E_NEEDS_TERMINAL")) return "locked";
    throw error;
  }
}

function describeMember(policy: Policy, { name, roles }: Member, readable: number, all: number): string {
  return `you are ${name} (${roles.join(", ")}) and may read ${readable} of ${all} scopes; the policy has version ${policy.version}`;
}

async function policyOrNone(tree: Tree): Promise<Policy | undefined> {
  try {
    return (await findPolicy(tree)).policy;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
