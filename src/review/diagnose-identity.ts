import { statSync } from "node:fs";
import { delimiter } from "node:path";
import { isAllowed, findMember } from "../access/permission.ts";
import { findPolicy, type Member, type Policy } from "../access/policy.ts";
import type { Identity } from "../crypto/identity.ts";
import { isSealtreeError } from "../errors.ts";
import { findIdentities } from "../identity/load.ts";
import { defaultIdentityFile } from "../identity/locations.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { fail, ok, warn, type Diagnosis, type Patient } from "./diagnosis.ts";

/** Where private keys were looked for, who may read those files, and whose they are in the policy of `tree`. */
export async function diagnoseIdentity(patient: Patient, tree: Tree | undefined): Promise<Diagnosis[]> {
  const { identities, sources } = await findIdentities(patient.env);
  const broken = sources.filter(({ isBroken }) => isBroken);
  const found = sources.filter(({ outcome }) => /^\d+ identit/.test(outcome));
  const makeOne = "sealtree keygen makes one; SEALTREE_IDENTITY_FILE names another place";
  const where = found.map(({ place, outcome }) => `${outcome} in ${place}`).join(", ");
  return [
    identities.length === 0
      ? fail("identity", `none in ${sources.map(({ place }) => place).join(", ")}`, makeOne)
      : ok("identity", where),
    ...broken.map(({ place, outcome }) =>
      warn("identity", `${place}: ${outcome}`, "mend it, or take it out of the environment"),
    ),
    ...listIdentityFiles(patient.env).flatMap(diagnosePermissions),
    ...(tree === undefined ? [] : [await diagnoseMember(tree, identities)]),
  ];
}

function listIdentityFiles(env: Patient["env"]): string[] {
  const named = (env["SEALTREE_IDENTITY_FILE"] ?? "").split(delimiter).filter((path) => path !== "");
  return [...new Set([...named, defaultIdentityFile(env)])];
}

function diagnosePermissions(path: string): Diagnosis[] {
  const status = process.platform === "win32" ? undefined : statOrNone(path);
  if (status?.isFile() !== true) return [];
  const name = "identity file";
  if ((status.mode & 0o077) === 0) return [ok(name, `${path} is yours alone`)];
  return [
    fail(name, `${path} can be read by others`, `chmod 600 '${path}'; if others use this machine, make a new key`),
  ];
}

function statOrNone(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

async function diagnoseMember(tree: Tree, identities: readonly Identity[]): Promise<Diagnosis> {
  const policy = await policyOrNone(tree);
  if (policy === undefined) return warn("member", "the policy cannot be read, so nobody is a member", "sealtree check");
  const member = await findMember(policy, identities);
  if (member === undefined) {
    const [identity] = identities;
    const recipient = identity === undefined ? "R" : (await identity.recipient()).text;
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
