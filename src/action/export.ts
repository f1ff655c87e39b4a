import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { exitCodes, SealtreeError, usageError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import { callForJson } from "./call-command.ts";
import { checkVariable } from "./guards.ts";
import type { Job } from "./job.ts";
import { loadValues, selection, textOf, type LoadedValues } from "./load-values.ts";
import { minMaskedChars } from "./masks.ts";
import { outputNames } from "./output-names.ts";

/** Hands values to the steps that follow: as environment variables, a file or outputs. All or none. */
export async function actExport(job: Job): Promise<number> {
  const { inputs, runner } = job;
  const loaded = await loadValues(job);
  checkMasked(loaded, inputs["allow-unmasked"]);
  if (inputs.to === "file") await writeFile(job, inputs.file ?? "");
  else handOver(job, loaded.values, inputs.to);
  const names = [...loaded.values.keys()];
  runner.setOutput("count", String(names.length));
  runner.setOutput("names", names.join(","));
  runner.summarize(
    `### sealtree export\n\nHanded over as ${inputs.to}: ${names.length} (${names.map((name) => `\`${name}\``).join(", ")}).`,
  );
  return exitCodes.ok;
}

/** Everything is looked at before the first is written. */
function handOver(job: Job, values: ReadonlyMap<string, Secret>, to: "env" | "outputs"): void {
  const texts = [...values].map(([variable, secret]) => [variable, textOf(variable, secret)] as const);
  for (const [variable] of texts) {
    if (to === "env") checkVariable(variable, job.inputs["allow-names"]);
    else checkOutput(variable);
  }
  for (const [variable, text] of texts) {
    if (to === "env") job.runner.setVariable(variable, text);
    else job.runner.setOutput(variable, text);
  }
}

/** Workflows do not tell the case of an output's name. */
function checkOutput(variable: string): void {
  if (!outputNames.some((name) => name === variable.toLowerCase())) return;
  throw new SealtreeError("E_NAME_CLASH", `${variable} would be in place of an output of the Action itself`, {
    hints: ["take to: env, or leave it out with the input only"],
  });
}

function checkMasked({ unmasked }: LoadedValues, allowed: readonly string[]): void {
  const [first] = unmasked.filter((variable) => !allowed.includes(variable));
  if (first === undefined) return;
  throw new SealtreeError(
    "E_VALUE_UNFIT",
    `the value of ${first} has fewer than ${minMaskedChars} characters, so the runner cannot hide it in logs`,
    { hints: [`if that may be: allow-unmasked: ${first}; otherwise leave it out with the input only`] },
  );
}

async function writeFile(job: Job, written: string): Promise<void> {
  const { inputs, runner } = job;
  const file = resolve(job.directory, written);
  if (/[\r\n\0]/.test(file)) throw usageError("the input file is no path", "file: ${{ runner.temp }}/api.env");
  const argv = ["export", ...selection(job), "--format", inputs.format ?? "dotenv", "-o", file];
  // Before it is there, so that it is removed also when the job is cut off; but never what was there before.
  const isNew = !existsSync(file);
  if (isNew) job.keepForPost(file);
  await callForJson(job, argv);
  if (!isNew) job.keepForPost(file);
  runner.setOutput("file", file);
}
