import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GitServer } from "../../../support/git-server.ts";
import type { Cut } from "./cut.ts";

const preload = fileURLToPath(new URL("preload.js", import.meta.url));

export interface RunOptions {
  /** File of the built command. */
  readonly bin: string;
  /** Root of a clone. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly server: GitServer;
  /** How far the clock of the run is ahead. */
  readonly shiftMs: number;
  readonly cut?: Cut | undefined;
}

export interface CutRun {
  /** Exit status; undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stderr: string;
  /** The crash points that it reached, in order. */
  readonly points: readonly string[];
}

/** The built command in a process of its own, which a cut may spoil. */
export async function runCut(argv: readonly string[], options: RunOptions): Promise<CutRun> {
  const { bin, root, env, server, shiftMs, cut } = options;
  const report = join(root, ".git", "test-points");
  rmSync(report, { force: true });
  const at = cut?.how === "kill" || cut?.how === "throw" ? cut : {};
  const child = spawn(process.execPath, ["--import", preload, bin, ...argv], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env, CRASH: JSON.stringify({ report, shiftMs, ...at }) },
    stdio: ["ignore", "ignore", "pipe"],
    // A group of its own, as a job has it: a signal reaches git too.
    detached: cut?.how === "signal",
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  let seen = 0;
  server.onRequest = (request) => {
    if (cut?.how !== "lost answer" && cut?.how !== "signal") return;
    if (request !== (cut.how === "signal" ? cut.request : "push") || ++seen !== cut.nth) return;
    if (cut.how === "lost answer") server.spoil("push", { kind: "lost answer" });
    else if (child.pid !== undefined) process.kill(-child.pid, cut.signal);
  };
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once("error", reject);
      child.once("close", (...[status, by]) => resolve({ code: status, signal: by }));
    },
  );
  server.onRequest = undefined;
  const points = existsSync(report) ? readFileSync(report, "utf8").trimEnd().split("\n") : [];
  return { code: code ?? undefined, signal: signal ?? undefined, stderr, points };
}
