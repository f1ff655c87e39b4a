import { usageError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { isDuration, type Duration } from "../rotation/duration.ts";
import { suggest } from "../secret/suggest.ts";

export const actionCommands = [
  "check",
  "review",
  "comment",
  "rotate",
  "deploy",
  "export",
  "run",
  "drift",
  "heartbeat",
] as const;
export type ActionCommand = (typeof actionCommands)[number];

/**
 * How an input is read, undefined for one that was not given. Throws {@link Misfit}. By hand: a schema of
 * zod takes as long to load and to make as opening the values of a scope.
 */
type Read<T> = (written: string | undefined) => T;

/** A text that an input cannot have; the message goes after the input's name. */
class Misfit extends Error {
  readonly hints: readonly string[];

  constructor(message: string, ...hints: readonly string[]) {
    super(message);
    this.hints = hints;
  }
}

const maxLabels = 20;
const maxLabelChars = 50;
const maxReasonChars = 200;

const text: Read<string | undefined> = (written) => written;
const matching =
  (pattern: RegExp, rule: string): Read<string | undefined> =>
  (written) => {
    if (written !== undefined && !pattern.test(written)) throw new Misfit(rule);
    return written;
  };
// Each becomes a word of a command line: none of them may look like an option.
const argument = matching(/^[^-\s]\S*$/, "has to be one word that does not begin with a dash");
const argumentList: Read<readonly string[]> = (written = "") =>
  written.split(/[\s,]+/).flatMap((word) => (word === "" ? [] : (argument(word) ?? [])));
const path = matching(/^[^\r\n\0]+$/, "is no path");
const revision: Read<string | undefined> = (written) => {
  if (argument(written)?.includes("..")) throw new Misfit("names one revision, not a range");
  return written;
};
const places = ["env", "file", "outputs"] as const;
const place: Read<(typeof places)[number]> = (written = "env") => {
  const found = places.find((name) => name === written);
  if (found === undefined) throw new Misfit("is env, file or outputs");
  return found;
};
// Not a branch or a tag: whoever may push may move these.
const commitId = matching(
  /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
  "is the full id of a commit, 40 hex digits; nothing else will do",
);
const anchor: Read<string | undefined> = (written) => {
  if (written !== "missing") return commitId(written);
  throw new Misfit(
    "is missing: the variable that holds it is not set, or not for the environment of this job",
    "gh variable set SEALTREE_ANCHOR --env production --body COMMIT",
    "docs/deploy-gate.md says which commit to begin with",
  );
};
const workflowFile = matching(
  /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.ya?ml$/,
  "has names of files below .github/workflows only",
);
const workflowFiles: Read<readonly string[]> = (written = "secrets-rotation.yml") => {
  const files = written.split(/[\s,]+/).flatMap((word) => (word === "" ? [] : (workflowFile(word) ?? [])));
  if (files.length === 0) throw new Misfit("names no file");
  return files;
};
const maxAge: Read<Duration> = (written = "3d") => {
  if (!isDuration(written)) throw new Misfit("is a length of time, such as 36h or 3d");
  return written;
};
// YAML 1.2 core schema: what else looks like a boolean is text, and a mistake here.
const boolean: Read<boolean> = (written = "false") => {
  if (!/^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$/.test(written)) throw new Misfit("is true or false");
  return written.toLowerCase() === "true";
};

// The names of labels may hold blanks. GitHub takes no longer ones.
const labels: Read<readonly string[]> = (written = "") => {
  const names = written.split(/[,\n]/).flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
  if (names.length > maxLabels || names.some((name) => name.length > maxLabelChars || /\p{C}/u.test(name)))
    throw new Misfit(`has at most ${maxLabels} labels of ${maxLabelChars} characters`);
  return names;
};
const sentence: Read<string | undefined> = (written) => {
  if (written !== undefined && (written.length > maxReasonChars || /^-|\p{C}|[\u2028\u2029]/u.test(written)))
    throw new Misfit(`is one line of at most ${maxReasonChars} characters that does not begin with a dash`);
  return written;
};

const fields = {
  command: parseCommand,
  scopes: argumentList,
  only: argumentList,
  to: place,
  file: path,
  format: argument,
  run: text,
  base: revision,
  head: revision,
  strict: boolean,
  targets: argumentList,
  "dry-run": boolean,
  limit: matching(/^[1-9][0-9]{0,5}$/, "is a number from 1"),
  branch: argument,
  "pull-request": boolean,
  labels,
  emergency: boolean,
  reason: sentence,
  "keep-grace": boolean,
  anchor,
  issue: boolean,
  workflows: workflowFiles,
  "max-age": maxAge,
  "allow-names": argumentList,
  "allow-unmasked": argumentList,
  "working-directory": (written: string | undefined) => written ?? ".",
} as const satisfies Record<string, Read<unknown>>;

/** The inputs of a run, checked. Lists are split at white space and commas. */
export type ActionInputs = { readonly [Name in keyof typeof fields]: ReturnType<(typeof fields)[Name]> };
export type InputName = keyof ActionInputs;

/** Every input that action.yml declares. */
export const inputNames = Object.keys(fields) as readonly InputName[];

const always: readonly InputName[] = ["command", "working-directory"];
const taken: Readonly<Record<ActionCommand, readonly InputName[]>> = {
  check: ["base", "strict"],
  review: ["base", "head", "file"],
  comment: [],
  rotate: [
    "scopes",
    "limit",
    "branch",
    "dry-run",
    "issue",
    "pull-request",
    "labels",
    "emergency",
    "reason",
    "keep-grace",
  ],
  deploy: ["targets", "dry-run", "anchor"],
  drift: ["targets"],
  export: ["scopes", "only", "to", "file", "format", "allow-names", "allow-unmasked", "anchor"],
  run: ["scopes", "only", "run", "allow-names", "anchor"],
  heartbeat: ["workflows", "max-age", "issue"],
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
  const raw: Readonly<Record<string, string>> = Object.fromEntries(given);
  const command = parseCommand(raw["command"]);
  for (const [name] of given) {
    if ([...always, ...taken[command]].includes(name as InputName)) continue;
    const owners = actionCommands.filter((other) => taken[other].includes(name as InputName));
    throw usageError(`the input ${name} is not for ${command}`, `it goes with ${owners.join(" and ")}`);
  }
  const inputs = Object.fromEntries(inputNames.map((name) => [name, readInput(name, raw[name])])) as ActionInputs;
  checkComplete(inputs);
  return inputs;
}

function readInput(name: InputName, written: string | undefined): unknown {
  try {
    return fields[name](written);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    throw usageError(`the input ${name} ${error.message}`, ...error.hints, seeDocs);
  }
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

/** An emergency of everything is a thing for people: half of what they use would stop. */
function checkRotate(inputs: ActionInputs): void {
  const { scopes, emergency } = inputs;
  if (scopes.length > 1) throw usageError("rotate takes one scope or address, or none for what is due");
  if (emergency && scopes.length === 0)
    throw usageError("an emergency needs the input scopes, a scope or an address", "scopes: prod/api");
  if (inputs["keep-grace"] && !emergency) throw usageError("keep-grace goes with emergency: true");
  if (inputs.labels.length > 0 && !inputs["pull-request"]) throw usageError("labels go with pull-request: true");
}

function checkComplete(inputs: ActionInputs): void {
  const { command, scopes, to, file, run, format } = inputs;
  if ((command === "export" || command === "run") && scopes.length === 0)
    throw usageError(`${command} needs the input scopes`, "scopes: prod/api");
  if (command === "run" && run === undefined)
    throw usageError("run needs the input run, a script", "run: node server.js");
  if (command === "rotate") checkRotate(inputs);
  if (command !== "export") return;
  if ((to === "file") !== (file !== undefined))
    throw usageError("to: file and the input file go together", "file: ${{ runner.temp }}/api.env");
  if (format !== undefined && to !== "file") throw usageError("the input format goes with to: file");
}
