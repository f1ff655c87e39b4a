import { execFile, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { CrashPoint } from "../../../../src/rotation/crash-points.ts";
import { prepareStep, readStep } from "../../../support/runner.ts";
import { makeThrowAway } from "../../../support/throw-away.ts";
import { rotationWorkflow, type World } from "./world.ts";

const preload = fileURLToPath(new URL("preload.js", import.meta.url));

export interface Kill {
  readonly point: CrashPoint;
  readonly occurrence: number;
}

export interface JobOptions {
  /** File of the built Action. */
  readonly main: string;
  /** What the step rotate is given. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly kill?: Kill | undefined;
}

/** What became of a job. */
export interface JobEnd {
  readonly isKilled: boolean;
  /** Exit status of each step; undefined for one that a signal ended. */
  readonly codes: readonly (number | undefined)[];
  /** Messages of annotations. */
  readonly said: readonly string[];
}

/**
 * The workflow of docs/action.md as GitHub starts it: a machine without anything, actions/checkout,
 * the step rotate, the step deploy. Each step is the built Action in a process of its own, at the
 * time of the clock.
 */
export async function runJob(world: World, { main, inputs = {}, kill }: JobOptions): Promise<JobEnd> {
  return await inClone(world, async (workspace, home) => {
    const step = async (given: Readonly<Record<string, string>>, spoiled?: Kill) =>
      await runStep(world, { main, workspace, home, inputs: given, kill: spoiled });
    const rotated = await step({ command: "rotate", issue: "true", ...inputs }, kill);
    if (rotated.code === undefined) return { isKilled: true, codes: [undefined], said: rotated.said };
    const deployed = await step({ command: "deploy" });
    return { isKilled: false, codes: [rotated.code, deployed.code], said: [...rotated.said, ...deployed.said] };
  });
}

/** The workflow that deploys what was merged. Gives its exit status. */
export async function runDeploy(world: World, main: string): Promise<number | undefined> {
  return await inClone(world, async (workspace, home) => {
    return (await runStep(world, { main, workspace, home, inputs: { command: "deploy" } })).code;
  });
}

/** The workflow that looks whether the daily one still runs. Gives its exit status. */
export async function runHeartbeat(world: World, main: string): Promise<number | undefined> {
  return await inClone(world, async (workspace, home) => {
    const inputs = { command: "heartbeat", workflows: rotationWorkflow, issue: "true" };
    return (await runStep(world, { main, workspace, home, inputs })).code;
  });
}

async function inClone<T>(world: World, work: (workspace: string, home: string) => Promise<T>): Promise<T> {
  const home = makeThrowAway("sealtree-quarter-job-");
  try {
    const workspace = join(home, "api");
    await checkOut(world, workspace);
    return await work(workspace, home);
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What actions/checkout does with `fetch-depth: 0` and `persist-credentials: false`. */
async function checkOut(world: World, workspace: string): Promise<void> {
  const { server } = world;
  const basic = Buffer.from("x-access-token:test-token").toString("base64");
  const header = `http.${server.githubUrl}/.extraheader=AUTHORIZATION: basic ${basic}`;
  const url = `${server.githubUrl}/test-owner/test-name`;
  await git(world, undefined, "init", "--quiet", "--template=", "--initial-branch=main", workspace);
  await git(world, workspace, "remote", "add", "origin", url);
  await git(world, workspace, "-c", header, "fetch", "--quiet", "--no-recurse-submodules", "origin");
  await git(world, workspace, "checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main");
}

interface StepOptions {
  readonly main: string;
  readonly workspace: string;
  readonly home: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly kill?: Kill | undefined;
}

async function runStep(world: World, { main, workspace, home, inputs, kill }: StepOptions) {
  const { env, temporary } = prepareStep({
    workspace,
    inputs,
    event: "schedule",
    env: { HOME: home, ...world.jobEnv, ...dates(world) },
  });
  const plan = { startMs: world.clock.now(), ...(kill === undefined ? {} : { kill }) };
  const child = spawn(process.execPath, ["--import", preload, main], {
    cwd: workspace,
    env: { ...env, QUARTER: JSON.stringify(plan) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve).once("error", reject);
  });
  const { annotations, state } = readStep(Buffer.concat(chunks).toString("utf8"), env);
  // The runner starts it after each step; where the step came to its end there is nothing left to do.
  if (code === null) await runPost(main, { ...env, ...keptState(state) });
  rmSync(join(temporary, ".."), { recursive: true, force: true });
  return { code: code ?? undefined, said: annotations.map(({ message }) => message) };
}

function keptState(state: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...state].map(([name, value]) => [`STATE_${name}`, value]));
}

async function runPost(main: string, env: Readonly<Record<string, string>>): Promise<void> {
  await promisify(execFile)(process.execPath, [join(main, "..", "post.js")], { env });
}

function dates({ clock }: World): Readonly<Record<string, string>> {
  const date = `${Math.floor(clock.now() / 1000)} +0000`;
  return { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
}

/** Not waited for with everything else standing still: the server is in this process. */
async function git(world: World, cwd: string | undefined, ...args: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1", ...dates(world) };
  return (await promisify(execFile)("git", args, { env, ...(cwd === undefined ? {} : { cwd }) })).stdout;
}
