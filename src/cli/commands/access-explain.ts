import { explainScope, type GrantReason, type MemberAccess } from "../../access/explain.ts";
import { loadPolicy } from "../../access/policy.ts";
import { parseScopePath, type ScopePath } from "../../secret/address.ts";
import { scopeFilePath } from "../../store/layout.ts";
import { printLetters } from "../access-letters.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { table } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const accessExplain: CommandModule = {
  arguments: "<scope>",
  kind: "read",
  description:
    "Says for each member what the policy allows in a scope and why: which role, and which of its patterns decided. The scope need not exist yet. Needs no key.",
  options: [],
  examples: [
    { command: "sealtree access explain prod/api", description: "why somebody may read, or may not" },
    { command: "sealtree access explain prod/new-service --json", description: "before the scope is made" },
  ],
  json: '{"scope", "exists": boolean, "members": [{"name", "allowed": [action], "reasons": [{"role", "pattern", "allow": [action], "covers": boolean}]}], "recovery": [name]}',
  async run(context, [text = ""]) {
    const scope = parseScopePath(text);
    context.about({ operation: "access explain", scope });
    const tree = await context.tree();
    const policy = await loadPolicy(tree);
    const exists = (await tree.read(scopeFilePath(scope))) !== undefined;
    const members = explainScope(policy, scope);
    const recovery = [...policy.recovery.keys()];
    if (context.options.json) {
      context.json({
        scope,
        exists,
        members: members.map(({ member: { name }, allowed, reasons }) => ({ name, allowed, reasons })),
        recovery,
      });
      return;
    }
    printText(context, scope, members, recovery);
    if (!exists) context.say(`there is no scope ${scope} yet; this is what would hold`);
  },
};

function printText(
  context: Context,
  scope: ScopePath,
  members: readonly MemberAccess[],
  recovery: readonly string[],
): void {
  const rows = members.flatMap(({ member, allowed, reasons }) => {
    const [first = "no role of theirs has a pattern for it", ...others] = reasons.map(sayReason);
    return [[member.name, printLetters(allowed), first], ...others.map((reason) => ["", "", reason])];
  });
  for (const name of recovery) rows.push([name, printLetters(["read"]), "recovery: wrapped into every scope"]);
  for (const line of table(rows)) context.line(safeText(line));
  const readers = members.filter(({ allowed }) => allowed.includes("read"));
  if (readers.length === 0) context.say(`nobody may read ${scope}, so nothing can be sealed for it`);
}

function sayReason({ role, pattern, allow, covers }: GrantReason): string {
  return covers ? `${role}: ${pattern} allows ${allow.join(", ")}` : `${role}: ${pattern} takes it out`;
}
