import type { GitPlace } from "../../git/place.ts";
import { resolveCommit } from "../../git/revision.ts";
import { listFormerPlaces, type FormerPlace } from "../../history/follow-secret.ts";
import { neverCommitted } from "../../history/never-committed.ts";
import { listScopeChanges } from "../../history/scope-log.ts";
import { listVersions, type Version } from "../../history/versions.ts";
import { printAddress, type Address, type ScopePath } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { commitCells, commitJson, noteCell, stateJson, stateText } from "../describe-version.ts";
import { requireHistory } from "../load-exposure.ts";
import { parseLogSelection, type LogSelection } from "../log-selection.ts";
import { table } from "../present.ts";
import { parseTarget } from "../target.ts";

export const log: CommandModule = {
  arguments: "[address|scope]",
  kind: "read",
  description:
    "Lists the versions of a secret, the commits that changed a scope, or without either all commits that changed secrets, newest first. Versions count from 1, the oldest; a value that was only sealed again is no version. A secret that was moved is followed to where it was before. Needs no key and never prints a value.",
  options: [
    { flags: "-n, --max-count <count>", description: "show that many at most; without an argument 100 are shown" },
    {
      flags: "--member <name>",
      description: "only commits whose author has that name; what a commit says is no proof",
    },
    {
      flags: "--reason <reason>",
      description: "only commits with that Sealtree-Reason, such as rotation or emergency",
    },
    { flags: "--no-follow", description: "do not look for the place a secret was moved from" },
  ],
  examples: [
    { command: "sealtree log prod/api/STRIPE_KEY", description: "when did it change, and who changed it" },
    { command: "sealtree log prod/api --at v1.2.0 --json", description: "a scope as of a tag, for a script" },
    { command: "sealtree log --reason emergency -n 10", description: "the last emergencies, whatever the scope" },
  ],
  json: '{"address", "versions": [{"version", "event": "set"|"removed", "value_id"|null, "set_at"|null, "commit", "author": {"name","email"}, "at", "reason"|null, "note"|null, "subject", "same_as"|null, "current": boolean}], "former": [{"address", "moved_in": commit, "versions": [as above]}], "uncommitted": {"event","value_id","set_at"}|null, "warnings": [text]} or for a scope {"scope", "commits": [{"commit", "author", "at", "reason"|null, "note"|null, "subject", "set": [name], "removed": [name], "resealed": [name]}], "warnings": [text]} or without an argument {"commits": [{"commit", "author", "at", "reason"|null, "note"|null, "subject", "scopes": [{"scope", "set": [name], "removed": [name], "resealed": [name]}], "moves": [{"from": address, "to": address}]}], "more": boolean, "warnings": [text]}',
  async run(context, [text], options) {
    context.about({ operation: "log" });
    const place = requireHistory(context);
    const selection = parseLogSelection(options);
    const at = context.options.at === undefined ? undefined : await resolveCommit(place, context.options.at);
    if (text === undefined) {
      const { showRepositoryLog } = await import("../show-repository-log.ts");
      await showRepositoryLog(context, place, { selection, at });
      return;
    }
    const target = await parseTarget(await context.tree(), text);
    if (target.kind === "scope") await showScope(context, place, target.scope, { selection, at });
    else await showSecret(context, place, target.address, { selection, at, follows: options["follow"] !== false });
  },
};

interface LogOptions {
  readonly selection: LogSelection;
  readonly at: string | undefined;
}

async function showSecret(
  context: Context,
  place: GitPlace,
  address: Address,
  { selection, at, follows }: LogOptions & { readonly follows: boolean },
): Promise<void> {
  context.about({ operation: "log", ...address });
  const { versions, uncommitted, warnings } = await listVersions(place, address, at);
  if (versions.length === 0 && uncommitted === undefined) throw await neverCommitted(place, address, ...warnings);
  const former = follows ? await listFormerPlaces(place, address, versions) : [];
  const chosen = selection.newest(versions);
  let room = (selection.count ?? Infinity) - chosen.length;
  const left = former.flatMap((each) => {
    const some = selection.newest(each.versions).slice(0, room);
    room -= some.length;
    return some.length === 0 ? [] : [{ ...each, versions: some }];
  });
  const all = [...warnings, ...new Set(former.flatMap((each) => each.warnings))];
  if (context.options.json) {
    context.json({
      address: printAddress(address),
      versions: chosen.map(versionJson),
      former: left.map((each) => ({
        address: printAddress(each.address),
        moved_in: each.movedIn,
        versions: each.versions.map(versionJson),
      })),
      uncommitted: uncommitted === undefined ? null : stateJson(uncommitted),
      warnings: all,
    });
    return;
  }
  const open = uncommitted === undefined ? [] : [["work tree", stateText(uncommitted), "not committed"]];
  const rows = [...open, ...chosen.map((version) => versionCells(context, version))];
  for (const line of table([...rows, ...left.flatMap((each) => formerCells(context, each))])) context.line(line);
  if (chosen.length + left.length === 0 && versions.length > 0) context.say("no commit fits");
  for (const warning of all) context.say(`sealtree: warning: ${warning}`);
}

function versionCells(context: Context, version: Version): string[] {
  const notes = [
    version.isCurrent ? "current" : "",
    version.sameAs === undefined ? "" : `same value as version ${version.sameAs}`,
  ];
  return [
    `version ${version.version}`,
    stateText(version),
    ...commitCells(context, version),
    notes.filter((note) => note !== "").join(", "),
    noteCell(context, version),
  ];
}

/** Nothing of the versions a secret had elsewhere is current. */
function formerCells(context: Context, { address, movedIn, versions }: FormerPlace): string[][] {
  const from = `moved here from ${printAddress(address)} in ${movedIn.slice(0, 9)}`;
  return versions.map((version, index) => [
    ...versionCells(context, version).slice(0, -2),
    index === 0 ? from : `of ${printAddress(address)}`,
    noteCell(context, version),
  ]);
}

function versionJson(version: Version) {
  return {
    version: version.version,
    ...stateJson(version),
    ...commitJson(version),
    same_as: version.sameAs ?? null,
    current: version.isCurrent,
  };
}

async function showScope(
  context: Context,
  place: GitPlace,
  scope: ScopePath,
  { selection, at }: LogOptions,
): Promise<void> {
  context.about({ operation: "log", scope });
  const { commits: all, warnings } = await listScopeChanges(place, scope, at);
  const commits = selection.newest(all);
  if (context.options.json) {
    const listed = commits.map(({ set, removed, resealed, ...commit }) => ({
      ...commitJson(commit),
      set,
      removed,
      resealed,
    }));
    context.json({ scope, commits: listed, warnings });
    return;
  }
  const rows = commits.map((commit) => [
    ...commitCells(context, commit),
    [
      ...commit.set.map((name) => `+${name}`),
      ...commit.removed.map((name) => `-${name}`),
      ...(commit.resealed.length === 0 ? [] : [`${commit.resealed.length} sealed again`]),
    ].join(" "),
    noteCell(context, commit),
  ]);
  if (rows.length === 0) context.say(all.length === 0 ? "no commit has this scope yet" : "no commit fits");
  for (const line of table(rows)) context.line(line);
  for (const warning of warnings) context.say(`sealtree: warning: ${warning}`);
}
