import { resolveCommit } from "../../git/revision.ts";
import { blameScope, type Blame, type BlameLine } from "../../history/blame-scope.ts";
import type { Address } from "../../secret/address.ts";
import type { Tree } from "../../store/tree.ts";
import { scopeNotFound, secretNotFound } from "../../values/not-found.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { commitCells, commitJson, noteCell } from "../describe-version.ts";
import { requireHistory } from "../load-exposure.ts";
import { relativeTime, table } from "../present.ts";
import { noSuchScope, parseTarget } from "../target.ts";

export const blame: CommandModule = {
  arguments: "<address|scope>",
  kind: "read",
  description:
    "Says of every secret of a scope, or of one secret, who gave it the value it has, when and why. A value that was only sealed again, by a rekey, keeps the one who set it. Needs no key and never prints a value.",
  options: [],
  examples: [
    { command: "sealtree blame prod/api", description: "who set what is in force" },
    { command: "sealtree blame prod/api/STRIPE_KEY", description: "who set one value" },
    { command: "sealtree blame prod/api --at v1.2.0 --json", description: "as of a tag, for a script" },
  ],
  json: '{"scope", "secrets": [{"name", "value_id", "set_at", "is_drop": boolean, "committed": boolean, "commit"|null, "author": {"name","email"}|null, "at"|null, "reason"|null, "note"|null, "subject"|null}], "removed": [name], "warnings": [text]}',
  async run(context, [text = ""]) {
    context.about({ operation: "blame" });
    const place = requireHistory(context);
    const tree = await context.tree();
    const target = await parseTarget(tree, text);
    const scope = target.kind === "scope" ? target.scope : target.address.scope;
    context.about({ operation: "blame", ...(target.kind === "scope" ? { scope } : target.address) });
    const at = context.options.at === undefined ? undefined : await resolveCommit(place, context.options.at);
    const whole = await blameScope(place, scope, { tree, at });
    if (whole === undefined)
      throw target.kind === "scope" ? await scopeNotFound(tree, scope) : await noSuchScope(tree, text, target.address);
    const found = target.kind === "scope" ? whole : only(tree, whole, target.address);
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
  return [...value, commit, ...who, noteCell(context, origin)];
}

function lineJson({ name, valueId, setAt, isDrop, origin }: BlameLine) {
  const value = { name, value_id: valueId, set_at: new Date(setAt * 1000).toISOString(), is_drop: isDrop };
  if (origin !== undefined) return { ...value, committed: true, ...commitJson(origin) };
  return { ...value, committed: false, commit: null, author: null, at: null, reason: null, note: null, subject: null };
}

/** The one secret `address`, also one that was removed and not committed. Throws E_SECRET_NOT_FOUND. */
function only(tree: Tree, { lines, removed, warnings }: Blame, address: Address): Blame {
  const names = [...lines.map(({ name }) => name), ...removed];
  if (!names.includes(address.name)) throw secretNotFound(tree, address, names);
  return {
    lines: lines.filter(({ name }) => name === address.name),
    removed: removed.filter((name) => name === address.name),
    warnings,
  };
}
