import { safeText } from "../cli/safe-text.ts";
import { exitCodes, hasCode, SealtreeError } from "../errors.ts";
import { callForJson } from "./call-command.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { summaryTable } from "./summary-table.ts";

/** As far as it is shown. */
interface VerifyJson {
  readonly from: string;
  readonly to: string;
  readonly commits: number;
  /** What the policy of the anchor asks for; null when nothing came after it. */
  readonly signing: "off" | "warn" | "require" | null;
  readonly findings: readonly {
    readonly commit: string | null;
    readonly subject: string;
    readonly rule: string;
    readonly severity: "error" | "warning";
    readonly message: string;
    readonly hint: string;
  }[];
}

/** GitHub shows ten errors of a step; the last says how it ended. */
const maxAnnotations = 9;
const maxRows = 100;

/**
 * The gate before anything is opened: with the input `anchor`, HEAD must come after that commit, and
 * `sealtree verify` must accept every change since. Gives the commit that was proven; undefined without
 * the input. Throws E_ANCHOR_REFUSED, with an annotation for each refused commit, and
 * E_ACTION_REFUSED for a clone without its history.
 */
export async function checkAnchor(job: Job): Promise<string | undefined> {
  const { runner, inputs } = job;
  const { anchor } = inputs;
  if (anchor === undefined) return undefined;
  await checkHistory(inputs.command, job.place);
  const { code, json } = await verifyFrom(job, anchor);
  const { findings, from, to, commits } = json;
  const errors = findings.filter(({ severity }) => severity === "error");
  const isAccepted = code === exitCodes.ok && errors.length === 0 && from === anchor;
  for (const { commit, rule, message, hint } of errors.slice(0, maxAnnotations)) {
    const words = [commit === null ? message : `commit ${commit}: ${message}`, hint];
    runner.annotate("error", safeText(words.join("\n")), { title: `sealtree verify: ${rule}` });
  }
  if (isAccepted && json.signing !== null && json.signing !== "require") {
    runner.annotate(
      "warning",
      `the policy of the anchor says signing: ${json.signing}, so this proves only that HEAD comes after it`,
      { title: "sealtree verify" },
    );
  }
  runner.summarize(
    [
      "### sealtree verify",
      "",
      `${isAccepted ? "Accepted" : "**Refused, and nothing was opened**"}: ${commits} commits from ${shorten(from)} to ${shorten(to)}.`,
      ...summaryTable(
        ["commit", "subject", "severity", "rule", "finding"],
        findings
          .slice(0, maxRows)
          .map(({ commit, subject, severity, rule, message }) => [
            commit === null ? "the clone" : shorten(commit),
            subject,
            severity,
            rule,
            message,
          ]),
      ),
      ...(findings.length > maxRows ? ["", `And ${findings.length - maxRows} more.`] : []),
    ].join("\n"),
  );
  if (isAccepted) return to;
  throw refused(`verify refuses what lies between the anchor and HEAD: findings ${errors.length}`, [
    "the annotations name each commit; sealtree verify --deployed HEAD --anchor ANCHOR says the same in a clone",
    "docs/action.md, The deploy gate, says how to go on",
  ]);
}

async function verifyFrom(job: Job, anchor: string) {
  try {
    return await callForJson<VerifyJson>(job, ["verify", "--deployed", "HEAD", "--anchor", anchor]);
  } catch (error) {
    if (!hasCode(error, "E_REVISION_NOT_FOUND")) throw error;
    throw refused(
      "the commit of the anchor is not in this clone: its history was rewritten, or another is checked out",
      [
        "give actions/checkout the branch that is deployed, and fetch-depth: 0",
        "when the branch was moved: git log --walk-reflogs in an older clone shows what it was",
      ],
    );
  }
}

function refused(message: string, hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_ANCHOR_REFUSED", message, { hints });
}

function shorten(commit: string): string {
  return commit.slice(0, 12);
}
