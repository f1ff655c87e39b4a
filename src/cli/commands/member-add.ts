import { addMember, listReadableScopes, type AddedMember } from "../../access/add-member.ts";
import { readKeyArguments } from "../../access/key-arguments.ts";
import { planMember, type MemberRequest } from "../../access/member-change.ts";
import { checkAdmin, findMember } from "../../access/permission.ts";
import { loadPolicy } from "../../access/policy.ts";
import { fingerprintOf } from "../../crypto/recipient.ts";
import type { ScopePath } from "../../secret/address.ts";
import { readScope } from "../../store/keyring.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";

export const memberAdd: CommandModule = {
  arguments: "<name>",
  kind: "write",
  description:
    "Adds a member to the policy and, in the same commit, wraps every scope their roles let them read to their keys. For a name that is a member already it adds the keys. A key is the public key itself, or the path of a file of public keys (@PATH names a file for sure). Takes a role with admin: true.",
  options: [
    { flags: "--recipient <key...>", description: "age1... or age1pq1... public key, or a file of them" },
    { flags: "--ssh <key...>", description: "SSH public key that signs the member's commits, or its .pub file" },
    { flags: "--role <role...>", description: "role from policies/access.yaml" },
    { flags: "--github <user>", description: "the member's name at GitHub" },
    { flags: "--machine", description: "a machine, not a person" },
  ],
  examples: [
    {
      command: "sealtree member add bob --recipient @bob.pub --role engineer",
      description: "a person, who sent bob.pub",
    },
    {
      command: "sealtree member add ci --machine --recipient age1pq1... --role deployer --yes",
      description: "a machine, in a script",
    },
  ],
  json: '{"member", "is_new": boolean, "version", "roles": [role], "recipients": [fingerprint], "scopes": [scope], "secrets": number, "commit": id|null, "dry_run": boolean}',
  async run(context, [name = ""], options) {
    context.about({ operation: "member add" });
    const request = toRequest(context, name, options);
    const reach = await findReach(context, request);
    await context.confirm(`${sayReach(request.name, reach)}; go on?`);
    const outcome = await addMember(context.session, { ...context.options, note: context.options.note }, request);
    await report(context, request, reach, outcome);
  },
};

/** What a member can read by the policy as it will be. */
interface Reach {
  readonly scopes: readonly ScopePath[];
  readonly secrets: number;
}

function toRequest(context: Context, name: string, options: Readonly<Record<string, unknown>>): MemberRequest {
  const keys = readKeyArguments(context.directory, {
    recipients: list(options["recipient"]),
    signingKeys: list(options["ssh"]),
  });
  const github = options["github"];
  return {
    name,
    keys,
    roles: list(options["role"]),
    github: typeof github === "string" ? github : undefined,
    kind: options["machine"] === true ? "machine" : "person",
  };
}

async function findReach(context: Context, request: MemberRequest): Promise<Reach> {
  const tree = openWorkTree(context.place().root);
  const before = await loadPolicy(tree);
  checkAdmin(before, await findMember(before, await context.session.identities()));
  const { policy } = await planMember(tree, request);
  const scopes = await listReadableScopes(tree, policy, request.name);
  let secrets = 0;
  for (const scope of scopes) secrets += (await readScope(tree, scope))?.size ?? 0;
  return { scopes, secrets };
}

function sayReach(name: string, { scopes, secrets }: Reach): string {
  if (scopes.length === 0) return `${name} may read none of the present scopes`;
  const named = scopes.length <= 5 ? ` (${scopes.join(", ")})` : "";
  return `${name} may read ${count(scopes.length, "scope")}${named} with ${count(secrets, "secret")}`;
}

async function report(
  context: Context,
  { name }: MemberRequest,
  reach: Reach,
  outcome: WriteOutcome<AddedMember>,
): Promise<void> {
  const { policy, isNew, isChanged } = outcome.result;
  const { dryRun, json, note } = context.options;
  if (!dryRun && isChanged) {
    const actor = (await findMember(policy, await context.session.identities()))?.name;
    const event = {
      kind: "accessChanged",
      operation: "member add",
      outcome: "ok",
      member: actor,
      knownBy: "identity",
      reason: note ?? `${isNew ? "member" : "key of"} ${name}`,
      commit: outcome.commit,
    } as const;
    context.audit(reach.scopes.length === 0 ? [event] : reach.scopes.map((scope) => ({ ...event, scope })));
  }
  if (json) {
    const member = policy.members.get(name);
    context.json({
      member: name,
      is_new: isNew,
      version: policy.version,
      roles: member?.roles ?? [],
      recipients: (member?.recipients ?? []).map(({ text }) => fingerprintOf(text)),
      ...reach,
      commit: outcome.commit ?? null,
      dry_run: dryRun,
    });
    return;
  }
  const would = dryRun ? "would add" : "added";
  if (!isChanged) context.say(`${name} has these keys already; nothing to do`);
  else context.say(isNew ? `${would} member ${name}` : `${would} keys of ${name}`);
  context.say(sayReach(name, reach));
  if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
