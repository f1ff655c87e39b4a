import { callForJson } from "./call-command.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { summaryTable } from "./summary-table.ts";

/** As far as it is shown. */
interface DeployJson {
  readonly targets: readonly {
    readonly target: string;
    readonly required: boolean;
    readonly outcome: string;
    readonly plan?: readonly { readonly action: string }[];
    readonly written?: readonly string[];
    readonly removed?: readonly string[];
    readonly failures?: readonly { readonly message: string }[];
  }[];
}

const inOrder = ["in order", "planned"];
const changes = ["create", "update"];

/** Brings targets in order with the values of the commit. Gives the exit status of `sealtree deploy`. */
export async function actDeploy(job: Job): Promise<number> {
  const { inputs, runner } = job;
  await checkHistory("deploy", job.place);
  const isDry = inputs["dry-run"];
  const argv = ["deploy", ...inputs.targets, "--yes", ...(isDry ? ["--dry-run"] : [])];
  const { code, json } = await callForJson<DeployJson>(job, argv);
  const rows = json.targets.map(({ target, outcome, plan = [], written = [], removed = [], failures = [] }) => ({
    target,
    outcome,
    sent: isDry ? plan.filter(({ action }) => changes.includes(action)).length : written.length,
    removed: removed.length,
    why: failures.map(({ message }) => message).join("; "),
  }));
  const failed = rows.filter(({ outcome }) => !inOrder.includes(outcome));
  runner.setOutput("count", String(rows.reduce((sum, { sent }) => sum + sent, 0)));
  runner.setOutput("failed", String(failed.length));
  runner.setOutput("names", rows.map(({ target }) => target).join(","));
  for (const { target, outcome, why } of failed) {
    runner.annotate(code === 0 ? "warning" : "error", [target, outcome, why].filter((word) => word !== "").join(": "), {
      title: "sealtree deploy",
    });
  }
  runner.summarize(
    [
      "### sealtree deploy",
      ...summaryTable(
        ["target", "outcome", isDry ? "would be sent" : "sent", "removed", "reason"],
        rows.map(({ target, outcome, sent, removed, why }) => [target, outcome, String(sent), String(removed), why]),
      ),
    ].join("\n"),
  );
  return code;
}
