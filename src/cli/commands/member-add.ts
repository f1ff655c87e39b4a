import { addMember, previewMember, type AddedMember, type MemberPreview } from "../../access/add-member.ts";
import type { PublishedKey, PublishedKeys } from "../../access/github-keys.ts";
import { readKeyArguments } from "../../access/key-arguments.ts";
import type { MemberRequest } from "../../access/member-change.ts";
import { fingerprintOf } from "../../crypto/recipient.ts";
import { SealtreeError } from "../../errors.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { withProgress } from "../progress.ts";
import { auditAccess, findActor, listOption } from "../report-member.ts";

export const memberAdd: CommandModule = {
  arguments: "<name>",
  kind: "write",
  description:
    "Adds a member to the policy and, in the same commit, wraps every scope their roles let them read to their keys. For a name that is a member already it adds the keys. A key is the public key itself, or the path of a file of public keys (@PATH names a file for sure). With --github and no key it takes the SSH keys that are published there, shows them, and pins them in the key file. Takes a role with admin: true.",
  options: [
    {
      flags: "--recipient <key...>",
      description: "key that reads: age1..., age1pq1..., ssh-ed25519, ssh-rsa or a plugin's, or a file of them",
    },
    {
      flags: "--ssh <key...>",
      description: "SSH public key, or its .pub file: it signs commits, and reads too when there are only SSH keys",
    },
    { flags: "--role <role...>", description: "role from policies/access.yaml" },
    { flags: "--github <user>", description: "the member's name at GitHub; without a key, take those published there" },
    { flags: "--machine", description: "a machine, not a person" },
    { flags: "--recovery", description: "a recovery key: wrapped into every scope, and no member" },
    { flags: "--readmit", description: "let in a name or a key that was removed" },
  ],
  examples: [
    {
      command: "sealtree member add bob --recipient @bob.pub --role engineer",
      description: "a person, who sent bob.pub",
    },
    {
      command: "sealtree member add carol --github carol-example --role engineer",
      description: "a person, by the SSH keys at GitHub",
    },
    {
      command: "sealtree member add ci --machine --recipient age1pq1... --role deployer --yes",
      description: "a machine, in a script",
    },
    {
      command: "sealtree member add recovery-2026 --recovery --recipient @recovery.pub",
      description: "a key for the day when all others are lost",
    },
  ],
  json: '{"member", "is_new": boolean, "version", "roles": [role], "recipients": [fingerprint], "published": [{"type", "fingerprint", "reads": boolean}], "scopes": [scope], "secrets": number, "commit": id|null, "dry_run": boolean}',
  async run(context, [name = ""], options) {
    context.about({ operation: "member add" });
    const { request, published } = await toRequest(context, name, options);
    const preview = await previewMember(context.session, request);
    for (const line of sayPublished(published, preview)) context.say(line);
    await context.confirm(`${sayPreview(request, preview)}; go on?`);
    const { dryRun, commit, note } = context.options;
    const outcome = await withProgress(context, (onProgress) =>
      addMember(context.session, { dryRun, commit, note, onProgress }, request),
    );
    await report(context, { request, published, preview, outcome });
  },
};

/** How long GitHub may take to answer. */
const fetchTimeoutMs = 15_000;

interface Given {
  readonly request: MemberRequest;
  readonly published: PublishedKeys | undefined;
}

async function toRequest(context: Context, name: string, options: Readonly<Record<string, unknown>>): Promise<Given> {
  const given = readKeyArguments(context.directory, {
    recipients: listOption(options["recipient"]),
    sshKeys: listOption(options["ssh"]),
  });
  const github = typeof options["github"] === "string" ? options["github"] : undefined;
  const isRecovery = options["recovery"] === true;
  if (isRecovery && options["machine"] === true)
    throw new SealtreeError("E_USAGE", "--machine and --recovery exclude each other");
  const isKeyless = given.recipients.length + given.signingKeys.length + given.sshKeys.length === 0;
  const published = github !== undefined && isKeyless && !isRecovery ? await fetchKeys(context, github) : undefined;
  const day = context.io.now().toISOString().slice(0, 10);
  return {
    request: {
      name,
      keys: published === undefined ? given : { ...given, sshKeys: published.keys.map(({ text }) => text) },
      roles: listOption(options["role"]),
      github,
      kind: isRecovery ? "recovery" : options["machine"] === true ? "machine" : "person",
      readmit: options["readmit"] === true,
      origin: published === undefined ? undefined : `from ${published.source}, ${day}`,
    },
    published,
  };
}

async function fetchKeys(context: Context, user: string): Promise<PublishedKeys> {
  const { fetchPublishedKeys, githubUrl } = await import("../../access/github-keys.ts");
  const baseUrl = context.io.env["SEALTREE_GITHUB_URL"] || githubUrl;
  return await fetchPublishedKeys(user, { baseUrl, timeoutMs: fetchTimeoutMs });
}

function sayPublished(published: PublishedKeys | undefined, preview: MemberPreview): string[] {
  if (published === undefined) return [];
  const { source, keys, unfit } = published;
  return [
    `published at ${source}:`,
    ...keys.map(
      (key) => `  ${key.type} ${key.fingerprint} ${isReading(key, preview) ? "reads and signs" : "only signs"}`,
    ),
    ...unfit.map(({ type, fingerprint, reason }) => `  ${type} ${fingerprint} is left out: it ${reason}`),
  ];
}

function isReading({ text }: PublishedKey, { keys }: Pick<MemberPreview, "keys">): boolean {
  return keys.recipients.some((recipient) => recipient.text === text);
}

function sayPreview({ name, kind }: MemberRequest, { reach }: MemberPreview): string {
  if (reach.length === 0) return `${name} may read none of the present scopes`;
  const named = reach.length <= 5 ? ` (${reach.map(({ scope }) => scope).join(", ")})` : "";
  const secrets = reach.reduce((total, item) => total + item.secrets.length, 0);
  const verb = kind === "recovery" ? "opens" : "may read";
  return `${name} ${verb} ${count(reach.length, "scope")}${named} with ${count(secrets, "secret")}`;
}

interface Report extends Given {
  readonly preview: MemberPreview;
  readonly outcome: WriteOutcome<AddedMember>;
}

async function report(context: Context, { request, published, preview, outcome }: Report): Promise<void> {
  const { name, kind } = request;
  const { policy, isNew, isChanged } = outcome.result;
  const { dryRun, json } = context.options;
  const scopes = preview.reach.map(({ scope }) => scope);
  if (!dryRun && isChanged) {
    const reason = `${isNew ? "member" : "key of"} ${name}`;
    const actor = await findActor(context);
    auditAccess(context, { operation: "member add", actor, reason, scopes, commit: outcome.commit });
  }
  if (json) {
    const member = policy.members.get(name);
    const recipients = member?.recipients ?? policy.recovery.get(name) ?? [];
    context.json({
      member: name,
      is_new: isNew,
      version: policy.version,
      roles: member?.roles ?? [],
      recipients: recipients.map(({ text }) => fingerprintOf(text)),
      published: (published?.keys ?? []).map((key) => ({
        type: key.type,
        fingerprint: key.fingerprint,
        reads: isReading(key, outcome.result),
      })),
      scopes,
      secrets: preview.reach.reduce((total, { secrets }) => total + secrets.length, 0),
      commit: outcome.commit ?? null,
      dry_run: dryRun,
    });
    return;
  }
  const would = dryRun ? "would add" : "added";
  const what = kind === "recovery" ? "recovery key" : "member";
  if (!isChanged) context.say(`${name} has these keys already; nothing to do`);
  else context.say(isNew ? `${would} ${what} ${name}` : `${would} keys of ${name}`);
  context.say(sayPreview(request, preview));
  if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
}
