import { relative, sep } from "node:path";
import { callForJson } from "./call-command.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { summaryTable } from "./summary-table.ts";

interface CheckJson {
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: "error" | "warning" | "notice";
    readonly message: string;
    readonly file: string;
    readonly line: number | null;
    readonly hint: string | null;
  }[];
  readonly errors: number;
  readonly warnings: number;
  readonly notices: number;
  readonly scopes: number;
  readonly secrets: number;
}

/** Checks the tree, with an annotation a finding. Gives the exit status of `sealtree check`. */
export async function actCheck(job: Job): Promise<number> {
  const { runner, inputs } = job;
  const base = inputs.base ?? job.event.base;
  if (base !== undefined) await checkHistory("check", job.place);
  const argv = ["check", ...(inputs.strict ? ["--strict"] : []), ...(base === undefined ? [] : ["--base", base])];
  const { code, json } = await callForJson<CheckJson>(job, argv);
  const root = relative(job.workspace, job.place.root).split(sep).join("/");
  for (const { severity, rule, message, file, line, hint } of json.findings) {
    runner.annotate(severity, hint === null ? message : `${message}\n${hint}`, {
      title: `sealtree ${rule}`,
      file: root === "" ? file : `${root}/${file}`,
      ...(line === null ? {} : { line }),
    });
  }
  for (const name of ["errors", "warnings", "notices"] as const) runner.setOutput(name, String(json[name]));
  runner.summarize(
    [
      "### sealtree check",
      "",
      `Errors: ${json.errors}, warnings: ${json.warnings}, notices: ${json.notices}, in ${json.scopes} scopes with ${json.secrets} secrets.`,
      ...summaryTable(
        ["severity", "rule", "file", "finding"],
        json.findings.map(({ severity, rule, file, message }) => [severity, rule, file, message]),
      ),
    ].join("\n"),
  );
  return code;
}
