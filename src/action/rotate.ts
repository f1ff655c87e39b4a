import { callForJson } from "./call-command.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { summaryTable } from "./summary-table.ts";

/** As far as it is shown. */
interface RotateJson {
  readonly rotated: readonly { readonly address: string }[];
  readonly not_rotated: readonly { readonly address: string; readonly reason: string; readonly needed: boolean }[];
  readonly unreadable: readonly { readonly scope: string; readonly message: string }[];
  readonly at_providers: readonly {
    readonly address: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly message?: string;
    /** Required targets that lack the new value. */
    readonly targets?: readonly string[];
  }[];
  readonly postponed: readonly string[];
  readonly targets: readonly {
    readonly target: string;
    readonly in_order: boolean;
    readonly reasons: readonly string[];
  }[];
  readonly branch: string | null;
}

const open = ["failed", "refused", "busy", "awaits delivery"];

/** Rotates what is due, or what the input `scopes` names. Gives the exit status of `sealtree rotate`. */
export async function actRotate(job: Job): Promise<number> {
  const { inputs, runner } = job;
  await checkHistory("rotate", job.place);
  const { code, json } = await callForJson<RotateJson>(job, [
    "rotate",
    ...(inputs.scopes.length === 0 ? ["--due"] : inputs.scopes),
    "--yes",
    ...(inputs["dry-run"] ? ["--dry-run"] : []),
    ...(inputs.limit === undefined ? [] : ["--limit", inputs.limit]),
    ...(inputs.branch === undefined ? [] : ["--branch", inputs.branch]),
  ]);
  const done = [
    ...json.rotated.map(({ address }) => address),
    ...json.at_providers.filter(({ outcome }) => outcome === "rotated").map(({ address }) => address),
  ];
  const failed = [
    ...json.at_providers
      .filter(({ outcome }) => open.includes(outcome))
      .map((it) => [it.address, it.outcome, it.message ?? it.reason ?? it.targets?.join(", ") ?? ""]),
    ...json.not_rotated.filter(({ needed }) => needed).map(({ address, reason }) => [address, "by hand", reason]),
    ...json.unreadable.map(({ scope, message }) => [scope, "unreadable", message]),
    ...json.targets
      .filter((target) => !target.in_order)
      .map(({ target, reasons }) => [target, "target", reasons.join("; ")]),
  ];
  const other = json.at_providers.filter(({ outcome }) => outcome !== "rotated" && !open.includes(outcome));
  runner.setOutput("count", String(done.length));
  runner.setOutput("failed", String(failed.length));
  runner.setOutput("names", done.join(","));
  for (const words of failed)
    runner.annotate("error", words.filter((word) => word !== "").join(": "), { title: "sealtree rotate" });
  const verb = inputs["dry-run"] ? "Would be rotated" : "Rotated";
  runner.summarize(
    [
      "### sealtree rotate",
      "",
      `${verb}: ${done.length}, left to do: ${failed.length}, postponed: ${json.postponed.length}.`,
      ...summaryTable(
        ["secret", "outcome", "reason"],
        [
          ...done.map((address) => [address, inputs["dry-run"] ? "would be rotated" : "rotated", ""]),
          ...other.map(({ address, outcome, reason }) => [address, outcome, reason ?? ""]),
          ...failed,
        ],
      ),
    ].join("\n"),
  );
  return code;
}
