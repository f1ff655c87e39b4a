import { spawn } from "node:child_process";
import { builtBin } from "./build.ts";

/** The built command as a process of its own. */
export interface StartedCli {
  readonly pid: number;
  /** Resolves once stdout holds `text`. Rejects when the process ends without. */
  untilOutput(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Starts the built command with nothing of this process's environment but PATH. */
export function startCli(argv: readonly string[], options: StartOptions): StartedCli {
  const child = spawn(process.execPath, [builtBin, ...argv], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"], ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin);
  const ended: StartedCli["ended"] = new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => child.kill(signal),
    untilOutput: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`the command ended without saying ${text}\n${stderr}`)));
      }),
  };
}
