import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import type { Stanza } from "../crypto/age-header.ts";
import { errnoOf } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { plainText, pluginFailed } from "./plugin-failure.ts";
import { answerForPerson, type PluginInteraction } from "./plugin-interaction.ts";
import { createFrameReader, type FrameLimits, printFrame } from "./plugin-stanza.ts";

/** What is needed to start a plugin. */
export interface PluginStart {
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
  readonly env: Environment;
  readonly interaction: PluginInteraction;
  /** How long a plugin may be silent before `interaction.waiting` is told. */
  readonly patienceMs: number;
}

/** What the client does with a command of its own state machine; undefined for one that it does not know. */
export type Handle = (stanza: Stanza) => "ok" | undefined;

const maxStanzaBytes = 64 * 1024;
const baseBytes = 256 * 1024;
const bytesAFile = 2 * maxStanzaBytes;
const maxWordsBytes = 4096;
const graceMs = 2000;

/**
 * Runs a plugin once (C2SP age-plugin.md, "State machines"): sends `phase1`, then answers what
 * the plugin sends until it is done. Commands that neither `handle` nor a person answers are
 * unsupported. Given when the plugin is done; `ended` settles when its process is gone. There
 * is no limit of time, since a person may have to touch a key. Throws E_PLUGIN_FAILED, and E_ABORTED
 * when a person aborts; then the process is told to end.
 */
export function runPlugin(
  start: PluginStart,
  machine: "recipient-v1" | "identity-v1",
  phase1: readonly string[],
  files: number,
  handle: Handle,
): { readonly done: Promise<void>; readonly ended: Promise<void> } {
  const child = spawn(start.program, [`--age-plugin=${machine}`], {
    cwd: tmpdir(),
    env: pluginEnvironment(start.env),
    shell: false,
    windowsHide: true,
  });
  // An agent that the plugin leaves behind may hold its outputs open, so that `close` never comes.
  const exit = new Promise<true>((resolve) => {
    child.once("exit", () => resolve(true));
    child.once("error", () => resolve(true));
  });
  const reason = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`it cannot be started (${errnoOf(error) ?? "unknown error"})`));
    child.once("close", (code, signal) => resolve(`it ended early (${signal ?? `exit ${String(code)}`})`));
  });
  void exit.then(async () => await delay(graceMs)).then(() => child.stdout.destroy());
  // A plugin that ends early is found out when nothing more comes from it.
  child.stdin.on("error", () => undefined);
  const words = lastWords(child);
  const limits = { maxStanzaBytes, maxTotalBytes: baseBytes + files * bytesAFile };
  const done = talk(start, child, phase1, limits, handle).then(async (isDone) => {
    if (isDone) return;
    const said = await Promise.race([reason, endLater(child)]);
    throw pluginFailed(start.name, said ?? "it said no more", words());
  });
  const ended = done.then(
    async () => await waitForEnd(child, exit),
    async () => {
      child.kill("SIGTERM");
      await waitForEnd(child, exit);
    },
  );
  return { done, ended };
}

/** A command that no plugin knows, to keep them tolerant (C2SP age-plugin.md, "Grease"). */
export function grease(): string {
  return printFrame([`grease-${randomBytes(4).toString("hex")}`, "sealtree"], randomBytes(7));
}

/** True when the plugin said that it is done, false when it said no more. */
async function talk(
  { name, interaction, patienceMs }: PluginStart,
  child: ChildProcessWithoutNullStreams,
  phase1: readonly string[],
  limits: FrameLimits,
  handle: Handle,
): Promise<boolean> {
  let hasWaited = false;
  const wait = () => {
    if (!hasWaited) interaction.waiting?.(`waiting for age-plugin-${name}...`);
    hasWaited = true;
  };
  child.stdin.write(phase1.join("") + printFrame(["done"]));
  const frames = readFrames(child, name, limits);
  try {
    for (;;) {
      const notice = setTimeout(wait, patienceMs);
      const next = await frames.next().finally(() => clearTimeout(notice));
      if (next.done === true) return false;
      if (next.value.args[0] === "done") return true;
      const own = handle(next.value);
      const answer = own === undefined ? await answerForPerson(name, next.value, interaction) : printFrame([own]);
      child.stdin.write(answer ?? printFrame(["unsupported"]));
    }
  } finally {
    await frames.return(undefined);
  }
}

async function* readFrames(
  child: ChildProcessWithoutNullStreams,
  name: string,
  limits: FrameLimits,
): AsyncGenerator<Stanza> {
  const reader = createFrameReader(name, limits);
  try {
    for await (const piece of child.stdout) yield* reader.push(piece as Uint8Array);
  } catch (error) {
    // A plugin that could not be started has no output to read to its end.
    if (errnoOf(error) !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/** The last line that the plugin wrote to stderr, as a hint. */
function lastWords(child: ChildProcessWithoutNullStreams): () => string[] {
  let kept: Uint8Array = new Uint8Array(0);
  child.stderr.on("data", (piece: Uint8Array) => {
    kept = Buffer.concat([kept, piece]).subarray(-maxWordsBytes);
  });
  child.stderr.on("error", () => undefined);
  return () => {
    const line = Buffer.from(kept).toString("utf8").trim().split("\n").at(-1) ?? "";
    return line === "" ? [] : [`it wrote: ${plainText(Buffer.from(line))}`];
  };
}

/** Nothing, after the time that a plugin gets to end by itself. */
async function endLater(child: ChildProcessWithoutNullStreams): Promise<undefined> {
  await delay(graceMs);
  child.kill("SIGTERM");
}

async function waitForEnd(child: ChildProcessWithoutNullStreams, exit: Promise<true>): Promise<void> {
  child.stdin.end();
  child.stdout.destroy();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if ((await Promise.race([exit, delay(graceMs)])) === true) break;
    child.kill(signal);
  }
  await exit;
  child.stderr.destroy();
}

/** Does not keep the program from ending. */
async function delay(ms: number): Promise<undefined> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms).unref();
  });
}

/** What the user has set, without what is sealtree's own. */
function pluginEnvironment(env: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !/^(?:SEALTREE_|SOPS_AGE_)/i.test(key)));
}
