import type { Member, Policy } from "../access/policy.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { findSshSignature, isSignatureOf } from "../crypto/sshsig.ts";
import type { CommitObject } from "../git/commit-object.ts";
import type { Refusal, VerifyRule } from "./refusal.ts";

/** Who signed a commit, or why no signature counts. */
export type Signer = { readonly member: Member } | { readonly refusal: Refusal };

/** What a signer is judged by. */
export interface SignerPolicies {
  /** The policy that counts: the one before the step. */
  readonly policy: Policy;
  /** The policy of the commit's own tree, which counts for nothing but a better message. */
  readonly own: () => Promise<Policy | undefined>;
}

const signAgain = "sign it again: git rebase BASE --exec 'git commit --amend --no-edit -S' with your SSH key";
const mergeHint =
  "merge the pull request with a merge commit instead, and allow no other way at the host: docs/signed-history.md";
const hostEmail = "noreply@github.com";

/**
 * The member whose SSH signature a commit carries: one signature, of the namespace git, over the
 * bytes of the object, with a key that `policy` lists and has not removed. Dates are not looked at.
 */
export async function findSigner(commit: CommitObject, policies: SignerPolicies): Promise<Signer> {
  const refuse = (rule: VerifyRule, message: string, hint: string): Signer => ({ refusal: { rule, message, hint } });
  const { signature } = commit;
  const isOfHost = commit.committerEmail === hostEmail && commit.parents.length === 1;
  switch (signature.kind) {
    case "none":
    case "pgp":
      if (isOfHost)
        return refuse(
          "squash",
          "the host made it by a squash, a rebase or an edit, and no member signed it",
          mergeHint,
        );
      return signature.kind === "none"
        ? refuse("unsigned", "it is not signed", signAgain)
        : refuse("pgp", "its signature is one of PGP, and members sign with SSH keys", signAgain);
    case "several":
      return refuse("two-signatures", "it has more than one signature, and tools differ in which they read", signAgain);
    case "x509":
    case "unknown":
      return refuse("other-signature", "its signature is not one of SSH", signAgain);
    case "ssh":
  }
  if (commit.flaw !== undefined) return refuse("malformed-object", `it ${commit.flaw}`, signAgain);
  const parsed = findSshSignature(signature.armored);
  if (parsed === undefined) {
    return refuse(
      "malformed-signature",
      "its SSH signature is malformed, or of a kind of key we do not know",
      signAgain,
    );
  }
  if (parsed.namespace !== "git") {
    return refuse("wrong-namespace", "its signature was made for something else than git", signAgain);
  }
  const key = parsed.publicKey.text;
  if (!isSignatureOf(parsed, signature.payload)) {
    return refuse("bad-signature", "its signature does not fit it: it was changed after it was signed", signAgain);
  }
  const member = findKeyOwner(policies.policy, key);
  return member === undefined ? { refusal: await explainKey(key, policies) } : { member };
}

/** The member that a signing key belongs to; undefined for a key of nobody, and for one that was removed. */
function findKeyOwner(policy: Policy, key: string): Member | undefined {
  const removal = policy.removedKeys.get(fingerprintOf(key));
  if (removal !== undefined && removal.readmitted === undefined) return undefined;
  const owners = [...policy.members.values()].filter(({ signingKeys }) => signingKeys.includes(key));
  return owners.length === 1 ? owners[0] : undefined;
}

async function explainKey(key: string, { policy, own }: SignerPolicies): Promise<Refusal> {
  const fingerprint = fingerprintOf(key);
  const [removal, ownPolicy] = [policy.removedKeys.get(fingerprint), await own()];
  const ownOwner = ownPolicy === undefined ? undefined : findKeyOwner(ownPolicy, key);
  if (ownPolicy !== undefined && ownOwner !== undefined && ownPolicy.version <= policy.version) {
    return {
      rule: "stale-branch",
      message: `it is signed by ${ownOwner.name}, whose key ${fingerprint} is gone from the policy since the branch was cut`,
      hint: "a member looks at the change and makes it again, signed, on the present branch",
    };
  }
  if (removal !== undefined) {
    return {
      rule: "removed-key",
      message: `it is signed with key ${fingerprint} of ${removal.member}, which version ${removal.version} of the policy removed`,
      hint: "a member looks at the change and makes it again; readmitting a key is a change of the policy",
    };
  }
  if (ownOwner !== undefined) {
    return {
      rule: "policy-self-authorised",
      message: `it is signed by ${ownOwner.name}, whose key only a policy under judgement has`,
      hint: "merge the change of the policy first; what it allows counts from the next merge on",
    };
  }
  return {
    rule: "unknown-key",
    message: `it is signed with key ${fingerprint}, which is no member's`,
    hint: "sealtree member add NAME --ssh KEY gives a member a signing key; then make the commit again",
  };
}
