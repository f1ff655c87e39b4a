import { fstatSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { OutputStream } from "./io.ts";

const retryMs = 2;

/**
 * Standard output or standard error. Into a file, a pipe or a device it writes by itself, at
 * once and whole: opening Node's stream costs a twentieth of a start. A terminal gets the real
 * stream. A reader that closes the pipe early, such as head, is no failure of ours.
 */
export function standardStream(descriptor: 1 | 2, open: () => NodeJS.WriteStream): OutputStream {
  let opened: NodeJS.WriteStream | undefined;
  let isClosed = false;
  const isPlain = !isTerminal(descriptor);
  const stream = () => {
    opened ??= open().on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
    return opened;
  };
  return {
    get isTTY() {
      return !isPlain && stream().isTTY;
    },
    get columns() {
      return stream().columns;
    },
    stream: (): Writable => stream(),
    write(chunk) {
      if (!isPlain) return stream().write(chunk);
      if (!isClosed) isClosed = !writeAll(descriptor, Buffer.from(chunk));
      return true;
    },
  };
}

/**
 * False when nobody can be told any more: the reader is gone, or it is standard error that
 * cannot be written. Waits for a slow reader. Throws E_IO for standard output, which is data.
 */
function writeAll(descriptor: number, bytes: Uint8Array): boolean {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = errnoOf(error);
      if (code === "EPIPE" || (code !== "EAGAIN" && descriptor === 2)) return false;
      if (code !== "EAGAIN") {
        throw new SealtreeError("E_IO", `the output cannot be written (${code ?? "unknown error"})`, {
          hints: ["check where it goes: space, permissions"],
          cause: error,
        });
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
  return true;
}

function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(descriptor);
  } catch {
    return true;
  }
}
