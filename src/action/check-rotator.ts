import { checkInitialised, loadPolicy, type Member, type Policy } from "../access/policy.ts";
import { findMember, isAllowed } from "../access/permission.ts";
import { SealtreeError } from "../errors.ts";
import { commitOnto, findGitDirectories } from "../git/commit.ts";
import { parseCommitObject } from "../git/commit-object.ts";
import { openRawObjects } from "../git/raw-objects.ts";
import { findHead } from "../git/revision.ts";
import { findSigner } from "../review/commit-signer.ts";
import { loadRotationPolicy } from "../rotation/policy.ts";
import { parseAddress, type ScopePath } from "../secret/address.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { withJobContext } from "./command-io.ts";
import type { Job } from "./job.ts";

/** Who rotates in a job, and by which policy. */
export interface Rotator {
  readonly member: Member;
  readonly policy: Policy;
  /** Where a rule says that something is rotated, of those that the member may rotate in. */
  readonly scopes: readonly ScopePath[];
}

/**
 * The member whose identity the job has. Throws before anything is looked at whether it is due:
 * E_NOT_INITIALISED without a policy, E_NO_IDENTITY, and E_PERMISSION_DENIED for who may rotate nothing.
 */
export async function findRotator(job: Job): Promise<Rotator> {
  const tree = openWorkTree(job.place.root);
  await checkInitialised(tree);
  const policy = await loadPolicy(tree);
  return await withJobContext(job, { operation: "rotate", at: undefined }, async ({ session }) => {
    const member = await findMember(policy, await session.identities());
    const mayRotate = member?.roles.some((role) =>
      policy.roles.get(role)?.grants.some(({ allow }) => allow.includes("rotate")),
    );
    if (member === undefined || mayRotate !== true) throw denied(member);
    const { secrets } = await loadRotationPolicy(tree);
    const ruled = new Set([...secrets.keys()].map((address) => parseAddress(address).scope));
    return { member, policy, scopes: [...ruled].filter((scope) => isAllowed(policy, member, "rotate", scope)) };
  });
}

/**
 * Throws E_ACTION_REFUSED where the policy wants signed commits and what git would make in `job` is not
 * signed by a member who may rotate in all of `scopes`: verify would refuse it, and all that comes after it.
 * Git itself is asked, by a commit on top of HEAD that no ref ever names.
 */
export async function checkSigned({ io, place }: Job, { member: own, policy, scopes }: Rotator): Promise<void> {
  const head = await findHead(place);
  if (policy.signing !== "require" || head === undefined) return;
  const request = { parent: head, written: new Map<string, string>(), removed: [], message: "who signs\n" };
  const id = await commitOnto(place, await findGitDirectories(place), request);
  const objects = openRawObjects(place);
  try {
    const bytes = await objects.read(id, "commit");
    const signer = await findSigner(parseCommitObject(bytes, id.length), { policy, own: async () => policy });
    if ("refusal" in signer) {
      const isSet = (io.env["SEALTREE_SIGNING_KEY"] ?? "").trim() !== "";
      throw unsigned(
        isSet ? `SEALTREE_SIGNING_KEY is no signing key of member ${own.name}` : "SEALTREE_SIGNING_KEY is not set",
        own,
      );
    }
    const { member } = signer;
    const scope = scopes.find((it) => !isAllowed(policy, member, "rotate", it));
    if (scope !== undefined)
      throw unsigned(`the key that signs is of ${member.name}, who may not rotate in ${scope}`, own);
  } finally {
    objects.close();
  }
}

function denied(member: Member | undefined): SealtreeError {
  const who = member === undefined ? "the job's identity belongs to no member" : `${member.name} may rotate nothing`;
  return new SealtreeError("E_PERMISSION_DENIED", `PERMISSION_DENIED: ${who}`, {
    hints: [
      "give its member a role that allows read and rotate: policies/access.yaml",
      "sealtree member list shows who is who",
    ],
  });
}

function unsigned(why: string, { name }: Member): SealtreeError {
  return new SealtreeError("E_ACTION_REFUSED", `the policy wants signed commits, and ${why}`, {
    hints: [
      "a key of the job's own: ssh-keygen -t ed25519 -N '' -C rotation -f rotation",
      `its member: sealtree member add ${name} --ssh rotation.pub`,
      "the step: gh secret set SEALTREE_SIGNING_KEY --env rotation < rotation",
      'env: { SEALTREE_SIGNING_KEY: "${{ secrets.SEALTREE_SIGNING_KEY }}" }',
    ],
  });
}
