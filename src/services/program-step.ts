import type { z } from "zod";
import { ProviderFailure } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { runProgram, type ExecProgram } from "./exec-program.ts";
import type { SecretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";

/** What a policy says of a program that is run once for each step, as {@link programOptions} parses it. */
export interface ProgramRule {
  readonly command: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, SecretReference>>;
  readonly environment: readonly string[];
  readonly timeout_seconds?: number;
}

/** What a program is asked: what each step prints, and which steps change something. */
export interface ProgramProtocol<Answers extends Readonly<Record<string, z.ZodType>>> {
  readonly answers: Answers;
  readonly changes: readonly (keyof Answers)[];
  readonly of: "rule" | "target";
}

/** Runs a step of the program, with these fields, and gives what it printed. Throws ProviderFailure. */
export type RunStep<Answers extends Readonly<Record<string, z.ZodType>>> = <S extends keyof Answers & string>(
  step: S,
  fields?: Readonly<Record<string, unknown>>,
) => Promise<z.infer<Answers[S]>>;

/** Starts nothing yet: each step is a run of its own. Throws ProviderFailure for a secret that is no text. */
export function createRunStep<Answers extends Readonly<Record<string, z.ZodType>>>(
  rule: ProgramRule,
  access: ServiceAccess,
  { answers, changes, of }: ProgramProtocol<Answers>,
): RunStep<Answers> {
  const program: ExecProgram = {
    command: rule.command,
    directory: access.directory,
    environment: new Map(rule.environment.map((name) => [name, access.read({ kind: "environment", name })])),
    timeoutMs: rule.timeout_seconds === undefined ? access.timeoutMs : rule.timeout_seconds * 1000,
    of,
  };
  const secrets = Object.fromEntries(
    Object.entries(rule.secrets).map(([name, reference]) => [name, programText(access.read(reference), of)]),
  );
  return async (step, fields = {}) => {
    const isChange = changes.includes(step);
    const input = { sealtree: 1, step, settings: rule.settings, secrets, ...fields };
    const result = answers[step]?.safeParse(await runProgram(program, input, step, isChange));
    if (result?.success === true) return result.data as z.infer<Answers[typeof step]>;
    throw new ProviderFailure(
      isChange ? "unknown" : "rejected",
      `the program of the ${of} printed no answer to ${step}`,
      {
        hints: [
          `docs/${of === "rule" ? "rotators" : "targets"}/exec.md has what each step prints, and nothing else may be in it`,
        ],
      },
    );
  };
}

/** A value as it stands in the JSON that a program reads. Throws ProviderFailure for one that is no text. */
export function programText(secret: Secret, of: ProgramProtocol<never>["of"]): string {
  const text = secret.revealText();
  if (text !== undefined) return text;
  throw new ProviderFailure("auth", `a value that is no text cannot be given to the program of the ${of}`);
}
