import { markdownForeign } from "../cli/markdown.ts";
import { exitCodes, SealtreeError } from "../errors.ts";
import { checkAnchor } from "./anchor.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { remoteAccess } from "./remote-hints.ts";
import { summaryTable } from "./summary-table.ts";
import { callWithRemote } from "./writing-job.ts";

/** As far as it is shown. */
interface DeployJson {
  readonly commit: string;
  readonly targets: readonly {
    readonly target: string;
    readonly required: boolean;
    readonly outcome: string;
    readonly plan?: readonly { readonly name: string; readonly action: string; readonly reason: string }[];
    readonly written?: readonly string[];
    readonly removed?: readonly string[];
    readonly failures?: readonly { readonly message: string; readonly hints: readonly string[] }[];
  }[];
  /** Such as receipts that stay in the clone. */
  readonly warnings: readonly string[];
}

const inOrder = ["in order", "planned"];
const changes = ["create", "update"];
const takeOver = [
  "when it may be taken over: adopt: true for the target in policies/deploy.yaml, or sealtree deploy --adopt from a clone",
];

/** Brings targets in order with the values of the commit. Gives the exit status of `sealtree deploy`. */
export async function actDeploy(job: Job): Promise<number> {
  const { inputs, runner } = job;
  await checkHistory("deploy", job.place);
  const proven = await checkAnchor(job);
  const isDry = inputs["dry-run"];
  const argv = ["deploy", ...inputs.targets, "--yes", ...(isDry ? ["--dry-run"] : [])];
  const { code, json } = await callWithRemote<DeployJson>(job, { contents: "write" }, argv);
  if (proven !== undefined && json.commit !== proven) throw moved();
  const rows = json.targets.map(({ target, outcome, plan = [], written = [], removed = [], failures = [] }) => ({
    target,
    outcome,
    sent: isDry ? plan.filter(({ action }) => changes.includes(action)).length : written.length,
    removed: removed.length,
    why: [...failures.map(({ message }) => message), ...listConflicts(plan)].join("; "),
    hints: [...new Set([...failures.flatMap(({ hints }) => hints), ...(outcome === "conflict" ? takeOver : [])])],
  }));
  const failed = rows.filter(({ outcome }) => !inOrder.includes(outcome));
  runner.setOutput("count", String(rows.reduce((sum, { sent }) => sum + sent, 0)));
  runner.setOutput("failed", String(failed.length));
  runner.setOutput("names", rows.map(({ target }) => target).join(","));
  if (code === exitCodes.ok && failed.length === 0 && !isDry) runner.setOutput("commit", json.commit);
  for (const { target, outcome, why, hints } of failed) {
    const what = [target, outcome, why].filter((word) => word !== "").join(": ");
    runner.annotate(code === 0 ? "warning" : "error", [what, ...hints].join("\n"), { title: "sealtree deploy" });
  }
  for (const warning of json.warnings)
    runner.annotate("warning", [warning, ...remoteAccess].join("\n"), { title: "sealtree deploy" });
  runner.summarize(
    [
      "### sealtree deploy",
      ...json.warnings.flatMap((warning) => ["", `Warning: ${markdownForeign(warning)}`]),
      ...summaryTable(
        ["target", "outcome", isDry ? "would be sent" : "sent", "removed", "reason"],
        rows.map(({ target, outcome, sent, removed, why }) => [target, outcome, String(sent), String(removed), why]),
      ),
    ].join("\n"),
  );
  return code;
}

function listConflicts(plan: readonly { name: string; action: string; reason: string }[]): string[] {
  return plan.flatMap(({ name, action, reason }) => (action === "conflict" ? [`${name}: ${reason}`] : []));
}

/** Something else in the job changed what is checked out while this step ran. */
function moved(): SealtreeError {
  return new SealtreeError("E_ANCHOR_REFUSED", "HEAD was moved after it was proven, and another commit was deployed", {
    hints: ["find out what moved it, then deploy the right commit: the next run sends what differs"],
  });
}
