import { userInfo } from "node:os";
import { planFirstPolicy, toMemberName } from "../../access/init.ts";
import { findMember } from "../../access/permission.ts";
import { loadPolicy } from "../../access/policy.ts";
import type { Recipient } from "../../crypto/recipient.ts";
import { SealtreeError } from "../../errors.ts";
import { hasGit } from "../../git/place.ts";
import { tryGit } from "../../git/run.ts";
import { installDrivers, planAttributes } from "../../history/git-setup.ts";
import { createIdentityFile } from "../../identity/create.ts";
import { findIdentities } from "../../identity/load.ts";
import { defaultIdentityFile } from "../../identity/locations.ts";
import { isMemberName } from "../../store/generation-file.ts";
import { accessPolicyPath, memberPath, rotationPolicyPath } from "../../store/layout.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { writeFiles } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

export const init: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Writes a policy with you as its first member, tells git how to merge sealed files, and commits. Makes an identity in your config folder when you have none. In a repository that is set up already it only sets up this clone.",
  options: [{ flags: "--name <member>", description: "your name in the policy; made from git's user.name without it" }],
  examples: [
    { command: "git init && sealtree init --yes", description: "a new repository" },
    { command: "sealtree init --name alice", description: "with a name of your choice" },
  ],
  json: '{"member", "identity_file"|null, "recipient", "commit"|null, "already": boolean}',
  async run(context, _args, options) {
    context.about({ operation: "init" });
    const place = context.place();
    if (!hasGit(place))
      throw new SealtreeError("E_NO_REPOSITORY", "this is not a git repository", {
        hints: ["git init, then sealtree init"],
      });
    const isThere = (await openWorkTree(place.root).read(accessPolicyPath)) !== undefined;
    const member = isThere ? "" : await chooseName(context, options["name"]);
    if (!isThere) await context.confirm(`set up sealtree in ${place.root} with ${member} as first member?`);
    if (context.options.dryRun) {
      context.say(
        isThere ? "would set up this clone's merge driver" : `would write a policy with ${member} as first member`,
      );
      return;
    }
    const { recipients, file } = await findOrMakeIdentity(context, isThere);
    await installDrivers(place, context.io.self);
    const { commit } = await writeFiles(place, context.options, async (tree) => {
      const attributes = await planAttributes(tree);
      const policy = await planFirstPolicy(tree, member, recipients);
      return {
        changes: [...(attributes === undefined ? [] : [attributes]), ...policy],
        touched: isThere ? [] : [".gitattributes", rotationPolicyPath, memberPath(member), accessPolicyPath],
        text: { subject: "secrets: set up sealtree", reason: "setup", note: context.options.note },
        result: undefined,
      };
    });
    await report(context, { isThere, member, recipients, file, commit });
  },
};

interface Outcome {
  readonly isThere: boolean;
  readonly member: string;
  readonly recipients: readonly Recipient[];
  /** Set when an identity was made. */
  readonly file: string | undefined;
  readonly commit: string | undefined;
}

async function report(context: Context, { isThere, member, recipients, file, commit }: Outcome): Promise<void> {
  const known = isThere
    ? await findMember(await loadPolicy(openWorkTree(context.place().root)), await context.session.identities())
    : undefined;
  const name = isThere ? known?.name : member;
  if (!isThere)
    context.audit([{ kind: "accessChanged", operation: "init", outcome: "ok", member, knownBy: "identity", commit }]);
  if (context.options.json) {
    context.json({
      member: name ?? null,
      identity_file: file ?? null,
      recipient: recipients[0]?.text ?? null,
      commit: commit ?? null,
      already: isThere,
    });
    return;
  }
  if (file !== undefined) context.say(`made your identity: ${file} (keep a copy; without it your secrets are gone)`);
  if (!isThere) {
    context.say(`${member} is the first member; the policy is ${accessPolicyPath}`);
    context.say("next: sealtree set dev/app/API_KEY");
    return;
  }
  context.say("this repository is set up already; this clone's merge driver is in place");
  if (name !== undefined) context.say(`you are ${name}`);
  else
    context.say(
      `you are no member yet; ask an admin to run: sealtree member add NAME --role ROLE --recipient ${recipients[0]?.text ?? ""}`,
    );
}

/**
 * The user's identity, made when there is none. An SSH key that was found by itself is good only
 * where the policy knows it: a new repository begins with a post-quantum key.
 */
async function findOrMakeIdentity(
  context: Context,
  isThere: boolean,
): Promise<{ recipients: readonly Recipient[]; file: string | undefined }> {
  const { askPassphrase, session } = context;
  const find = async (env: Context["io"]["env"]) =>
    (await findIdentities({ env, askPassphrase, plugins: () => session.plugins() })).identities;
  const { env } = context.io;
  const [own] = await find({ ...env, SEALTREE_SSH_KEY: "off" });
  if (own !== undefined) return { recipients: await own.recipients(), file: undefined };
  const known = isThere
    ? await findMember(await loadPolicy(openWorkTree(context.place().root)), await find(env))
    : undefined;
  if (known !== undefined) return { recipients: known.recipients, file: undefined };
  const file = defaultIdentityFile(env);
  return { recipients: [await createIdentityFile(file, "hybrid", context.io.now())], file };
}

async function chooseName(context: Context, given: unknown): Promise<string> {
  if (typeof given === "string") {
    if (isMemberName(given)) return given;
    throw new SealtreeError("E_USAGE", "that is not a member name", {
      hints: ["a-z, 0-9, _ and -, beginning with a letter"],
    });
  }
  const configured = await tryGit(context.place(), ["config", "--get", "user.name"], { allowExit: [1] });
  return toMemberName(configured ?? "") ?? toMemberName(userInfo().username) ?? "owner";
}
