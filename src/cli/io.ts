import { realpathSync } from "node:fs";
import type { Writable } from "node:stream";
import type { Environment } from "../git/place.ts";
import { takeTokenRequest, type TokenRequest } from "../services/token-request.ts";
import { standardStream } from "./standard-stream.ts";

export interface OutputStream {
  write(chunk: string | Uint8Array): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  /** The stream itself, where there is one, for what cannot do with `write` alone. */
  stream?(): Writable;
}

/** A terminal that was opened by itself. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: Writable;
  close(): void;
}

/** The world as a command sees it; tests hand in their own. */
export interface Io {
  /** Without what {@link tokenRequest} says, so that no program that is started gets it. */
  readonly env: Environment;
  /** What a job of GitHub Actions asks for identity tokens with, if it may. */
  readonly tokenRequest?: TokenRequest | undefined;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** The words that start this program again: node and the script. */
  readonly self: readonly [string, string];
  /** The terminal of the person, whatever stdin is; undefined where there is none. */
  openTerminal?(): Terminal | undefined;
  now(): Date;
  random(size: number): Uint8Array;
}

/** The real world. What asks for identity tokens is taken out of the environment of this process. */
export function processIo(): Io {
  const tokenRequest = takeTokenRequest(process.env);
  return {
    env: process.env,
    tokenRequest,
    cwd: process.cwd(),
    get stdin() {
      return process.stdin;
    },
    stdout: standardStream(1, () => process.stdout),
    stderr: standardStream(2, () => process.stderr),
    get self(): [string, string] {
      return [process.execPath, realpathSync(process.argv[1] ?? ".")];
    },
    openTerminal,
    now: () => new Date(),
    // Loaded when first used: it takes several milliseconds that most starts can do without.
    random: (size) => process.getBuiltinModule("node:crypto").randomBytes(size),
  };
}

function openTerminal(): Terminal | undefined {
  if (process.platform === "win32") return undefined;
  const { openSync } = process.getBuiltinModule("node:fs");
  const { ReadStream, WriteStream } = process.getBuiltinModule("node:tty");
  try {
    const input = new ReadStream(openSync("/dev/tty", "r"));
    const output = new WriteStream(openSync("/dev/tty", "w"));
    const close = () => {
      input.destroy();
      output.destroy();
    };
    return { input, output, close };
  } catch {
    return undefined;
  }
}
