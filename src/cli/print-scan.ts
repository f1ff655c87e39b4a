import type { OwnValues } from "../review/own-values.ts";
import { printGithubFinding } from "../review/print-findings.ts";
import { toSarif } from "../review/sarif.ts";
import {
  describeFound,
  hintOf,
  historyWarning,
  ruleOf,
  scanCatalogue,
  toFinding,
  toScanJson,
} from "../review/scan-findings.ts";
import type { ScanSource } from "../review/scan.ts";
import type { OnScanProgress, ScanFinding, ScanResult } from "../review/scan-result.ts";
import { shortList } from "../review/short-list.ts";
import { tokenShapes } from "../review/token-shapes.ts";
import type { WantedValues } from "../review/wanted-values.ts";
import type { Context } from "./context.ts";
import type { FindingFormat } from "./finding-format.ts";
import { oneLine } from "./one-line.ts";
import { count, relativeTime, table } from "./present.ts";
import { startProgress } from "./progress.ts";
import { version } from "./version.ts";

/** What `scan` did, as it is printed. */
export interface ScanReport {
  readonly found: ScanResult;
  /** Undefined when there was no identity. */
  readonly own: OwnValues | undefined;
  readonly wanted: WantedValues;
  readonly source: ScanSource;
  readonly minBytes: number;
}

/** A bar on stderr that says how far a scan is, on a terminal. */
export function scanProgress({ io }: Pick<Context, "io">): { readonly show: OnScanProgress; end(): void } {
  const progress = startProgress(io.stderr);
  const width = 24;
  let shown = -1;
  return {
    show(done, total) {
      const percent = Math.floor((100 * done) / total);
      if (percent === shown) return;
      shown = percent;
      const full = Math.floor((width * done) / total);
      progress.show(`searching  [${"#".repeat(full).padEnd(width, "-")}] ${done} of ${count(total, "file")}`);
    },
    end: () => progress.end(),
  };
}

/** Puts the findings on stdout, and what they come to on stderr. */
export function printScan(context: Context, report: ScanReport, format: FindingFormat): void {
  const { found } = report;
  if (format === "json") printJson(context, report);
  else if (format === "sarif") context.json(toSarif(found.findings.map(toFinding), version, scanCatalogue));
  else if (format === "github")
    for (const finding of found.findings) context.line(oneLine(printGithubFinding(toFinding(finding))));
  else printText(context, found.findings);
  if (format !== "json") sayRest(context, report);
}

function printJson(context: Context, { found, own, wanted, source }: ScanReport): void {
  context.json({
    findings: found.findings.map(toScanJson),
    more: found.more,
    allowed: found.allowed,
    source: source.kind,
    files: found.files,
    bytes: found.bytes,
    values: wanted.searched,
    passed_over: wanted.passedOver,
    token_shapes: tokenShapes.length,
    opened: own?.opened ?? [],
    closed: own?.closed ?? [],
    problems: own?.problems ?? [],
    unread: found.unread,
  });
}

function printText(context: Context, findings: readonly ScanFinding[]): void {
  const now = context.io.now().getTime();
  const files = new Map<string, ScanFinding[]>();
  for (const finding of findings) {
    const key = `${finding.file}\0${finding.commit?.id ?? ""}`;
    files.set(key, [...(files.get(key) ?? []), finding]);
  }
  let isFirst = true;
  for (const [first, ...rest] of files.values()) {
    if (first === undefined) continue;
    if (!isFirst) context.line("");
    isFirst = false;
    const { file, commit } = first;
    const since =
      commit === undefined ? "" : `  since ${commit.id.slice(0, 9)}, ${relativeTime(commit.atSeconds * 1000, now)}`;
    context.line(context.paint("bold", oneLine(file)) + context.paint("dim", since));
    const rows = [first, ...rest].map((finding) => [
      `  ${finding.line === undefined ? "name" : `${finding.line}:${finding.column ?? 1}`}`,
      context.paint("red", ruleOf(finding)),
      describeFound(finding),
      finding.found.kind === "token" ? "" : context.paint("dim", hintOf(finding)),
    ]);
    for (const line of table(rows)) context.line(line);
  }
}

function sayRest(context: Context, { found, own, wanted, source, minBytes }: ScanReport): void {
  const { findings, files, bytes, allowed, more, unread } = found;
  const warn = (text: string) => context.say(`sealtree: warning: ${text}`);
  if (wanted.passedOver > 0)
    context.say(`${count(wanted.passedOver, "value")} not searched: shorter than ${minBytes} bytes, or a common word`);
  if (own !== undefined && own.closed.length > 0)
    context.say(`not searched, your identity does not open all of it: ${shortList(own.closed)}`);
  for (const problem of own?.problems.slice(0, 10) ?? []) warn(problem);
  if (own?.isCut === true) warn(`there are more earlier values than the ${own.values.length} that are searched`);
  if (unread.length > 0)
    warn(
      `${count(unread.length, "file")} not searched: ${shortList(
        unread.map(({ file, why }) => `${file} ${why}`),
        3,
      )}`,
    );
  if (more > 0) warn(`${count(more, "finding")} more in files that have very many`);
  if (allowed > 0) context.say(`${count(allowed, "finding")} allowed by sealtree:allow in the line`);
  const what = `${count(files, "file")} (${printSize(bytes)}) for ${count(wanted.searched, "value")} and ${tokenShapes.length} shapes of tokens`;
  const places = new Set(findings.map(({ file }) => file)).size;
  context.say(
    findings.length === 0
      ? `nothing found in ${what}`
      : `${count(findings.length, "finding")} in ${count(places, "file")}; searched ${what}`,
  );
  const token = findings.find(({ found: { kind } }) => kind === "token");
  if (token !== undefined) context.say(`tokens: ${hintOf(token)}`);
  if (source.kind === "history" && findings.length > 0) context.say(historyWarning);
}

function printSize(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** step;
  return `${step === 0 ? amount : amount.toFixed(1)} ${units[step] ?? ""}`;
}
