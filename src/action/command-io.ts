import { toCommonOptions } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import type { Io, OutputStream } from "../cli/io.ts";
import { safeText } from "../cli/safe-text.ts";
import { withContext } from "../cli/with-context.ts";
import type { Job } from "./job.ts";

/** What a command gets of the job: no runner, but for its words. */
export type Caller = Pick<Job, "io" | "env" | "directory" | "runner" | "tokenRequest">;

/** The world of a command: the job's, with streams of its own. Standard input is opened when it is asked for. */
export function commandIo(
  { io, env, directory, tokenRequest }: Omit<Caller, "runner">,
  stdout: OutputStream,
  stderr: OutputStream,
): Io {
  return {
    env,
    tokenRequest,
    cwd: directory,
    stdout,
    stderr,
    get stdin() {
      return io.stdin;
    },
    get self() {
      return io.self;
    },
    now: () => io.now(),
    random: (size) => io.random(size),
  };
}

/** A stream that keeps what is written to it, and the text of that. */
export function keptStream(): { readonly stream: OutputStream; text(): string } {
  const chunks: Buffer[] = [];
  return {
    stream: {
      write(chunk) {
        chunks.push(Buffer.from(chunk));
        return true;
      },
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

/**
 * Does `work` with the context that a command has, reading as of the commit `at` when there is one. What it says
 * goes into the log; a failure into the audit log, under `operation`, and is thrown.
 */
export async function withJobContext<T>(
  job: Caller,
  { operation, at }: { readonly operation: string; readonly at: string | undefined },
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const [out, err] = [keptStream(), keptStream()];
  const options = { ...toCommonOptions({ nonInteractive: true }), at };
  try {
    return await withContext(commandIo(job, out.stream, err.stream), options, operation, work);
  } finally {
    job.runner.print(safeText(err.text()));
  }
}
