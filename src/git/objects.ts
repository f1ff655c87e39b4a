import { spawn } from "node:child_process";
import { SealtreeError } from "../errors.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

/** Reads many objects through one git process. Close it when done. */
export interface ObjectReader {
  /**
   * The bytes of a blob by full object id, or by `<commit id>:<path>`; undefined when there
   * is none. Throws E_UNSAFE_FILE beyond `maxBytes`, before reading it.
   */
  readBlob(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  close(): void;
}

interface Waiting {
  resolve(reply: { header: string; body: Uint8Array }): void;
  reject(error: unknown): void;
}

/** Starts the reader; it runs no hook, filter or textconv. */
export function openObjects(place: GitPlace): ObjectReader {
  const child = spawn("git", ["-c", "core.fsmonitor=false", "cat-file", "--batch-command", "--buffer"], {
    cwd: place.root,
    env: gitEnvironment(place.env),
    stdio: ["pipe", "pipe", "ignore"],
  });
  const queue: Waiting[] = [];
  const replies = new ReplyParser((reply) => queue.shift()?.resolve(reply));
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure = error;
    for (const waiting of queue.splice(0)) waiting.reject(error);
  };
  child.stdout.on("data", (chunk: Buffer) => replies.push(chunk));
  child.stdin.on("error", fail);
  child.on("error", fail);
  child.on("close", () => fail(new SealtreeError("E_GIT_FAILED", "git cat-file ended early")));

  const ask = (command: "info" | "contents", name: string) =>
    new Promise<{ header: string; body: Uint8Array }>((resolve, reject) => {
      if (failure !== undefined) {
        reject(failure);
        return;
      }
      queue.push({ resolve, reject });
      replies.expect(command);
      child.stdin.write(`${command} ${name}\nflush\n`);
    });

  return {
    async readBlob(name, maxBytes) {
      const { header } = await ask("info", name);
      const [id, type, size] = header.split(" ");
      if (type !== "blob" || id === undefined) return undefined;
      if (Number(size) > maxBytes) {
        throw new SealtreeError("E_UNSAFE_FILE", "a file in the history is too large to be one of ours");
      }
      return (await ask("contents", id)).body;
    },
    close() {
      child.removeAllListeners("close");
      child.stdin.end();
      child.kill();
    },
  };
}

/** Cuts git's output into replies: a header line, and for `contents` as many bytes as it names and a newline. */
class ReplyParser {
  readonly #emit: (reply: { header: string; body: Uint8Array }) => void;
  readonly #expected: ("info" | "contents")[] = [];
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 0;

  constructor(emit: (reply: { header: string; body: Uint8Array }) => void) {
    this.#emit = emit;
  }

  expect(command: "info" | "contents"): void {
    this.#expected.push(command);
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#needed && this.#next());
  }

  #next(): boolean {
    const buffer = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = [buffer];
    const end = buffer.indexOf(10);
    if (end < 0) return false;
    const header = buffer.toString("latin1", 0, end);
    const size = this.#expected[0] === "contents" ? Number(/ blob ([0-9]+)$/.exec(header)?.[1] ?? -1) : -1;
    const total = size < 0 ? end + 1 : end + 1 + size + 1;
    if (buffer.length < total) {
      this.#needed = total;
      return false;
    }
    this.#expected.shift();
    this.#chunks = [buffer.subarray(total)];
    this.#length = buffer.length - total;
    this.#needed = 1;
    this.#emit({ header, body: size < 0 ? Buffer.alloc(0) : buffer.subarray(end + 1, end + 1 + size) });
    return true;
  }
}
