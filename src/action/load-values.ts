import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import { environmentNames } from "../values/environment-name.ts";
import { parseJson } from "../values/json-text.ts";
import { callForJson } from "./call-command.ts";
import type { Job } from "./job.ts";
import { isMaskable, listMasks } from "./masks.ts";

/** The values of a run's scopes. */
export interface LoadedValues {
  /** By environment variable, in the order of the scopes. */
  readonly values: ReadonlyMap<string, Secret>;
  /** Variables whose value the runner cannot hide. */
  readonly unmasked: readonly string[];
}

/**
 * Opens what the inputs `scopes` and `only` name. Every value is masked when this resolves, in
 * all its forms, but those that are too short. Throws E_NAME_CLASH for two secrets of one variable.
 */
export async function loadValues(job: Job): Promise<LoadedValues> {
  const { json } = await callForJson<{ text: string }>(job, ["export", ...selection(job), "--format", "json"]);
  const entries = parseJson(json.text);
  job.runner.mask([...entries.values()].flatMap(listMasks));
  const variables = environmentNames(entries.keys());
  const values = new Map([...entries].map(([name, secret]) => [variables.get(name) ?? name, secret]));
  return {
    values,
    unmasked: [...values].filter(([, secret]) => !isMaskable(secret)).map(([variable]) => variable),
  };
}

/** The inputs `scopes` and `only` as words of a command line. */
export function selection({ inputs }: Pick<Job, "inputs">): string[] {
  return [...inputs.scopes, ...(inputs.only.length === 0 ? [] : ["--only", inputs.only.join(",")])];
}

/** The value as text. Throws E_VALUE_UNFIT naming the variable whose value is binary. */
export function textOf(variable: string, secret: Secret): string {
  const text = secret.kind === "binary" ? undefined : secret.revealText();
  if (text !== undefined) return text;
  throw new SealtreeError("E_VALUE_UNFIT", `the value of ${variable} is binary, which a runner does not take`, {
    hints: ["take to: file with format: json, or leave it out with the input only"],
  });
}
