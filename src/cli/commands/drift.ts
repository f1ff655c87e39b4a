import { checkInitialised } from "../../access/policy.ts";
import { prepareDeploy, type PreparedDeploy } from "../../deploy/deploy.ts";
import { statusOf, type TargetStatus } from "../../deploy/status.ts";
import { exitCodes } from "../../errors.ts";
import { parseAddress } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { parseDeadline, showTargets } from "../deploy-options.ts";
import { fitTable, type Column } from "../fit-table.ts";
import { safeText } from "../safe-text.ts";

const styles = { "in sync": "green", drift: "red", unknown: "yellow" } as const;

export const drift: CommandModule = {
  arguments: "[targets...]",
  kind: "plain",
  description:
    "Compares the targets of policies/deploy.yaml with the values of HEAD, and changes nothing. missing: a value is not there; changed: another one is there, or a new one was not deployed yet; left over: ours, and not wanted any more; not ours: somebody else has the name. A target that does not show its values is never in sync: without a sign of a change it is unknown. The exit status is 1 when there is drift, and 0 when nothing worse than unknown was found.",
  options: [
    { flags: "--deadline <time>", description: "give up after this time, such as 90s or 15m (5m)" },
    { flags: "--at <rev>", description: "compare with a commit, tag or branch instead of HEAD" },
  ],
  examples: [
    { command: "sealtree drift", description: "all targets" },
    { command: "sealtree drift vault --json", description: "one, for a program" },
  ],
  json: '{"commit": id, "targets": [{"target", "kind", "place", "state": "in sync"|"drift"|"unknown", "unknown": text|null, "items": [{"name", "address", "state": "in sync"|"missing"|"changed"|"left over"|"not ours"|"unknown", "reason"}], "deployed": {"commit", "at", "by"}|null}], "warnings": [text]}',
  async run(context, targets, options) {
    context.about({ operation: "drift" });
    const display = showTargets(context);
    let prepared: PreparedDeploy | undefined;
    try {
      await checkInitialised(await context.tree());
      prepared = await prepareDeploy(context.session, {
        targets,
        revision: context.options.at,
        adoption: "none",
        prunes: false,
        deadlineMs: parseDeadline(options["deadline"]),
        env: context.io.env,
        isDeploy: false,
        onProgress: (progress) => display.show(progress),
      });
      display.end();
      const found = prepared.targets.map((target) => ({ entry: target.entry, status: statusOf(target) }));
      auditDrift(context, prepared, found);
      if (context.options.json) printJson(context, prepared, found);
      else printText(context, prepared, found);
      return found.some(({ status }) => status.state === "drift") ? exitCodes.found : exitCodes.ok;
    } finally {
      display.end();
      await prepared?.close();
    }
  },
};

interface Found {
  readonly entry: PreparedDeploy["targets"][number]["entry"];
  readonly status: TargetStatus;
}

function printText(context: Context, { receipts }: PreparedDeploy, found: readonly Found[]): void {
  const rows = found.flatMap(({ entry, status }) =>
    status.items.filter(({ state }) => state !== "in sync").map((item) => ({ ...item, target: entry.name })),
  );
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { head: "TARGET", cell: ({ target }) => target },
    { head: "STATE", cell: ({ state }) => context.paint(state === "unknown" ? "yellow" : "red", state) },
    { head: "NAME", cell: ({ name }) => safeText(name) },
    { head: "SECRET", goes: 2, cell: ({ address }) => safeText(address) },
    { head: "WHY", goes: 1, cell: ({ reason }) => safeText(reason) },
  ];
  for (const line of fitTable(columns, rows, context.io.stdout)) context.line(line);
  for (const { entry, status } of found) {
    const why = status.state === "in sync" || status.unknown === undefined ? "" : `: ${status.unknown}`;
    context.say(`${entry.name}: ${context.paint(styles[status.state], status.state)}${why}`);
  }
  if (found.length === 0) context.say("there are no targets in policies/deploy.yaml");
  for (const warning of receipts.warnings) context.say(`warning: ${warning}`);
}

function printJson(context: Context, { commit, receipts }: PreparedDeploy, found: readonly Found[]): void {
  context.json({
    commit,
    targets: found.map(({ entry, status }) => {
      const receipt = receipts.get(entry.name);
      const deployed =
        receipt === undefined
          ? null
          : { commit: receipt.commit, at: new Date(receipt.timeMs).toISOString(), by: receipt.actor ?? null };
      return {
        target: entry.name,
        kind: entry.kind,
        place: entry.bound.place,
        state: status.state,
        unknown: status.unknown ?? null,
        items: status.items,
        deployed,
      };
    }),
    warnings: receipts.warnings,
  });
}

function auditDrift(context: Context, { commit, targets }: PreparedDeploy, found: readonly Found[]): void {
  const known = new Map(
    targets.flatMap(({ items }) => items.map(({ mark, source }) => [mark.address, source] as const)),
  );
  context.audit(
    found.flatMap(({ entry, status }) =>
      status.items
        .filter(({ state }) => state !== "in sync" && state !== "unknown")
        .map(({ address, state }) => ({
          kind: "driftFound",
          operation: `drift ${entry.name}`,
          ...(known.get(address) ?? parseAddress(address)),
          outcome: "failed",
          reason: state,
          commit,
        })),
    ),
  );
}
