import { exitCodes, SealtreeError } from "../../errors.ts";
import { parseScopePath, printAddress } from "../../secret/address.ts";
import { findRotationPolicy } from "../../rotation/policy.ts";
import { isDue, rotationStatus, type RotationStatus, type StatusEntry } from "../../rotation/status.ts";
import { listScopes } from "../../store/keyring.ts";
import { suggest } from "../../values/suggest.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count, relativeTime, table, type Style } from "../present.ts";

const styles = {
  ok: "green",
  notice: "yellow",
  due: "red",
  overdue: "red",
  "no-rule": "dim",
} as const satisfies Record<StatusEntry["state"], Style>;

export const rotationStatusCommand: CommandModule = {
  arguments: "[scope]",
  kind: "read",
  description:
    "Shows how old each value is and when it is to be rotated, of all secrets or of a scope and those below it. Secrets without a rule are listed too. Needs no key and no history. overdue: due for more than a day.",
  options: [
    { flags: "--due", description: "only what is due or overdue" },
    { flags: "--check", description: "exit with 1 when something is due or overdue" },
  ],
  examples: [
    { command: "sealtree rotation status prod", description: "everything below prod" },
    { command: "sealtree rotation status --due --check", description: "fail a job when something is due" },
  ],
  json: '{"secrets": [{"address", "type"|null, "rotator"|null, "owner"|null, "set_at", "age_seconds", "due_at"|null, "state": "ok"|"notice"|"due"|"overdue"|"no-rule"}], "counts": {state: number}, "warnings": [{"file", "line", "message"}]}',
  async run(context, [text], options) {
    const scope = text === undefined ? undefined : parseScopePath(text);
    context.about({ operation: "rotation status", ...(scope === undefined ? {} : { scope }) });
    const status = await readStatus(context, scope);
    const shown = options["due"] === true ? status.entries.filter(isDue) : status.entries;
    if (context.options.json) await printJson(context, status, shown);
    else await printTable(context, status, shown);
    const [broken] = status.unreadable;
    if (broken !== undefined) throw broken.error;
    return options["check"] === true && status.entries.some(isDue) ? exitCodes.found : exitCodes.ok;
  },
};

async function readStatus(context: Context, scope: string | undefined): Promise<RotationStatus> {
  const tree = await context.tree();
  const { entries, unreadable } = await rotationStatus(tree, context.io.now());
  const isBelow = (path: string) => scope === undefined || path === scope || path.startsWith(`${scope}/`);
  const scopes = await listScopes(tree);
  if (scope !== undefined && !scopes.some(isBelow)) {
    throw new SealtreeError("E_SCOPE_NOT_FOUND", `no scope ${scope}`, {
      hints: [...suggest(scope, scopes), "sealtree list shows the scopes"],
    });
  }
  return {
    entries: entries.filter(({ address }) => isBelow(address.scope)),
    unreadable: unreadable.filter((it) => isBelow(it.scope)),
  };
}

async function printJson(context: Context, status: RotationStatus, shown: readonly StatusEntry[]): Promise<void> {
  const nowMs = context.io.now().getTime();
  context.json({
    secrets: shown.map(({ address, rule, setAtMs, dueAtMs, state }) => ({
      address: printAddress(address),
      type: rule?.type ?? null,
      rotator: rule?.rotator ?? null,
      owner: rule?.owner ?? null,
      set_at: new Date(setAtMs).toISOString(),
      age_seconds: Math.floor((nowMs - setAtMs) / 1000),
      due_at: dueAtMs === undefined ? null : new Date(dueAtMs).toISOString(),
      state,
    })),
    counts: countStates(status.entries),
    warnings: await listWarnings(context),
  });
}

async function printTable(context: Context, status: RotationStatus, shown: readonly StatusEntry[]): Promise<void> {
  const nowMs = context.io.now().getTime();
  const rows = shown.map(({ address, rule, setAtMs, dueAtMs, state }) => [
    printAddress(address),
    rule?.type ?? "",
    rule?.rotator ?? "",
    `set ${relativeTime(setAtMs, nowMs)}`,
    dueAtMs === undefined
      ? rule === undefined
        ? ""
        : "never"
      : `${relativeTime(dueAtMs, nowMs)} (${printMinute(dueAtMs)})`,
    context.paint(styles[state], state),
  ]);
  if (rows.length > 0)
    for (const line of table([["SECRET", "TYPE", "ROTATOR", "AGE", "NEXT (UTC)", "STATE"], ...rows]))
      context.line(line);
  for (const { file, line, message } of await listWarnings(context))
    context.say(`warning: ${file}:${line ?? 1}: ${message}`);
  const counts = Object.entries(countStates(status.entries)).map(([state, amount]) => `${amount} ${state}`);
  context.say(counts.length === 0 ? "no secrets" : `${count(status.entries.length, "secret")}: ${counts.join(", ")}`);
}

async function listWarnings(context: Context) {
  const { findings } = await findRotationPolicy(await context.tree());
  return findings.map(({ file, line, message }) => ({ file, line, message }));
}

function countStates(entries: readonly StatusEntry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function printMinute(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");
}
