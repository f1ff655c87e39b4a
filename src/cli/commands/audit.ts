import { auditCodes, meaningOf } from "../../audit/codes.ts";
import { listEvents, type AuditFilter, type SourcedRecord } from "../../audit/list-events.ts";
import { hasCode, SealtreeError } from "../../errors.ts";
import type { GitPlace } from "../../git/place.ts";
import { durationMs, isDuration } from "../../rotation/duration.ts";
import { parseScopePath } from "../../secret/address.ts";
import { suggest } from "../../secret/suggest.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { table, type Style } from "../present.ts";
import { safeText } from "../safe-text.ts";

const styles = { info: "dim", warn: "yellow", error: "red" } as const satisfies Record<SourcedRecord["level"], Style>;
const sources = ["local", "git", "all"] as const;

export const audit: CommandModule = {
  arguments: "",
  kind: "plain",
  description:
    "Shows who did what to the secrets of this repository, newest last: your own log on this machine, which also knows reads and refusals, joined with what the commits say. docs/audit.md lists the codes.",
  options: [
    { flags: "--code <code>", description: "only this code, such as HBSE-009" },
    { flags: "--scope <scope>", description: "only this scope and those below it" },
    { flags: "--member <name>", description: "only this member, login name, or name or address of an author" },
    { flags: "--since <time>", description: "only from a date, such as 2026-01-31, or a duration ago, such as 7d" },
    { flags: "--limit <number>", description: "the newest so many (50); 0 is all" },
    { flags: "--source <source>", description: "local, git or all (all)" },
  ],
  examples: [
    { command: "sealtree audit --scope prod --since 7d", description: "what happened in production this week" },
    { command: "sealtree audit --code HBSE-006 --json", description: "refused accesses, for a script" },
  ],
  json: '{"events": [{"time", "code", "level", "source": "local"|"git", "actor": {"member"?, "known_by"?, "user"}, "operation", "scope"?, "name"?, "outcome", "reason"?, "commit"?, "error"?, "repository"?, "request"?, "host"?}]}',
  async run(context, _args, options) {
    context.about({ operation: "audit" });
    const filter = parseFilter(context, options);
    const limit = parseLimit(options["limit"]);
    const found = await listEvents(findPlace(context), context.io.env, filter);
    const events = limit === 0 ? found : found.slice(-limit);
    if (context.options.json) {
      context.json({ events });
      return;
    }
    for (const line of table(events.map((event) => toRow(context, event)))) context.line(line);
    if (found.length === 0) context.say("no events");
    else if (events.length < found.length)
      context.say(`the newest ${events.length} of ${found.length}; --limit 0 shows all`);
  },
};

/** Undefined outside of a repository: the log is there nevertheless. */
function findPlace(context: Context): GitPlace | undefined {
  try {
    return context.place();
  } catch (error) {
    if (hasCode(error, "E_NO_REPOSITORY")) return undefined;
    throw error;
  }
}

function toRow(context: Context, event: SourcedRecord): string[] {
  const { time, code, level, actor, operation, scope, name, outcome, reason, commit, error, source } = event;
  const about = [scope, name].filter((part) => part !== undefined).join("/");
  const what = meaningOf(code) ?? operation;
  const tail = [outcome === "ok" ? "" : outcome, error ?? "", reason ?? "", commit?.slice(0, 9) ?? ""].filter(
    (part) => part !== "",
  );
  const cells = [`${time.slice(0, 19)}Z`, level, code, source, about, what, actor.member ?? actor.user, tail.join(" ")];
  return cells.map((cell, column) =>
    column === 1 ? context.paint(styles[level], cell) : safeText(cell).replaceAll(/[\n\t]/g, " "),
  );
}

function parseFilter(context: Context, options: Readonly<Record<string, unknown>>): AuditFilter {
  const { code, scope, member, since, source = "all" } = options;
  const codes: readonly string[] = Object.values(auditCodes).map((entry) => entry.code);
  if (typeof code === "string" && !codes.includes(code)) {
    throw new SealtreeError("E_USAGE", "there is no such code", {
      hints: [...suggest(code, codes), `codes: ${codes.join(", ")}`],
    });
  }
  const chosen = sources.find((name) => name === source);
  if (chosen === undefined)
    throw new SealtreeError("E_USAGE", "there is no such source", { hints: ["--source local, git or all"] });
  return {
    source: chosen,
    code: typeof code === "string" ? code : undefined,
    scope: typeof scope === "string" ? parseScopePath(scope) : undefined,
    who: typeof member === "string" ? member : undefined,
    sinceMs: typeof since === "string" ? parseSince(since, context.io.now()) : undefined,
  };
}

function parseSince(text: string, now: Date): number {
  if (isDuration(text)) return now.getTime() - durationMs(text);
  const time = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new SealtreeError("E_USAGE", "--since is neither a date nor a duration", {
    hints: ["such as 2026-01-31, 2026-01-31T12:00:00Z, 24h or 7d"],
  });
}

function parseLimit(written: unknown): number {
  if (written === undefined) return 50;
  if (typeof written === "string" && /^[0-9]{1,7}$/.test(written)) return Number(written);
  throw new SealtreeError("E_USAGE", "--limit is a number");
}
