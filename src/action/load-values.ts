import { auditOpened, openValues } from "../cli/open-values.ts";
import { SealtreeError } from "../errors.ts";
import { parseScopePath, parseSecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { byVariable } from "../values/select-secrets.ts";
import { withJobContext } from "./command-io.ts";
import type { Job } from "./job.ts";
import { isMaskable, listMasks } from "./masks.ts";

/** The values of a run's scopes. */
export interface LoadedValues {
  /** By environment variable, in the order of the scopes. */
  readonly values: ReadonlyMap<string, Secret>;
  /** Variables whose value the runner cannot hide. */
  readonly unmasked: readonly string[];
  /** Words of a command line that opens the same. */
  readonly selection: readonly string[];
}

/**
 * Opens what the inputs `scopes` and `only` name, references resolved; with the input `anchor`
 * as of the commit that was proven, which is then an output. When this resolves, every value and every part
 * of one that came from a reference is masked in all its forms, but those that are too short. Throws
 * E_NAME_CLASH for two secrets of one variable, what opening and resolving throws, and what
 * checking the anchor throws.
 */
export async function loadValues(job: Job): Promise<LoadedValues> {
  const { command, scopes, only } = job.inputs;
  const at = await proveCommit(job);
  const opened = await withJobContext(job, { operation: command, at }, async (context) => {
    const paths = scopes.map(parseScopePath);
    const [first, second] = paths;
    context.about({ operation: command, ...(first !== undefined && second === undefined ? { scope: first } : {}) });
    const found = await openValues(context, paths, only.length === 0 ? undefined : only.map(parseSecretName));
    const variables = byVariable(found);
    auditOpened(context, command, found);
    return variables;
  });
  const secrets = new Set([...opened.values()].flatMap(({ secret, parts }) => [secret, ...parts]));
  job.runner.mask([...new Set([...secrets].flatMap(listMasks))]);
  const values = new Map([...opened].map(([variable, { secret }]) => [variable, secret]));
  return {
    values,
    unmasked: [...values].filter(([, secret]) => !isMaskable(secret)).map(([variable]) => variable),
    selection: [
      ...scopes,
      ...(only.length === 0 ? [] : ["--only", only.join(",")]),
      ...(at === undefined ? [] : ["--at", at]),
    ],
  };
}

async function proveCommit(job: Job): Promise<string | undefined> {
  if (job.inputs.anchor === undefined) return undefined;
  const { checkAnchor } = await import("./anchor.ts");
  const proven = await checkAnchor(job);
  if (proven !== undefined) job.runner.setOutput("commit", proven);
  return proven;
}

/** The value as text. Throws E_VALUE_UNFIT naming the variable whose value is binary. */
export function textOf(variable: string, secret: Secret): string {
  const text = secret.kind === "binary" ? undefined : secret.revealText();
  if (text !== undefined) return text;
  throw new SealtreeError("E_VALUE_UNFIT", `the value of ${variable} is binary, which a runner does not take`, {
    hints: ["take to: file with format: json, or leave it out with the input only"],
  });
}
