import type { Review } from "../review/run-checks.ts";
import type { DeepCheck } from "../review/deep-check.ts";
import type { Fix } from "../review/fix.ts";
import { printGithubFinding, toJsonFinding } from "../review/print-findings.ts";
import { toSarif } from "../review/sarif.ts";
import type { Finding } from "../store/finding.ts";
import { version } from "./version.ts";
import type { Context } from "./context.ts";
import type { FindingFormat } from "./finding-format.ts";
import { oneLine } from "./one-line.ts";
import { count } from "./present.ts";

/** What `check` did, as it is printed. */
export interface CheckReport extends Review {
  readonly deep: Pick<DeepCheck, "opened" | "closed"> | undefined;
  readonly fixes: { readonly done: readonly Fix[]; readonly commit: string | undefined } | undefined;
}

const colours = { error: "red", warning: "yellow", notice: "cyan" } as const;

/** Puts the findings on stdout, and what they come to on stderr. */
export function printCheck(context: Context, report: CheckReport, format: FindingFormat): void {
  if (format === "json") {
    printJson(context, report);
    return;
  }
  if (format === "sarif") context.json(toSarif(report.findings, version));
  else if (format === "github")
    for (const finding of report.findings) context.line(oneLine(printGithubFinding(finding)));
  else printText(context, report.findings);
  context.say(summarise(report));
}

/** How many findings there are of a severity. */
function countOf(findings: readonly Finding[], severity: Finding["severity"]): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

function printJson(context: Context, { findings, scopes, deep, fixes, state }: CheckReport): void {
  context.json({
    findings: findings.map(toJsonFinding),
    errors: countOf(findings, "error"),
    warnings: countOf(findings, "warning"),
    notices: countOf(findings, "notice"),
    scopes: scopes.length,
    secrets: scopes.reduce((total, { secrets }) => total + secrets, 0),
    base: state.base?.tree.commit ?? null,
    ...(deep === undefined ? {} : { opened: deep.opened, closed: deep.closed }),
    ...(fixes === undefined
      ? {}
      : { fixed: fixes.done, commit: fixes.commit ?? null, dry_run: context.options.dryRun }),
  });
}

function printText(context: Context, findings: readonly Finding[]): void {
  let file: string | undefined;
  for (const finding of findings) {
    if (file !== undefined && file !== finding.file) context.line("");
    file = finding.file;
    const place = finding.line === undefined ? finding.file : `${finding.file}:${finding.line}`;
    const severity = context.paint(colours[finding.severity], finding.severity);
    context.line(`${oneLine(place)}: ${severity} ${finding.rule}: ${oneLine(finding.message)}`);
    if (finding.hint !== undefined) context.line(context.paint("dim", `  ${oneLine(finding.hint)}`));
  }
}

function summarise({ findings, scopes, deep }: CheckReport): string {
  const notices = countOf(findings, "notice");
  const found = [
    count(countOf(findings, "error"), "error"),
    count(countOf(findings, "warning"), "warning"),
    ...(notices === 0 ? [] : [count(notices, "notice")]),
  ].join(", ");
  const secrets = scopes.reduce((total, scope) => total + scope.secrets, 0);
  const opened =
    deep === undefined
      ? ""
      : `; opened ${count(deep.opened, "record")}${deep.closed === 0 ? "" : `, ${deep.closed} are for others`}`;
  const what = findings.length === 0 ? "nothing wrong" : found;
  return `${what} in ${count(scopes.length, "scope")} with ${count(secrets, "secret")}${opened}`;
}
