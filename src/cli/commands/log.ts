import { SealtreeError } from "../../errors.ts";
import { hasGit, type GitPlace } from "../../git/place.ts";
import { resolveCommit } from "../../git/revision.ts";
import { listScopeChanges } from "../../history/scope-log.ts";
import { listVersions } from "../../history/versions.ts";
import { printAddress, type Address, type ScopePath } from "../../secret/address.ts";
import { listScopes, readScope } from "../../store/keyring.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import { suggest } from "../../values/suggest.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { commitCells, commitJson, stateJson, stateText } from "../describe-version.ts";
import { table } from "../present.ts";
import { parseTarget } from "../target.ts";

export const log: CommandModule = {
  arguments: "<address|scope>",
  kind: "read",
  description:
    "Lists the versions of a secret, or the commits that changed a scope, newest first. Versions count from 1, the oldest; a value that was only sealed again is no version. Needs no key and never prints a value.",
  options: [],
  examples: [
    { command: "sealtree log prod/api/STRIPE_KEY", description: "when did it change, and who changed it" },
    { command: "sealtree log prod/api --at v1.2.0 --json", description: "a scope as of a tag, for a script" },
  ],
  json: '{"address", "versions": [{"version", "event": "set"|"removed", "value_id"|null, "set_at"|null, "commit", "author": {"name","email"}, "at", "reason"|null, "subject", "same_as"|null, "current": boolean}], "uncommitted": {"event","value_id","set_at"}|null, "warnings": [text]} or for a scope {"scope", "commits": [{"commit", "author", "at", "reason"|null, "subject", "set": [name], "removed": [name], "resealed": [name]}], "warnings": [text]}',
  async run(context, [text = ""]) {
    context.about({ operation: "log" });
    const place = context.place();
    if (!hasGit(place)) {
      throw new SealtreeError("E_NO_REPOSITORY", "the tree here is not a git repository, so it has no history", {
        hints: ["run it in a clone"],
      });
    }
    const target = await parseTarget(await context.tree(), text);
    const at = context.options.at === undefined ? undefined : await resolveCommit(place, context.options.at);
    if (target.kind === "scope") await showScope(context, place, target.scope, at);
    else await showSecret(context, place, target.address, at);
  },
};

async function showSecret(context: Context, place: GitPlace, address: Address, at: string | undefined): Promise<void> {
  context.about({ operation: "log", ...address });
  const { versions, uncommitted, warnings } = await listVersions(place, address, at);
  if (versions.length === 0 && uncommitted === undefined) throw await neverThere(place, address, warnings);
  if (context.options.json) {
    const listed = versions.toReversed().map((version) => ({
      version: version.version,
      ...stateJson(version),
      ...commitJson(version),
      same_as: version.sameAs ?? null,
      current: version.isCurrent,
    }));
    const open = uncommitted === undefined ? null : stateJson(uncommitted);
    context.json({ address: printAddress(address), versions: listed, uncommitted: open, warnings });
    return;
  }
  const open = uncommitted === undefined ? [] : [["work tree", stateText(uncommitted), "not committed"]];
  const rows = versions
    .toReversed()
    .map((version) => [
      `version ${version.version}`,
      stateText(version),
      ...commitCells(context, version),
      [
        version.isCurrent ? "current" : "",
        version.sameAs === undefined ? "" : `same value as version ${version.sameAs}`,
      ]
        .filter((note) => note !== "")
        .join(", "),
    ]);
  for (const line of table([...open, ...rows])) context.line(line);
  for (const warning of warnings) context.say(`sealtree: warning: ${warning}`);
}

async function showScope(context: Context, place: GitPlace, scope: ScopePath, at: string | undefined): Promise<void> {
  context.about({ operation: "log", scope });
  const { commits, warnings } = await listScopeChanges(place, scope, at);
  if (context.options.json) {
    const listed = commits
      .toReversed()
      .map(({ set, removed, resealed, ...commit }) => ({ ...commitJson(commit), set, removed, resealed }));
    context.json({ scope, commits: listed, warnings });
    return;
  }
  const rows = commits
    .toReversed()
    .map((commit) => [
      ...commitCells(context, commit),
      [
        ...commit.set.map((name) => `+${name}`),
        ...commit.removed.map((name) => `-${name}`),
        ...(commit.resealed.length === 0 ? [] : [`${commit.resealed.length} sealed again`]),
      ].join(" "),
    ]);
  if (rows.length === 0) context.say("no commit has this scope yet");
  for (const line of table(rows)) context.line(line);
  for (const warning of warnings) context.say(`sealtree: warning: ${warning}`);
}

async function neverThere(
  place: GitPlace,
  { scope, name }: Address,
  warnings: readonly string[],
): Promise<SealtreeError> {
  const tree = openWorkTree(place.root);
  const entries = await readScope(tree, scope);
  const near =
    entries === undefined ? suggest(`${scope}/${name}`, await listScopes(tree)) : suggest(name, [...entries.keys()]);
  return new SealtreeError("E_SECRET_NOT_FOUND", `no commit has a secret ${scope}/${name}`, {
    hints: [...near, ...warnings, "sealtree list shows what is there"],
  });
}
