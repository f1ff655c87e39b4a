import { basename } from "node:path";
import { exitCodes, SealtreeError } from "../../errors.ts";
import { durationMs, isDuration } from "../../rotation/duration.ts";
import { isPressing, listNotices, noticeKinds } from "../../rotation/notice.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { filterOptions, readFilteredStatus } from "../rotation-filter.ts";
import {
  noticeJson,
  noticeJsonShape,
  printNoticeLines,
  printNoticeMarkdown,
  sayCounts,
  type NoticeReport,
} from "../rotation-notices.ts";
import { safeText } from "../safe-text.ts";

export const rotationNotify: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "read",
  passesThrough: true,
  description:
    "Tells what somebody should know of: what is due soon, due, overdue, stuck in a rotation, or without a rule. Exits with 1 when something it told of is due, overdue or stuck. It keeps no memory: each run tells how things stand, and with --since only what became so since then, so that a job tells each thing once. What it tells can also go to a command, as JSON on stdin, and to a webhook, signed as Standard Webhooks says. Nothing of the repository decides where. With nothing to tell, nothing is run or sent. Needs no key, but for --webhook-key.",
  options: [
    ...filterOptions,
    {
      flags: "--since <when>",
      description: "only what became so since then: 24h, 1d, or a time such as 2026-03-01T02:00:00Z",
    },
    { flags: "--only <kinds>", description: `only these, joined by commas: ${noticeKinds.join(", ")}` },
    { flags: "--markdown", description: "print Markdown, for a job summary or an issue" },
    {
      flags: "--webhook <url>",
      description: "send it there; SEALTREE_WEBHOOK_URL does the same, and keeps a token out of the process list",
    },
    {
      flags: "--webhook-key <address>",
      description: "the secret to sign with; without it, SEALTREE_WEBHOOK_KEY has the key itself",
    },
    { flags: "--dry-run", description: "run and send nothing" },
    { flags: "--exit-zero", description: "exit with 0 also when something is due" },
  ],
  examples: [
    { command: 'sealtree rotation notify --markdown >> "$GITHUB_STEP_SUMMARY"', description: "in a workflow" },
    {
      command: "sealtree rotation notify --since 24h --webhook-key ops/notify/WEBHOOK_KEY",
      description: "once a day, to SEALTREE_WEBHOOK_URL",
    },
    {
      command: "sealtree rotation notify --owner alice -- ./tell-alice",
      description: "hand it to a program of yours",
    },
  ],
  json: noticeJsonShape,
  async run(context, args, options) {
    context.about({ operation: "rotation notify" });
    const end = args.indexOf("--");
    const [text] = end < 0 ? args : args.slice(0, end);
    const now = context.io.now();
    const [afterMs, kinds] = [parseSince(options["since"], now.getTime()), parseKinds(options["only"])];
    if (options["markdown"] === true && context.options.json)
      throw new SealtreeError("E_USAGE", "there is one form at a time", { hints: ["--markdown or --json"] });
    const { readDelivery, deliverNotices } = await import("../rotation-deliver.ts");
    const delivery = await readDelivery(context, options, end < 0 ? [] : args.slice(end + 1));
    const { entries, unreadable } = await readFilteredStatus(context, text, options);
    const notices = listNotices(entries, now, afterMs).filter(({ kind }) => kinds.includes(kind));
    const repository = basename(context.place().root);
    const report: NoticeReport = { notices, unreadable, nowMs: now.getTime(), afterMs, repository };
    print(context, report, options["markdown"] === true);
    if (notices.length + unreadable.length > 0) await deliverNotices(context, report, delivery);
    const [broken] = unreadable;
    if (broken !== undefined) throw broken.error;
    return notices.some(isPressing) && options["exitZero"] !== true ? exitCodes.found : exitCodes.ok;
  },
};

function print(context: Context, report: NoticeReport, isMarkdown: boolean): void {
  if (context.options.json) {
    context.json(noticeJson(report));
    return;
  }
  if (isMarkdown) {
    context.io.stdout.write(printNoticeMarkdown(report));
    return;
  }
  for (const line of printNoticeLines(report, context.io.stdout)) context.line(safeText(line));
  context.say(report.notices.length === 0 ? "nothing to tell" : sayCounts(report.notices));
}

/** The time after which a thing must have become so, in milliseconds since 1970. */
function parseSince(written: unknown, nowMs: number): number | undefined {
  if (typeof written !== "string") return undefined;
  if (isDuration(written)) return nowMs - durationMs(written);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(written);
  const timeMs = isTime ? Date.parse(written) : Number.NaN;
  if (Number.isFinite(timeMs) && timeMs <= nowMs) return timeMs;
  throw new SealtreeError("E_USAGE", "--since is a length of time, or a time that has been", {
    hints: ["such as 24h, 7d or 2026-03-01T02:00:00Z"],
  });
}

function parseKinds(written: unknown) {
  if (typeof written !== "string") return noticeKinds;
  return written.split(",").map((text) => {
    const found = noticeKinds.find((kind) => kind === text.trim());
    if (found !== undefined) return found;
    throw new SealtreeError("E_USAGE", "there is no such kind of notice", {
      hints: [`--only takes ${noticeKinds.join(", ")}`],
    });
  });
}
