import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { exitCodes, hasCode, SealtreeError, usageError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import type { TextFormatName } from "../values/text-formats.ts";
import { checkVariable } from "./guards.ts";
import type { Job } from "./job.ts";
import { loadValues, textOf, type LoadedValues } from "./load-values.ts";
import { minLineChars, minMaskedChars } from "./masks.ts";
import { outputNames } from "./output-names.ts";

/** Formats of a file, as action.yml lists them: not `github`, which `to: env` writes after it looked at the names. */
const fileFormats: readonly TextFormatName[] = ["dotenv", "json", "yaml", "shell", "docker", "compose", "systemd"];

/** Hands values to the steps that follow: as environment variables, a file or outputs. All or none. */
export async function actExport(job: Job): Promise<number> {
  const { inputs, runner } = job;
  checkFormat(inputs.format);
  const loaded = await loadValues(job);
  // A name that nobody should hand over is to be said first: to allow its short value would not help.
  if (inputs.to === "env") for (const name of loaded.values.keys()) checkVariable(name, inputs["allow-names"]);
  checkMasked(loaded, inputs["allow-unmasked"]);
  if (inputs.to === "file") await writeFile(job, loaded.selection, inputs.file ?? "");
  else handOver(job, loaded.values, inputs.to);
  const names = [...loaded.values.keys()];
  runner.setOutput("count", String(names.length));
  runner.setOutput("names", names.join(","));
  runner.summarize(
    `### sealtree export\n\nHanded over as ${inputs.to}: ${names.length} (${names.map((name) => `\`${name}\``).join(", ")}).`,
  );
  return exitCodes.ok;
}

function checkFormat(format: string | undefined): void {
  if (format === undefined || fileFormats.some((it) => it === format)) return;
  throw usageError("the format is not known", `format: one of ${fileFormats.join(", ")}`);
}

/** Everything is looked at before the first is written. */
function handOver(job: Job, values: ReadonlyMap<string, Secret>, to: "env" | "outputs"): void {
  const texts = [...values].map(([variable, secret]) => [variable, textOf(variable, secret)] as const);
  if (to === "outputs") {
    checkOutputs(values.keys());
    job.runner.setOutputs(new Map(texts));
    return;
  }
  job.runner.setVariables(new Map(texts));
}

/** Workflows do not tell the case of an output's name. */
function checkOutputs(variables: Iterable<string>): void {
  const taken = new Map<string, string>(outputNames.map((name) => [name, "an output of the Action itself"]));
  for (const variable of variables) {
    const other = taken.get(variable.toLowerCase());
    if (other !== undefined) {
      throw new SealtreeError("E_NAME_CLASH", `${variable} would be in place of ${other}`, {
        hints: ["take to: env, or leave it out with the input only"],
      });
    }
    taken.set(variable.toLowerCase(), variable);
  }
}

function checkMasked({ unmasked }: LoadedValues, allowed: readonly string[]): void {
  const [first] = unmasked.filter((variable) => !allowed.includes(variable));
  if (first === undefined) return;
  throw new SealtreeError(
    "E_VALUE_UNFIT",
    `the value of ${first} has fewer than ${minMaskedChars} characters, or no line of ${minLineChars}, so the runner cannot hide it in logs`,
    { hints: [`if that may be: allow-unmasked: ${first}; otherwise leave it out with the input only`] },
  );
}

async function writeFile(job: Job, selection: readonly string[], written: string): Promise<void> {
  const { inputs, runner } = job;
  const file = resolve(job.directory, written);
  const argv = ["export", ...selection, "--format", inputs.format ?? "dotenv", "-o", file];
  // Before it is there, so that it is removed also when the job is cut off; but never what was there before.
  const isNew = !existsSync(file);
  // Loaded here: the formats and their parsers take a third of the time in which the rest is done.
  const { callForJson } = await import("./call-command.ts");
  if (isNew) job.keepForPost(file);
  try {
    await callForJson(job, argv);
  } catch (error) {
    if (!hasCode(error, "E_PLAINTEXT_TRACKED")) throw error;
    // The hints of the command name its options, which an input cannot give.
    throw new SealtreeError("E_PLAINTEXT_TRACKED", error.message, {
      hints: ["keep it outside of the clone: file: ${{ runner.temp }}/api.env"],
    });
  }
  if (!isNew) job.keepForPost(file);
  runner.setOutput("file", file);
}
