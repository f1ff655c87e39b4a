/** Every reason for which `verify` refuses a commit or a clone, with what it means. docs/signed-history.md has them all. */
export const verifyRules = {
  unsigned: "the commit changes something of ours and has no signature",
  squash: "the host made the commit, by a squash, a rebase or an edit in the browser",
  pgp: "the signature is one of PGP",
  "other-signature": "the signature is neither one of SSH nor of PGP",
  "two-signatures": "the commit has more than one signature",
  "malformed-signature": "the signature is not whole, or of a key type that is not known",
  "wrong-namespace": "the signature was made for something else than a commit of git",
  "bad-signature": "the signature does not fit the commit",
  "unknown-key": "the key is nobody's by the policy",
  "removed-key": "the key was removed",
  "stale-branch": "the branch was cut before its writer lost the key or the right",
  "policy-self-authorised": "only a policy that is itself under judgement would allow it",
  "not-allowed": "the member's roles do not cover what the commit does",
  "evil-merge": "a merge has what neither side wrote",
  octopus: "a merge of more than two sides",
  "root-commit": "a history of its own is merged in",
  "malformed-object": "an object of git is malformed, damaged or missing",
  "odd-file": "a link, a submodule or a folder where a file belongs",
  "version-replayed": "the policy has a version that was there before",
  "version-skipped": "the version of the policy is more than one higher",
  "removal-undone": "an entry of removed or removed_keys is gone or changed",
  "policy-invalid": "the commit leaves a policy that cannot be used",
  "not-an-ancestor": "the anchor is not before what is to be deployed",
  shallow: "the clone ends before the history does",
  partial: "the clone leaves out objects",
  grafts: "a file of this clone gives commits other parents",
  "replace-refs": "refs of this clone put other objects in the place of some",
} as const satisfies Readonly<Record<string, string>>;

export type VerifyRule = keyof typeof verifyRules;

/** Why something is refused, and what to do about it. */
export interface Refusal {
  readonly rule: VerifyRule;
  /** One sentence without capital and full stop. */
  readonly message: string;
  readonly hint: string;
}

/** These say that the history cannot be judged, so they are errors whatever the policy asks of signatures. */
const always: ReadonlySet<VerifyRule> = new Set([
  "malformed-object",
  "policy-invalid",
  "not-an-ancestor",
  "shallow",
  "partial",
  "grafts",
  "replace-refs",
]);

/** A refusal as it counts where the policy asks for signatures or not. */
export function severityOf(rule: VerifyRule, signing: "off" | "warn" | "require"): "error" | "warning" {
  return signing === "require" || always.has(rule) ? "error" : "warning";
}
