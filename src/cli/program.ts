import type { CommandModule } from "./command.ts";

/** Groups of `sealtree --help`, in the order shown. */
export const groups = ["start", "values", "use", "history", "access", "rotation", "review", "operate"] as const;
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
  "member list": {
    group: "access",
    summary: "list the members, their roles and keys",
    aliases: ["members"],
    load: async () => (await import("./commands/member-list.ts")).memberList,
  },
  rekey: {
    group: "access",
    summary: "make scopes agree with the policy, or give one a new generation",
    aliases: ["updatekeys"],
    load: async () => (await import("./commands/rekey.ts")).rekey,
  },
  check: {
    group: "review",
    summary: "look for what is wrong, without a key",
    load: async () => (await import("./commands/check.ts")).check,
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
  rotate: {
    group: "rotation",
    summary: "give secrets new values",
    load: async () => (await import("./commands/rotate.ts")).rotate,
  },
  "rotation status": {
    group: "rotation",
    summary: "how old the values are, and when they are due",
    load: async () => (await import("./commands/rotation-status.ts")).rotationStatusCommand,
  },
  "rotation plan": {
    group: "rotation",
    summary: "the rotations of the coming weeks",
    load: async () => (await import("./commands/rotation-plan.ts")).rotationPlan,
  },
  audit: {
    group: "operate",
    summary: "who did what, from your log and the git history",
    load: async () => (await import("./commands/audit.ts")).audit,
  },
  log: {
    group: "history",
    summary: "list the versions of a secret or the changes of a scope",
    aliases: ["versions", "history"],
    load: async () => (await import("./commands/log.ts")).log,
  },
  rollback: {
    group: "history",
    summary: "go back to an earlier version",
    load: async () => (await import("./commands/rollback.ts")).rollback,
  },
  "git-setup": {
    group: "operate",
    summary: "tell this clone's git how to merge scope files",
    load: async () => (await import("./commands/git-setup.ts")).gitSetup,
  },
  "merge-driver": {
    group: "operate",
    summary: "merge a scope file; run by git",
    isHidden: true,
    load: async () => (await import("./commands/merge-driver.ts")).mergeDriver,
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

export interface FoundCommand {
  readonly name: string;
  readonly entry: CommandEntry;
  /** How many words named it. */
  readonly length: number;
}

/** The command that `words` begin with: its name and how many words name it; undefined when there is none. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const length of [2, 1]) {
    if (words.length < length) continue;
    const typed = words.slice(0, length).join(" ");
    for (const [name, entry] of Object.entries(commands)) {
      if (name === typed || entry.aliases?.includes(typed)) return { name, entry, length };
    }
  }
  return undefined;
}
