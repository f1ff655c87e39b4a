import type { GitOperation } from "../../git/in-progress.ts";
import { readStatus, type RepositoryStatus } from "../../review/status.ts";
import type { CommandModule } from "../command.ts";
import { count, table } from "../present.ts";
import { safeText } from "../safe-text.ts";

const maxFiles = 5;

export const status: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Shows on one screen who you are here, what there is, what is not committed, what the checks found and which rotations are due. Needs no key.",
  options: [],
  examples: [
    { command: "sealtree status", description: "how things stand" },
    { command: "sealtree status --json", description: "for a prompt or a script" },
  ],
  json: '{"member": {"name", "roles"}|null, "scopes", "readable", "secrets", "drops", "errors", "warnings": number, "rotation": {"due", "overdue"}|null, "uncommitted": [path], "operation": text|null, "conflicts": [path], "merge_driver": "installed"|"outdated"|"missing"|null, "attributes": boolean|null}',
  async run(context) {
    context.about({ operation: "status" });
    const found = await readStatus(context.session, context.io.self);
    if (context.options.json) {
      const {
        member,
        due,
        setup,
        scopes,
        readable,
        secrets,
        drops,
        errors,
        warnings,
        uncommitted,
        conflicts,
        operation,
      } = found;
      const stopped = { operation: operation?.name ?? null, conflicts };
      const git = {
        uncommitted,
        ...stopped,
        merge_driver: setup?.driver ?? null,
        attributes: setup?.hasAttributes ?? null,
      };
      context.json({
        member: member ?? null,
        scopes,
        readable,
        secrets,
        drops,
        errors,
        warnings,
        rotation: due ?? null,
        ...git,
      });
      return;
    }
    const rows = [
      ["you", sayMember(found)],
      [
        "secrets",
        `${count(found.secrets, "secret")} in ${count(found.scopes, "scope")}, ${found.readable} of them yours to read`,
      ],
      ...(found.drops === 0 ? [] : [["drops", `${count(found.drops, "drop")} to be adopted; see sealtree check`]]),
      ["checks", sayChecks(found)],
      ["rotation", sayRotation(found)],
      ["uncommitted", sayUncommitted(found)],
      ...(found.operation === undefined ? [] : [["in progress", sayOperation(found.operation, found.conflicts)]]),
      ["merge driver", saySetup(found)],
    ];
    for (const line of table(rows)) context.line(safeText(line));
  },
};

function sayMember({ member }: RepositoryStatus): string {
  return member === undefined
    ? "no member here; sealtree doctor says what to do"
    : `${member.name} (${member.roles.join(", ")})`;
}

function sayChecks({ errors, warnings }: RepositoryStatus): string {
  return errors + warnings === 0
    ? "nothing wrong"
    : `${count(errors, "error")}, ${count(warnings, "warning")}; see sealtree check`;
}

function sayRotation({ due }: RepositoryStatus): string {
  if (due === undefined) return "the rotation policy cannot be read; see sealtree check";
  return due.due + due.overdue === 0
    ? "nothing due"
    : `${due.due} due, ${due.overdue} overdue; see sealtree rotation status`;
}

function sayUncommitted({ uncommitted }: RepositoryStatus): string {
  if (uncommitted.length === 0) return "nothing";
  return uncommitted.length <= maxFiles ? uncommitted.join(", ") : count(uncommitted.length, "file");
}

function sayOperation({ name, finish }: GitOperation, conflicts: readonly string[]): string {
  if (conflicts.length === 0) return `${name}; ${finish}`;
  return `${name}, ${count(conflicts.length, "file")} in conflict; sealtree resolve, then ${finish}`;
}

function saySetup({ setup }: RepositoryStatus): string {
  if (setup === undefined) return "no git here";
  return setup.driver === "installed" && setup.diffDriver === "installed" && setup.hasAttributes
    ? "installed"
    : "not set up in this clone; run sealtree git-setup";
}
