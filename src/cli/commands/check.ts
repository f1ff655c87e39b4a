import { exitCodes, SealtreeError } from "../../errors.ts";
import { checkDeep, type DeepReview } from "../../review/deep-check.ts";
import { printGithubFinding, toJsonFinding } from "../../review/print-findings.ts";
import { runChecks, sortFindings } from "../../review/run-checks.ts";
import { readReviewState, type ReviewState } from "../../review/state.ts";
import type { Finding } from "../../store/finding.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { safeText } from "../safe-text.ts";

export const check: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Looks for what is wrong in the policies, scope files and keyrings. Needs no key, so it runs on a pull request from anybody. Exits with 1 when it finds an error. docs/checks.md explains each rule.",
  options: [
    { flags: "--deep", description: "also open every record that your identity can open" },
    { flags: "--strict", description: "let warnings count as errors" },
    { flags: "--format <format>", description: "text, or github for annotations in a workflow" },
  ],
  examples: [
    { command: "sealtree check", description: "before a commit" },
    { command: "sealtree check --strict --format github", description: "in a GitHub workflow" },
    { command: "sealtree check --deep --at v1.4.0", description: "that a release can be opened" },
  ],
  json: '{"findings": [{"rule", "severity": "error"|"warning", "message", "file", "line"|null, "hint"|null}], "errors", "warnings", "scopes", "secrets", and with --deep "opened", "closed": number}',
  async run(context, _args, options) {
    context.about({ operation: "check" });
    const format = options["format"] ?? "text";
    if (format !== "text" && format !== "github") {
      throw new SealtreeError("E_USAGE", "there is no such format", { hints: ["--format text or --format github"] });
    }
    const state = await readReviewState(await context.tree());
    const shallow = runChecks(state);
    const deep = options["deep"] === true ? await checkDeep(state, await context.session.identities()) : undefined;
    const findings = deep === undefined ? shallow : sortFindings([...shallow, ...deep.findings]);
    if (deep !== undefined) auditDeep(context, deep);
    if (context.options.json) printJson(context, state, findings, deep);
    else printText(context, findings, format);
    if (!context.options.json) context.say(summarise(state, findings, deep));
    const worst = options["strict"] === true ? findings : findings.filter(({ severity }) => severity === "error");
    return worst.length > 0 ? exitCodes.found : exitCodes.ok;
  },
};

function printJson(
  context: Context,
  state: ReviewState,
  findings: readonly Finding[],
  deep: DeepReview | undefined,
): void {
  context.json({
    findings: findings.map(toJsonFinding),
    errors: countOf(findings, "error"),
    warnings: countOf(findings, "warning"),
    scopes: state.scopes.length,
    secrets: countSecrets(state),
    ...(deep === undefined ? {} : { opened: deep.opened, closed: deep.closed }),
  });
}

function printText(context: Context, findings: readonly Finding[], format: "text" | "github"): void {
  let file: string | undefined;
  for (const finding of findings) {
    if (format === "github") {
      context.line(safeText(printGithubFinding(finding)));
      continue;
    }
    if (file !== undefined && file !== finding.file) context.line("");
    file = finding.file;
    const place = finding.line === undefined ? finding.file : `${finding.file}:${finding.line}`;
    const severity = context.paint(finding.severity === "error" ? "red" : "yellow", finding.severity);
    context.line(`${oneLine(place)}: ${severity} ${finding.rule}: ${oneLine(finding.message)}`);
    if (finding.hint !== undefined) context.line(context.paint("dim", `  ${oneLine(finding.hint)}`));
  }
}

function summarise(state: ReviewState, findings: readonly Finding[], deep: DeepReview | undefined): string {
  const found =
    findings.length === 0
      ? "nothing wrong"
      : `${count(countOf(findings, "error"), "error")}, ${count(countOf(findings, "warning"), "warning")}`;
  const opened =
    deep === undefined
      ? ""
      : `; opened ${count(deep.opened, "record")}${deep.closed === 0 ? "" : `, ${deep.closed} are for others`}`;
  return `${found} in ${count(state.scopes.length, "scope")} with ${count(countSecrets(state), "secret")}${opened}`;
}

/** What should open and does not is in the audit log like any failed access. */
function auditDeep(context: Context, { findings }: DeepReview): void {
  context.audit(
    findings.map(
      ({ file }) => ({ kind: "accessFailed", operation: "check", outcome: "failed", reason: file }) as const,
    ),
  );
}

function countOf(findings: readonly Finding[], severity: Finding["severity"]): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

function countSecrets({ scopes }: ReviewState): number {
  return scopes.reduce((total, { entries }) => total + entries.size, 0);
}

/** Escaped, line breaks too: a file's name may hold one. */
function oneLine(text: string): string {
  return safeText(text).replaceAll("\n", "\\u{a}");
}
