import {
  previewRemoval,
  removeMember,
  type RemovalPreview,
  type RemovalRequest,
  type RemovedMember,
} from "../../access/remove-member.ts";
import { countReach } from "../../access/member-scopes.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { withProgress } from "../progress.ts";
import { describeReach, findActor, listOption, reportMemberChange, sayLost, sayReach } from "../report-member.ts";

export const memberRemove: CommandModule = {
  arguments: "<name>",
  kind: "write",
  description:
    "Removes a member, or some of their keys, and rekeys every scope that they could read, in one commit: all of it, or nothing. Name and keys are noted as removed and do not come back by accident. What was read stays read, so it says how much that is. Run again after it was cut off, it ends the work. Takes a role with admin: true.",
  options: [{ flags: "--key <fingerprint...>", description: "remove only this key; sealtree member list shows them" }],
  examples: [
    { command: "sealtree member remove bob --reason 'left the team'", description: "somebody who leaves" },
    {
      command: "sealtree member remove alice --key 1f2e3d4c5b6a7988 --yes",
      description: "a laptop that was lost, of somebody who stays",
    },
  ],
  json: '{"member", "changed": boolean, "version", "keys": [fingerprint], "could_read": {"scopes": number, "secrets": number, "by_scope": {scope: number}}, "scopes": [{"scope", "minted": id|null, "rewrapped": number, "resealed": number}], "commit": id|null, "dry_run": boolean}',
  async run(context, [name = ""], options) {
    context.about({ operation: "member remove" });
    const { dryRun, yes, commit, note } = context.options;
    const keys = listOption(options["key"]);
    const request: RemovalRequest = {
      name,
      keys: keys.length === 0 ? undefined : keys,
      ownAccess: yes ? "give-up" : "keep",
    };
    const preview = await previewRemoval(context.session, request);
    if (preview.isOwn) context.say("warning: this takes your own access; none of your identities will be a member's");
    if (preview.isChanged) await context.confirm(`${sayPreview(request, preview)}; go on?`);
    const actor = await findActor(context);
    const outcome = await withProgress(context, (onProgress) =>
      removeMember(context.session, { dryRun, commit, note, onProgress }, request),
    );
    report(context, request, outcome, actor);
  },
};

function sayWhat({ name, keys }: RemovalRequest): string {
  return keys === undefined ? `member ${name}` : `${count(keys.length, "key")} of ${name}`;
}

function sayPreview(request: RemovalRequest, { reach }: RemovalPreview): string {
  const could = countReach(reach).secrets === 0 ? "who can read no value" : `who can read ${sayReach(reach)}`;
  return request.keys === undefined ? `remove ${request.name}, ${could}` : `remove ${sayWhat(request)}, ${could}`;
}

function report(
  context: Context,
  request: RemovalRequest,
  { result, commit }: WriteOutcome<RemovedMember>,
  actor: string | undefined,
): void {
  const { name } = request;
  const { policy, isChanged, keys, reach, scopes } = result;
  const what = sayWhat(request);
  const change = {
    member: name,
    operation: "member remove",
    actor,
    reason: `removed ${what}`,
    commit,
    isChanged,
    version: policy.version,
    rekeyed: scopes,
    concerned: reach.filter(({ secrets }) => secrets.length > 0).map(({ scope }) => scope),
  };
  reportMemberChange(context, change, {
    json: { keys, could_read: describeReach(reach) },
    before: isChanged
      ? `${context.options.dryRun ? "would remove" : "removed"} ${what}`
      : `${what} was removed already${scopes.length === 0 ? "; nothing to do" : ""}`,
    after: isChanged ? sayLost(name, reach) : [],
  });
}
