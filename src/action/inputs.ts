import { z } from "zod";
import { usageError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { suggest } from "../secret/suggest.ts";

export const actionCommands = ["check", "review", "rotate", "deploy", "export", "run"] as const;
export type ActionCommand = (typeof actionCommands)[number];

const words = z.string().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""));
// Each becomes a word of a command line: none of them may look like an option.
const argument = z.string().regex(/^[^-\s][^\s]*$/, "has to be one word that does not begin with a dash");
const argumentList = words.pipe(z.array(argument));
const revision = argument.refine((text) => !text.includes(".."), "names one revision, not a range");
// YAML 1.2 core schema: what else looks like a boolean is text, and a mistake here.
const boolean = z
  .enum(["true", "True", "TRUE", "false", "False", "FALSE"], "is true or false")
  .transform((text) => text.toLowerCase() === "true");

const fields = {
  command: z.enum(actionCommands),
  scopes: argumentList.default([]),
  only: argumentList.default([]),
  to: z.enum(["env", "file", "outputs"], "is env, file or outputs").default("env"),
  file: z.string().optional(),
  format: argument.optional(),
  run: z.string().optional(),
  base: revision.optional(),
  head: revision.optional(),
  strict: boolean.default(false),
  targets: argumentList.default([]),
  "dry-run": boolean.default(false),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,5}$/, "is a number from 1")
    .optional(),
  branch: argument.optional(),
  "allow-names": argumentList.default([]),
  "allow-unmasked": argumentList.default([]),
  "working-directory": z.string().default("."),
};
const schema = z.strictObject(fields);

/** The inputs of a run, checked. Lists are split at white space and commas. */
export type ActionInputs = z.infer<typeof schema>;
export type InputName = keyof ActionInputs;

/** Every input that action.yml declares. */
export const inputNames = Object.keys(fields) as readonly InputName[];

const always: readonly InputName[] = ["command", "working-directory"];
const taken: Readonly<Record<ActionCommand, readonly InputName[]>> = {
  check: ["base", "strict"],
  review: ["base", "head", "file"],
  rotate: ["scopes", "limit", "branch", "dry-run"],
  deploy: ["targets", "dry-run"],
  export: ["scopes", "only", "to", "file", "format", "allow-names", "allow-unmasked"],
  run: ["scopes", "only", "run", "allow-names"],
};
const prefix = "INPUT_";

/**
 * The inputs as the runner hands them over: `INPUT_` and the name in capitals; an empty one is
 * one that was not given. Throws E_USAGE for a command or an input that is not known, one that
 * the command does not take, and a value that does not fit. No message repeats a value but the
 * command's.
 */
export function parseInputs(env: Environment): ActionInputs {
  const given = Object.entries(env).flatMap(([variable, value]) =>
    variable.startsWith(prefix) && value !== undefined && value.trim() !== ""
      ? [[variable.slice(prefix.length).toLowerCase(), value.trim()] as const]
      : [],
  );
  for (const [name] of given) {
    if (!isInputName(name)) throw usageError("an input is not known", ...suggest(name, inputNames), seeDocs);
  }
  const raw = Object.fromEntries(given);
  const command = parseCommand(raw["command"]);
  for (const [name] of given) {
    if ([...always, ...taken[command]].includes(name as InputName)) continue;
    const owners = actionCommands.filter((other) => taken[other].includes(name as InputName));
    throw usageError(`the input ${name} is not for ${command}`, `it goes with ${owners.join(" and ")}`);
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw usageError(`the input ${String(issue?.path[0] ?? "")} ${issue?.message ?? "does not fit"}`, seeDocs);
  }
  checkComplete(parsed.data);
  return parsed.data;
}

const seeDocs = "docs/action.md lists the inputs of each command";

function isInputName(name: string): name is InputName {
  return Object.hasOwn(fields, name);
}

function parseCommand(written: string | undefined): ActionCommand {
  const command = actionCommands.find((name) => name === written);
  if (command !== undefined) return command;
  const hints = [...suggest(written ?? "", actionCommands), `one of ${actionCommands.join(", ")}`];
  throw usageError(written === undefined ? "the input command is missing" : "the command is not known", ...hints);
}

function checkComplete(inputs: ActionInputs): void {
  const { command, scopes, to, file, run, format } = inputs;
  if ((command === "export" || command === "run") && scopes.length === 0)
    throw usageError(`${command} needs the input scopes`, "scopes: prod/api");
  if (command === "run" && run === undefined)
    throw usageError("run needs the input run, a script", "run: node server.js");
  if (command === "rotate" && scopes.length > 1)
    throw usageError("rotate takes one scope or address, or none for what is due");
  if (command !== "export") return;
  if ((to === "file") !== (file !== undefined))
    throw usageError("to: file and the input file go together", "file: ${{ runner.temp }}/api.env");
  if (format !== undefined && to !== "file") throw usageError("the input format goes with to: file");
}
