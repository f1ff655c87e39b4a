import { Readable } from "node:stream";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Io } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { takeTokenRequest } from "../../src/services/token-request.ts";

/** The built program, for tests that need a process of its own. */
export const builtBin = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

export interface CliOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly now?: Date;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
  /** stdout as JSON; throws when it is not. */
  json<T = Record<string, unknown>>(): T;
}

/** Runs `main` in this process with its own streams, environment and clock. Nobody can be asked. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const sink = (chunks: Buffer[]) => ({
    write(chunk: string | Uint8Array) {
      chunks.push(Buffer.from(chunk));
      return true;
    },
  });
  const env = { PATH: process.env["PATH"] ?? "", ...options.env };
  const tokenRequest = takeTokenRequest(env);
  const io: Io = {
    env,
    tokenRequest,
    cwd: options.cwd,
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: sink(out),
    stderr: sink(err),
    self: [process.execPath, builtBin],
    now: () => options.now ?? new Date(),
    random: (size) => randomBytes(size),
  };
  const code = await main(argv, io);
  const stdoutBytes = Buffer.concat(out);
  const stdout = stdoutBytes.toString("utf8");
  return {
    code,
    stdout,
    stdoutBytes,
    stderr: Buffer.concat(err).toString("utf8"),
    json: <T>() => JSON.parse(stdout) as T,
  };
}
