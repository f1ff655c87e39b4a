import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { tmpdir } from "node:os";
import type { Io } from "../cli/io.ts";
import { exitCodes, isSealtreeError, usageError } from "../errors.ts";
import { findPlace } from "../git/place.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { loadEvent } from "./event.ts";
import { checkTrust, warnUnpinned } from "./guards.ts";
import { parseInputs, type ActionCommand } from "./inputs.ts";
import { commandEnvironment, commandTokens, filesState, type Job } from "./job.ts";
import { withoutTreePrograms } from "./program-path.ts";
import { createRunner, type Runner } from "./runner.ts";

const commands: Readonly<Record<ActionCommand, (job: Job) => Promise<number>>> = {
  check: async (job) => await (await import("./check.ts")).actCheck(job),
  review: async (job) => await (await import("./review.ts")).actReview(job),
  comment: async (job) => await (await import("./comment.ts")).actComment(job),
  rotate: async (job) => await (await import("./rotate.ts")).actRotate(job),
  deploy: async (job) => await (await import("./deploy.ts")).actDeploy(job),
  export: async (job) => await (await import("./export.ts")).actExport(job),
  drift: async (job) => await (await import("./drift.ts")).actDrift(job),
  run: async (job) => await (await import("./run.ts")).actRun(job),
  heartbeat: async (job) => await (await import("./heartbeat.ts")).actHeartbeat(job),
};

/**
 * One run of the Action in the world of `io`, as the runner starts it. Gives the exit status of
 * the step. Whatever goes wrong is an annotation, without a value.
 */
export async function runAction(io: Io): Promise<number> {
  const runner = createRunner({
    env: io.env,
    write: (chunk) => io.stdout.write(chunk),
    random: (size) => io.random(size),
  });
  try {
    const job = openJob(io, runner);
    const code = await commands[job.inputs.command](job);
    if (code !== exitCodes.ok) runner.annotate("error", `sealtree ${job.inputs.command} ended with ${code}`);
    return code;
  } catch (error) {
    return reportFailure(error, runner);
  }
}

function openJob(io: Io, runner: Runner): Job {
  const inputs = parseInputs(io.env);
  const event = loadEvent(io.env);
  checkTrust(inputs.command, event, io.env);
  warnUnpinned(io.env, runner);
  const workspace = resolve(io.cwd, io.env["GITHUB_WORKSPACE"] ?? ".");
  const directory = resolve(workspace, inputs["working-directory"]);
  if (!existsSync(directory)) throw usageError("the folder of the input working-directory is not there");
  const all = commandEnvironment(io.env, inputs.command);
  const { root } = findPlace(directory, all);
  const env = withoutTreePrograms(all, [workspace, directory, root]);
  const files: string[] = [];
  return {
    inputs,
    event,
    runner,
    io,
    directory,
    place: { root, env },
    workspace,
    temporary: resolve(io.env["RUNNER_TEMP"] ?? tmpdir()),
    env,
    tokenRequest: commandTokens(io, inputs.command, runner),
    keepForPost(file) {
      files.push(file);
      runner.saveState(filesState, JSON.stringify(files));
    },
  };
}

const lacksRight = "the token lacks a right: docs/action.md says which permissions each command needs";

function reportFailure(error: unknown, runner: Runner): number {
  if (isSealtreeError(error)) {
    const { message, hints, code, exitCode } = error;
    runner.annotate("error", [message, ...hints].join("\n"), { title: code });
    return exitCode;
  }
  if (isProviderFailure(error)) {
    // An App that is not let in at all says itself what is wrong.
    const isForbidden = error.class === "auth" && error.message.endsWith(" with status 403");
    const hints = isForbidden ? [...error.hints, lacksRight] : error.hints;
    runner.annotate("error", [error.message, ...hints].join("\n"), { title: "E_PROVIDER" });
    return exitCodes.provider;
  }
  // The message of a bug could hold a value; where it happened cannot.
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  runner.print(
    `${stack
      .split("\n")
      .filter((line) => /^\s+at /.test(line))
      .join("\n")}\n`,
  );
  runner.annotate("error", "this is a bug in sealtree; report it with the lines above, which hold no value");
  return exitCodes.bug;
}
