import type { SealtreeError } from "../errors.ts";
import type { Dependents } from "../resolve/dependents.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import type { RotatedScope } from "../rotation/rotate.ts";
import type { NotRotated, Urgency } from "../rotation/select.ts";
import { auditFailure } from "./audit-failure.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { auditResults, sayResults, toJson } from "./report-providers.ts";
import { auditWrite, sayDrops } from "./report-write.ts";
import type { ProviderReport } from "./rotate-at-providers.ts";

export interface RotationReport {
  readonly scopes: readonly RotatedScope[];
  readonly notRotated: readonly NotRotated[];
  readonly unreadable: readonly { readonly scope: ScopePath; readonly error: SealtreeError }[];
  /** Secrets of the repository that no rule names. */
  readonly withoutRule: number;
  readonly urgency: Urgency;
  /** `markdown` for a job summary or an issue. */
  readonly format: "words" | "markdown";
  /** What was done at providers; undefined when nothing was to be. */
  readonly providers: ProviderReport | undefined;
  /** What refers to what was rotated, and changes with it. */
  readonly dependents: Dependents;
}

/** Says what a rotation did and what it could not do, on stderr or as JSON, and audits both. */
export async function reportRotation(context: Context, report: RotationReport): Promise<void> {
  for (const { scope, outcome, error } of [
    ...report.scopes,
    ...report.unreadable.map((it) => ({ ...it, outcome: undefined })),
  ]) {
    context.about({ operation: "rotate", scope });
    if (error !== undefined) auditFailure(context, error);
    if (outcome === undefined || context.options.dryRun) continue;
    await auditWrite(context, outcome, {
      operation: "rotate",
      kind: report.urgency === "emergency" ? "emergencyRotation" : "rotated",
    });
  }
  auditResults(context, context.options.dryRun ? [] : (report.providers?.results ?? []), report.urgency);
  const markdown = report.format === "markdown" ? await toMarkdown(context, report) : undefined;
  if (context.options.json) printJson(context, report, markdown);
  else if (markdown === undefined) printWords(context, report);
  else context.line(markdown);
}

async function toMarkdown(context: Context, report: RotationReport): Promise<string> {
  const { printRotationMarkdown } = await import("./rotation-markdown.ts");
  return printRotationMarkdown(report, context.options.dryRun);
}

function printJson(context: Context, report: RotationReport, markdown: string | undefined): void {
  const { scopes, notRotated, unreadable, withoutRule, providers, dependents } = report;
  context.json({
    rotated: listRotated(scopes),
    not_rotated: listNotRotated(scopes, notRotated),
    unreadable: unreadable.map(({ scope, error }) => ({ scope, code: error.code, message: error.message })),
    at_providers: (providers?.results ?? []).map(toJson),
    postponed: (providers?.postponed ?? []).map(printAddress),
    targets: [...(providers?.delivery?.targets.values() ?? [])].map(({ target, isInOrder, failures }) => ({
      target,
      in_order: isInOrder,
      reasons: failures.map(({ message }) => message),
    })),
    branch: providers?.branch ?? null,
    trunk: providers?.trunk ?? null,
    unmerged: unmergedJson(providers?.unmerged),
    dependents: [...dependents].map(([address, names]) => ({ address, dependents: names })),
    without_rule: withoutRule,
    dry_run: context.options.dryRun,
    ...(markdown === undefined ? {} : { markdown }),
  });
}

function unmergedJson(unmerged: ProviderReport["unmerged"]) {
  if (unmerged === undefined) return null;
  const { values, graces, steps } = unmerged;
  return { values: values.map(printAddress), graces: graces.map(printAddress), steps: steps.map(printAddress) };
}

function printWords(context: Context, report: RotationReport): void {
  const { scopes, notRotated, unreadable, withoutRule, providers } = report;
  if (providers !== undefined) sayResults(context, providers);
  const rotated = listRotated(scopes);
  const verb = context.options.dryRun ? "would rotate" : "rotated";
  for (const { address, commit } of rotated)
    context.say(`${verb} ${address}${commit === null ? "" : ` in ${commit.slice(0, 9)}`}`);
  for (const [address, names] of report.dependents)
    for (const name of names) context.say(`${name} refers to ${address} and changes with it`);
  for (const { scope, drops } of scopes.flatMap(({ outcome }) => outcome?.result ?? []))
    if (drops.length > 0) context.say(sayDrops(scope, drops.length));
  for (const { address, reason, needed } of listNotRotated(scopes, notRotated)) {
    context.say(`${needed ? context.paint("red", "not rotated") : "not rotated"} ${address}: ${reason}`);
  }
  for (const { scope, error } of unreadable) context.say(`not rotated ${scope}: ${error.message}`);
  const others = scopes.length + notRotated.length + unreadable.length + (providers?.results.length ?? 0);
  if (rotated.length === 0 && others === 0) context.say("nothing to rotate");
  if (withoutRule > 0) context.say(`${count(withoutRule, "secret")} without a rule: sealtree rotation status`);
}

/** What refers to the secrets that have a new value, here or at a provider, or would have one. */
export async function findRotatedDependents(
  context: Context,
  { scopes, providers }: Pick<RotationReport, "scopes" | "providers">,
): Promise<Dependents> {
  const here = scopes.flatMap(({ rotations, outcome }) => (outcome === undefined ? [] : rotations));
  const there = (providers?.results ?? []).filter(({ outcome }) => ["rotated", "ready"].includes(outcome.kind));
  const rotated: Address[] = [...here.map(({ entry }) => entry.address), ...there.map(({ address }) => address)];
  if (rotated.length === 0) return new Map();
  const { findDependents } = await import("../resolve/dependents.ts");
  const { openWorkTree } = await import("../store/work-tree.ts");
  const { identitiesOrNone } = await import("../identity/identities-or-none.ts");
  const identities = await identitiesOrNone(() => context.session.identities());
  return await findDependents(openWorkTree(context.place().root), identities, rotated);
}

/** What has a new value here, and the commit that gave it. */
export function listRotated(scopes: readonly RotatedScope[]) {
  return scopes.flatMap(({ rotations, outcome }) =>
    outcome === undefined
      ? []
      : rotations.map(({ entry }) => ({ address: printAddress(entry.address), commit: outcome.commit ?? null })),
  );
}

/** What was asked for and has no new value, and why. */
export function listNotRotated(scopes: readonly RotatedScope[], notRotated: readonly NotRotated[]) {
  const failed = scopes.flatMap(({ rotations, error }) =>
    error === undefined
      ? []
      : rotations.map(({ entry }) => ({ address: printAddress(entry.address), reason: error.message, needed: true })),
  );
  return [
    ...failed,
    ...notRotated.map(({ entry, reason, isNeeded }) => ({
      address: printAddress(entry.address),
      reason,
      needed: isNeeded,
    })),
  ];
}
