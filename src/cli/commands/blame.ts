import { SealtreeError } from "../../errors.ts";
import { resolveCommit } from "../../git/revision.ts";
import { blameScope, type BlameLine } from "../../history/blame-scope.ts";
import { parseScopePath, type ScopePath } from "../../secret/address.ts";
import { listScopes } from "../../store/keyring.ts";
import type { Tree } from "../../store/tree.ts";
import { suggest } from "../../values/suggest.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { commitCells, commitJson } from "../describe-version.ts";
import { requireHistory } from "../load-exposure.ts";
import { relativeTime, table } from "../present.ts";

export const blame: CommandModule = {
  arguments: "<scope>",
  kind: "read",
  description:
    "Says of every secret of a scope who gave it the value it has, when and why. A value that was only sealed again, by a rekey, keeps the one who set it. Needs no key and never prints a value.",
  options: [],
  examples: [
    { command: "sealtree blame prod/api", description: "who set what is in force" },
    { command: "sealtree blame prod/api --at v1.2.0 --json", description: "as of a tag, for a script" },
  ],
  json: '{"scope", "secrets": [{"name", "value_id", "set_at", "is_drop": boolean, "committed": boolean, "commit"|null, "author": {"name","email"}|null, "at"|null, "reason"|null, "subject"|null}], "removed": [name], "warnings": [text]}',
  async run(context, [text = ""]) {
    const scope = parseScopePath(text);
    context.about({ operation: "blame", scope });
    const place = requireHistory(context);
    const tree = await context.tree();
    const at = context.options.at === undefined ? undefined : await resolveCommit(place, context.options.at);
    const found = await blameScope(place, scope, { tree, at });
    if (found === undefined) throw await noSuchScope(tree, scope);
    if (context.options.json) {
      context.json({ scope, secrets: found.lines.map(lineJson), removed: found.removed, warnings: found.warnings });
      return;
    }
    const removed = found.removed.map((name) => [name, "removed", "", "not committed"]);
    for (const line of table([...found.lines.map((each) => cells(context, each)), ...removed])) context.line(line);
    if (found.lines.length === 0) context.say("the scope has no secrets");
    for (const warning of found.warnings) context.say(`sealtree: warning: ${warning}`);
  },
};

function cells(context: Context, { name, valueId, setAt, isDrop, origin }: BlameLine): string[] {
  const age = relativeTime(setAt * 1000, context.io.now().getTime());
  const value = [name, `value ${valueId.slice(0, 8)}${isDrop ? " (drop)" : ""}`, `set ${age}`];
  if (origin === undefined) return [...value, context.paint("yellow", "not committed")];
  const [commit = "", , ...who] = commitCells(context, origin);
  return [...value, commit, ...who];
}

function lineJson({ name, valueId, setAt, isDrop, origin }: BlameLine) {
  const value = { name, value_id: valueId, set_at: new Date(setAt * 1000).toISOString(), is_drop: isDrop };
  if (origin !== undefined) return { ...value, committed: true, ...commitJson(origin) };
  return { ...value, committed: false, commit: null, author: null, at: null, reason: null, subject: null };
}

async function noSuchScope(tree: Tree, scope: ScopePath): Promise<SealtreeError> {
  return new SealtreeError("E_SCOPE_NOT_FOUND", `no scope ${scope} in ${tree.label}`, {
    hints: [...suggest(scope, await listScopes(tree)), "sealtree list shows the scopes"],
  });
}
