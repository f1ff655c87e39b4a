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
  /**
   * The blobs of full object ids, in their order, without a round trip for each. What is not a
   * blob here, or is larger than `maxBytes`, comes without its bytes and is never read. At most
   * some megabytes are on their way at a time, whatever the number of ids.
   */
  readBlobs(ids: readonly string[], maxBytes: number): AsyncGenerator<BulkBlob, void, void>;
  close(): void;
}

/** One answer of {@link ObjectReader.readBlobs}. */
export type BulkBlob =
  | { readonly id: string; readonly bytes: Uint8Array }
  | { readonly id: string; readonly bytes: undefined; readonly why: "missing" | "not a blob" | "too large" };

interface Reply {
  readonly header: string;
  readonly body: Uint8Array;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/** How many blobs are asked for at once, at most. */
const bulkCount = 256;
/** How many bytes of blobs are asked for at once; one blob may be larger. */
const bulkBytes = 1024 * 1024;

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
  const fail = (cause: Error | undefined) => {
    failure ??= catFileEnded(cause);
    for (const waiting of queue.splice(0)) waiting.reject(failure);
  };
  child.stdout.on("data", (chunk: Buffer) => replies.push(chunk));
  child.stdin.on("error", fail);
  child.on("error", fail);
  child.on("close", () => fail(undefined));

  const askAll = async (command: "info" | "contents", names: readonly string[]) => {
    if (failure !== undefined) throw failure;
    const asked = names.map(
      () =>
        new Promise<Reply>((resolve, reject) => {
          queue.push({ resolve, reject });
          replies.expect(command);
        }),
    );
    if (names.length > 0) child.stdin.write(`${names.map((name) => `${command} ${name}\n`).join("")}flush\n`);
    return await Promise.all(asked);
  };
  const ask = async (command: "info" | "contents", name: string) => {
    const [reply] = await askAll(command, [name]);
    return reply ?? { header: "", body: Buffer.alloc(0) };
  };

  async function* readBlobs(ids: readonly string[], maxBytes: number): AsyncGenerator<BulkBlob, void, void> {
    let ahead: Promise<BulkBlob[]> | undefined;
    for (let start = 0; start < ids.length; start += bulkCount) {
      const group = ids.slice(start, start + bulkCount);
      const sizes = (await askAll("info", group)).map(({ header }) => sizeOf(header, maxBytes));
      for (const part of splitBySize(group, sizes)) {
        // One part is on its way while the one before is being looked at.
        const behind = ahead;
        ahead = readPart(part);
        // Whoever stops reading leaves it behind; its failure is nobody's then.
        ahead.catch(() => undefined);
        if (behind !== undefined) yield* await behind;
      }
    }
    if (ahead !== undefined) yield* await ahead;
  }

  const readPart = async (part: readonly SizedBlob[]): Promise<BulkBlob[]> => {
    const fit = part.filter(({ size }) => typeof size === "number");
    const bodies = (
      await askAll(
        "contents",
        fit.map(({ id }) => id),
      )
    ).map(({ body }) => body);
    return part.map(({ id, size }) => {
      if (typeof size !== "number") return { id, bytes: undefined, why: size };
      return { id, bytes: bodies.shift() ?? Buffer.alloc(0) };
    });
  };

  return {
    readBlobs,
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

/** What is said when git ends, or cannot be started, before it gave all that it was asked for. */
export function catFileEnded(cause: Error | undefined): SealtreeError {
  return new SealtreeError("E_GIT_FAILED", "git cat-file ended early", {
    hints: [
      "git fsck says whether an object is damaged",
      "in a clone made with --filter, which leaves objects out: git fetch --refetch --no-filter",
    ],
    cause,
  });
}

interface SizedBlob {
  readonly id: string;
  readonly size: ReturnType<typeof sizeOf>;
}

/** The size of a blob that `info` answered for, or why it is not read. */
function sizeOf(header: string, maxBytes: number): number | "missing" | "not a blob" | "too large" {
  const [, type, size] = header.split(" ");
  if (type === "missing" || type === undefined) return "missing";
  if (type !== "blob") return "not a blob";
  return Number(size) > maxBytes ? "too large" : Number(size);
}

/** Parts of at most {@link bulkBytes}, or of one blob. */
function splitBySize(ids: readonly string[], sizes: readonly SizedBlob["size"][]): SizedBlob[][] {
  const parts: SizedBlob[][] = [];
  let total = Infinity;
  for (const [index, id] of ids.entries()) {
    const size = sizes[index] ?? "missing";
    const bytes = typeof size === "number" ? size : 0;
    if (total + bytes > bulkBytes) {
      parts.push([]);
      total = 0;
    }
    parts.at(-1)?.push({ id, size });
    total += bytes;
  }
  return parts;
}

/** Cuts git's output into replies: a header line, and for `contents` as many bytes as it names and a newline. */
class ReplyParser {
  readonly #emit: (reply: Reply) => void;
  readonly #expected: ("info" | "contents")[] = [];
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 0;

  constructor(emit: (reply: Reply) => void) {
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
