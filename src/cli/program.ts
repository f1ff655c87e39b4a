import type { CommandModule } from "./command.ts";
import { deliveryEntries } from "./delivery-entries.ts";
import { rotationEntries } from "./rotation-entries.ts";

/** Groups of `sealtree --help`, in the order shown. */
export const groups = [
  "start",
  "values",
  "use",
  "history",
  "access",
  "rotation",
  "delivery",
  "review",
  "operate",
] as const;
export type CommandGroup = (typeof groups)[number];

export interface CommandEntry {
  readonly group: CommandGroup;
  readonly summary: string;
  /** Habits of other tools. */
  readonly aliases?: readonly string[];
  /** Run by git or by scripts; not listed. */
  readonly isHidden?: boolean;
  load(): Promise<CommandModule>;
}

/**
 * Every command, by the words that call it. Nothing of a command is loaded before it is
 * asked for, so this file imports no command.
 */
export const commands: Readonly<Record<string, CommandEntry>> = {
  init: {
    group: "start",
    summary: "set up sealtree in this repository",
    load: async () => (await import("./commands/init.ts")).init,
  },
  keygen: {
    group: "start",
    summary: "make an identity",
    load: async () => (await import("./commands/keygen.ts")).keygen,
  },
  set: { group: "values", summary: "set a secret", load: async () => (await import("./commands/set.ts")).set },
  get: {
    group: "values",
    summary: "show a secret, masked unless --reveal",
    load: async () => (await import("./commands/get.ts")).get,
  },
  list: {
    group: "values",
    summary: "list scopes or the secrets of a scope",
    aliases: ["ls"],
    load: async () => (await import("./commands/list.ts")).list,
  },
  unset: {
    group: "values",
    summary: "remove a secret",
    aliases: ["rm", "delete", "remove"],
    load: async () => (await import("./commands/unset.ts")).unset,
  },
  edit: {
    group: "values",
    summary: "edit a scope in your editor",
    load: async () => (await import("./commands/edit.ts")).edit,
  },
  import: {
    group: "values",
    summary: "seal the values of a plaintext file",
    load: async () => (await import("./commands/import.ts")).importValues,
  },
  export: {
    group: "values",
    summary: "print values in the format of another program",
    load: async () => (await import("./commands/export.ts")).exportValues,
  },
  encrypt: {
    group: "values",
    summary: "make a scope of a plaintext file",
    load: async () => (await import("./commands/encrypt.ts")).encrypt,
  },
  decrypt: {
    group: "values",
    summary: "print a scope as plaintext YAML",
    load: async () => (await import("./commands/decrypt.ts")).decrypt,
  },
  mv: {
    group: "values",
    summary: "move a secret or a scope",
    aliases: ["move", "rename"],
    load: async () => (await import("./commands/mv.ts")).mv,
  },
  cp: {
    group: "values",
    summary: "copy a secret or a scope",
    aliases: ["copy"],
    load: async () => (await import("./commands/cp.ts")).cp,
  },
  run: {
    group: "use",
    summary: "run a command with secrets in its environment",
    aliases: ["exec"],
    load: async () => (await import("./commands/run.ts")).run,
  },
  "member add": {
    group: "access",
    summary: "add a member, or keys to one",
    load: async () => (await import("./commands/member-add.ts")).memberAdd,
  },
  "member remove": {
    group: "access",
    summary: "remove a member, or keys of one, and rekey what they could read",
    aliases: ["member rm"],
    load: async () => (await import("./commands/member-remove.ts")).memberRemove,
  },
  "member set-role": {
    group: "access",
    summary: "give a member other roles, and rekey what they may not read any more",
    load: async () => (await import("./commands/member-set-role.ts")).memberSetRole,
  },
  "member list": {
    group: "access",
    summary: "list the members, their roles and keys",
    aliases: ["members"],
    load: async () => (await import("./commands/member-list.ts")).memberList,
  },
  "access of": {
    group: "access",
    summary: "what a member may do, scope by scope",
    load: async () => (await import("./commands/access-of.ts")).accessOf,
  },
  "access who": {
    group: "access",
    summary: "who can read a secret or a scope, and who ever could",
    load: async () => (await import("./commands/access-who.ts")).accessWho,
  },
  exposure: {
    group: "access",
    summary: "the values in force that somebody could ever read",
    load: async () => (await import("./commands/exposure.ts")).exposure,
  },
  offboard: {
    group: "access",
    summary: "end a member's access, and rotate what they could read",
    load: async () => (await import("./commands/offboard.ts")).offboardCommand,
  },
  "access explain": {
    group: "access",
    summary: "why somebody may read a scope, or may not",
    load: async () => (await import("./commands/access-explain.ts")).accessExplain,
  },
  "access matrix": {
    group: "access",
    summary: "draw who may do what where",
    load: async () => (await import("./commands/access-matrix.ts")).accessMatrix,
  },
  "policy explain": {
    group: "access",
    summary: "say the access policy in words",
    load: async () => (await import("./commands/policy-explain.ts")).policyExplain,
  },
  "policy test": {
    group: "access",
    summary: "check that the policy allows what it should, and no more",
    load: async () => (await import("./commands/policy-test.ts")).policyTest,
  },
  rekey: {
    group: "access",
    summary: "make scopes agree with the policy, or give one a new generation",
    aliases: ["updatekeys"],
    load: async () => (await import("./commands/rekey.ts")).rekey,
  },
  adopt: {
    group: "access",
    summary: "seal values of those who may not read for every reader",
    load: async () => (await import("./commands/adopt.ts")).adopt,
  },
  check: {
    group: "review",
    summary: "look for what is wrong, without a key",
    load: async () => (await import("./commands/check.ts")).check,
  },
  verify: {
    group: "review",
    summary: "prove that every change was signed by who may make it",
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  review: {
    group: "review",
    summary: "what a change does to secrets, and to who can read them",
    load: async () => (await import("./commands/review.ts")).review,
  },
  scan: {
    group: "review",
    summary: "look for your values and for tokens where they do not belong",
    load: async () => (await import("./commands/scan.ts")).scan,
  },
  codeowners: {
    group: "review",
    summary: "write .github/CODEOWNERS from the policy",
    load: async () => (await import("./commands/codeowners.ts")).codeowners,
  },
  signers: {
    group: "review",
    summary: "write git's allowed signers from the policy",
    load: async () => (await import("./commands/signers.ts")).signers,
  },
  demo: {
    group: "start",
    summary: "see it at work, in a throw-away repository",
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  doctor: {
    group: "start",
    summary: "look for what is wrong around sealtree",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  status: {
    group: "start",
    summary: "how things stand, on one screen",
    load: async () => (await import("./commands/status.ts")).status,
  },
  ...rotationEntries,
  ...deliveryEntries,
  audit: {
    group: "operate",
    summary: "who did what, from your log and the git history",
    load: async () => (await import("./commands/audit.ts")).audit,
  },
  log: {
    group: "history",
    summary: "list the versions of a secret, or the changes of a scope or of all",
    aliases: ["versions", "history"],
    load: async () => (await import("./commands/log.ts")).log,
  },
  diff: {
    group: "history",
    summary: "compare two commits, or two environments, by name",
    load: async () => (await import("./commands/diff.ts")).diff,
  },
  blame: {
    group: "history",
    summary: "who gave each secret of a scope its value",
    load: async () => (await import("./commands/blame.ts")).blame,
  },
  rollback: {
    group: "history",
    summary: "go back to an earlier version",
    load: async () => (await import("./commands/rollback.ts")).rollback,
  },
  resolve: {
    group: "history",
    summary: "settle what a merge left in conflict",
    load: async () => (await import("./commands/resolve.ts")).resolve,
  },
  "git-setup": {
    group: "operate",
    summary: "tell this clone's git how to merge and show scope files",
    load: async () => (await import("./commands/git-setup.ts")).gitSetup,
  },
  "diff-driver": {
    group: "operate",
    summary: "show a scope file; run by git",
    isHidden: true,
    load: async () => (await import("./commands/diff-driver.ts")).diffDriver,
  },
  "merge-driver": {
    group: "operate",
    summary: "merge a file of sealtree; run by git",
    isHidden: true,
    load: async () => (await import("./commands/merge-driver.ts")).mergeDriver,
  },
  "pre-commit": {
    group: "operate",
    summary: "look at what is staged; run by git",
    isHidden: true,
    load: async () => (await import("./commands/pre-commit.ts")).preCommit,
  },
  completion: {
    group: "operate",
    summary: "print the completion script of a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  __docs: {
    group: "operate",
    summary: "print the reference of all commands; run by this project",
    isHidden: true,
    load: async () => (await import("./commands/docs.ts")).docs,
  },
  __complete: {
    group: "operate",
    summary: "complete a command line; run by a shell",
    isHidden: true,
    load: async () => (await import("./commands/complete.ts")).complete,
  },
};
