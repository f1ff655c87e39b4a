import type { LeftValue, Offboarded, OffboardPlan } from "../rotation/offboard.ts";
import { printAddress } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { markdownCode, markdownText } from "./markdown.ts";
import { count, table } from "./present.ts";
import { auditWrite } from "./report-write.ts";
import { safeText } from "./safe-text.ts";

/** Puts one event for each scope that changed hands, and for each value that was rotated, into the audit log. */
export async function auditOffboard(
  context: Context,
  { name, isMember }: OffboardPlan,
  done: Offboarded,
): Promise<void> {
  const { findOwnMember } = await import("../access/own-member.ts");
  const { loadPolicy } = await import("../access/policy.ts");
  const { openWorkTree } = await import("../store/work-tree.ts");
  const actor = await findOwnMember(await loadPolicy(openWorkTree(context.place().root)), context.session);
  const event = {
    kind: "accessChanged",
    operation: "offboard",
    outcome: "ok",
    member: actor?.name,
    knownBy: "identity",
    reason: context.options.note ?? `member ${name}`,
    commit: done.commit,
  } as const;
  if (done.scopes.length > 0) context.audit(done.scopes.map((scope) => ({ ...event, scope })));
  else if (isMember) context.audit([event]);
  for (const { outcome } of done.rotated)
    if (outcome !== undefined) await auditWrite(context, outcome, { operation: "offboard", kind: "rotated" });
}

/** What was done, as `--json` prints it. */
export function offboardJson(context: Context, { name, exposure }: OffboardPlan, done: Offboarded) {
  return {
    member: name,
    removed: true,
    commit: done.commit ?? null,
    scopes: done.scopes,
    rotated: listRotated(done),
    left: done.left.map(({ scope, name: secret, owner, runbook, reason, isFailure }) => ({
      scope,
      name: secret,
      owner: owner ?? null,
      runbook: runbook ?? null,
      reason,
      failed: isFailure,
    })),
    complete: exposure.isComplete,
    warnings: exposure.warnings,
    dry_run: context.options.dryRun,
  };
}

/** What was done, in words. */
export function sayOffboard(context: Context, { name, isMember }: OffboardPlan, done: Offboarded): void {
  const would = context.options.dryRun ? "would " : "";
  const inCommit = done.commit === undefined ? "" : ` in ${done.commit.slice(0, 9)}`;
  if (isMember) context.say(would === "" ? `removed ${name}${inCommit}` : `would remove ${name}`);
  else context.say(`${name} is no member`);
  if (done.scopes.length > 0)
    context.say(`${would === "" ? "gave" : "would give"} ${count(done.scopes.length, "scope")} a new key`);
  for (const { scope, name: secret, commit } of listRotated(done))
    context.say(
      `${would === "" ? "rotated" : "would rotate"} ${scope}/${secret}${commit === null ? "" : ` in ${commit.slice(0, 9)}`}`,
    );
  if (done.left.length === 0) context.say(`nothing that ${name} could read is left to rotate`);
  else
    context.say(
      `${count(done.left.length, "secret")} left; ${name} knows them until they have a new value at their provider`,
    );
}

/** The values that are left, one a line. */
export function sayLeft(context: Context, left: readonly LeftValue[]): void {
  const rows = left.map((value) => [
    printAddress(value),
    value.owner === undefined ? "no owner" : `owner ${value.owner}`,
    value.runbook ?? "no runbook",
    value.reason,
  ]);
  for (const line of table(rows)) context.line(safeText(line));
}

/** The whole as a page to put into an issue; the values that are left are a list to tick off. */
export function printMarkdown(context: Context, { name, exposure }: OffboardPlan, done: Offboarded): void {
  const rotated = listRotated(done);
  const lines = [
    `# Offboarding of ${markdownText(name)}`,
    "",
    `${name} could read ${count(exposure.exposed.length, "secret")} that ${exposure.exposed.length === 1 ? "was" : "were"} in force.`,
    ...(context.options.dryRun ? ["", "A dry run: nothing was changed."] : []),
    ...(exposure.isComplete ? [] : ["", "**The history here is not whole, so more may be exposed.**"]),
    ...section(
      "Scopes with a new key",
      done.scopes.map((scope) => `- ${markdownCode(scope)}`),
    ),
    ...section(
      "Rotated",
      rotated.map(
        ({ scope, name: secret, commit }) =>
          `- ${markdownCode(`${scope}/${secret}`)}${commit === null ? "" : ` in ${commit.slice(0, 9)}`}`,
      ),
    ),
    ...section("Left to rotate", done.left.map(printLeft)),
    ...section(
      "Warnings",
      exposure.warnings.map((warning) => `- ${markdownText(warning)}`),
    ),
  ];
  for (const line of lines) context.line(safeText(line));
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", `## ${title}`, "", ...(lines.length === 0 ? ["None."] : lines)];
}

function printLeft(value: LeftValue): string {
  const { owner, runbook, reason } = value;
  const who = owner === undefined ? "no owner" : markdownText(owner);
  return `- [ ] ${markdownCode(printAddress(value))}: ${who}${runbook === undefined ? "" : `, ${markdownText(runbook)}`} (${markdownText(reason)})`;
}

function listRotated({ rotated }: Offboarded) {
  return rotated.flatMap(({ rotations, outcome }) =>
    outcome === undefined ? [] : rotations.map(({ entry }) => ({ ...entry.address, commit: outcome.commit ?? null })),
  );
}
