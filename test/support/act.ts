import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { runAction } from "../../src/action/run-action.ts";
import { takeTokenRequest } from "../../src/services/token-request.ts";
import { prepareStep, readStep, type Step } from "./runner.ts";

/** Where a step runs: a test repository, or a clone with an environment. */
export interface ActPlace {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ActOptions extends Partial<Omit<Step, "workspace" | "inputs">> {
  /** The clock of the step; that of the machine without. */
  readonly now?: Date;
}

/** Runs a step of the Action in this process, and reads what it wrote as the runner does. */
export async function act(
  place: ActPlace,
  inputs: Readonly<Record<string, string>>,
  { now = new Date(), env: more = {}, ...step }: ActOptions = {},
) {
  const { env, temporary } = prepareStep({ workspace: place.root, inputs, ...step, env: { ...place.env, ...more } });
  const tokenRequest = takeTokenRequest(env);
  const chunks: Buffer[] = [];
  const stream = {
    write(chunk: string | Uint8Array) {
      chunks.push(Buffer.from(chunk));
      return true;
    },
  };
  const code = await runAction({
    env,
    tokenRequest,
    cwd: place.root,
    stdin: Readable.from([]),
    stdout: stream,
    stderr: stream,
    self: [process.execPath, "none"],
    now: () => now,
    random: (size) => randomBytes(size),
  });
  return { code, temporary, ...readStep(Buffer.concat(chunks).toString("utf8"), env) };
}
