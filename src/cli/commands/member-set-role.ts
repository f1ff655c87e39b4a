import { previewRoles, setRoles, type ChangedRoles, type RolesPreview } from "../../access/member-roles.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { withProgress } from "../progress.ts";
import { describeReach, findActor, listOption, reportMemberChange, sayLost, sayReach } from "../report-member.ts";

export const memberSetRole: CommandModule = {
  arguments: "<name>",
  kind: "write",
  description:
    "Gives a member other roles in place of those they have, and makes the scopes agree in the same commit: what they may read now is wrapped for them, what they may not read any more gets a new generation. Takes a role with admin: true.",
  options: [{ flags: "--role <role...>", description: "all the roles that the member is to have" }],
  examples: [
    { command: "sealtree member set-role bob --role engineer", description: "one role" },
    { command: "sealtree member set-role bob --role engineer analyst --yes", description: "two, without asking" },
  ],
  json: '{"member", "changed": boolean, "version", "roles": [role], "gained": {"scopes": number, "secrets": number, "by_scope": {scope: number}}, "lost": {"scopes", "secrets", "by_scope"}, "scopes": [{"scope", "minted": id|null, "rewrapped": number, "resealed": number}], "commit": id|null, "dry_run": boolean}',
  async run(context, [name = ""], options) {
    context.about({ operation: "member set-role" });
    const request = { name, roles: listOption(options["role"]) };
    const { dryRun, commit, note } = context.options;
    const preview = await previewRoles(context.session, request);
    if (preview.isChanged) await context.confirm(`${sayPreview(name, preview)}; go on?`);
    const actor = await findActor(context);
    const outcome = await withProgress(context, (onProgress) =>
      setRoles(context.session, { dryRun, commit, note, onProgress }, request),
    );
    report(context, name, outcome, actor);
  },
};

function sayPreview(name: string, { policy, gained, lost }: RolesPreview): string {
  const changes = [
    ...(gained.length > 0 ? [`gains ${sayReach(gained)}`] : []),
    ...(lost.length > 0 ? [`loses ${sayReach(lost)}`] : []),
  ];
  const roles = (policy.members.get(name)?.roles ?? []).join(", ");
  return `${name} gets the roles ${roles} and ${changes.length === 0 ? "reads what they read now" : changes.join(" and ")}`;
}

function report(
  context: Context,
  name: string,
  { result, commit }: WriteOutcome<ChangedRoles>,
  actor: string | undefined,
): void {
  const { policy, isChanged, gained, lost, scopes } = result;
  const roles = policy.members.get(name)?.roles ?? [];
  const named = roles.join(", ");
  const change = {
    member: name,
    operation: "member set-role",
    actor,
    reason: `roles of ${name}: ${named}`,
    commit,
    isChanged,
    version: policy.version,
    rekeyed: scopes,
    concerned: [...gained, ...lost].map(({ scope }) => scope),
  };
  const gains = gained.length > 0 ? [`${name} may read now: ${sayReach(gained)}`] : [];
  reportMemberChange(context, change, {
    json: { roles, gained: describeReach(gained), lost: describeReach(lost) },
    before: isChanged
      ? `${name} ${context.options.dryRun ? "would have" : "has"} the roles ${named}`
      : `${name} has these roles already: ${named}`,
    after: [...gains, ...sayLost(name, lost)],
  });
}
