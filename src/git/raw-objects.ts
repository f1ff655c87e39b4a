import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { catFileEnded } from "./objects.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

/** Reads objects by their bytes, and checks that each is what its id says. Close it when done. */
export interface RawObjects {
  /**
   * The content of an object by full id. What is asked for in one turn of the event loop goes to
   * git in one piece. Throws E_OBJECT_INVALID when it is missing, of another type, larger than
   * 16 MiB, or not what its id says, and E_GIT_FAILED when git ended.
   */
  read(id: string, type: ObjectType): Promise<Uint8Array>;
  close(): void;
}

export type ObjectType = "commit" | "tree" | "blob";

interface Waiting {
  readonly id: string;
  readonly type: ObjectType;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

const maxObjectBytes = 16 * 1024 * 1024;
/** As long as git has work, it gets more of it only in pieces of this many objects. */
const leastAsked = 64;

/** Starts the one git process. It sees no replacement of objects, fetches nothing, and runs no filter. */
export function openRawObjects(place: GitPlace): RawObjects {
  const child = spawn("git", ["-c", "core.fsmonitor=false", "cat-file", "--batch-command", "--buffer"], {
    cwd: place.root,
    env: gitEnvironment(place.env),
    stdio: ["pipe", "pipe", "ignore"],
  });
  const queue: Waiting[] = [];
  const parser = new BatchParser((header, body) => {
    const waiting = queue.shift();
    if (waiting !== undefined) answer(waiting, header, body);
  });
  let failure: Error | undefined;
  let unsent: string[] = [];
  const isAnswered = () => queue.length === unsent.length;
  const fail = (cause: Error | undefined) => {
    failure ??= catFileEnded(cause);
    for (const waiting of queue.splice(0)) waiting.reject(failure);
  };
  child.stdout.on("data", (chunk: Buffer) => {
    parser.push(chunk);
    if (isAnswered()) setImmediate(send);
  });
  child.stdin.on("error", fail);
  child.on("error", fail);
  child.on("close", () => fail(undefined));
  /** Git is asked for many objects at a time: each message wakes it up. */
  const send = () => {
    if (unsent.length === 0 || (unsent.length < leastAsked && !isAnswered())) return;
    if (failure === undefined) child.stdin.write(`${unsent.join("")}flush\n`);
    unsent = [];
  };
  return {
    read: (id, type) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure);
          return;
        }
        unsent.push(`contents ${id}\n`);
        queue.push({ id, type, resolve, reject });
        if (unsent.length === leastAsked || isAnswered()) setImmediate(send);
      }),
    close() {
      child.removeAllListeners("close");
      child.stdin.end();
      child.kill();
    },
  };
}

/** `header` is `<id> <type> <size>`, or `<id> missing`; a body that is too large does not come. */
function answer({ id, type, resolve, reject }: Waiting, header: string, body: Uint8Array | undefined): void {
  const [, found = "missing"] = header.split(" ");
  const short = id.slice(0, 12);
  if (found === "missing") reject(invalid(`object ${short} is missing`));
  else if (found !== type) reject(invalid(`object ${short} is a ${found} where a ${type} belongs`));
  else if (body === undefined) reject(invalid(`object ${short} is larger than 16 MiB`));
  else if (idOf(type, body, id.length) !== id) reject(invalid(`object ${short} is not what its id says`));
  else resolve(body);
}

/** The id of an object: the hash of its type, length and content. */
function idOf(type: ObjectType, body: Uint8Array, idChars: number): string {
  const hash = createHash(idChars === 64 ? "sha256" : "sha1");
  return hash.update(`${type} ${body.length}\0`).update(body).digest("hex");
}

function invalid(what: string): SealtreeError {
  return new SealtreeError("E_OBJECT_INVALID", what, {
    hints: ["git fsck says more; if the clone is damaged, clone again"],
  });
}

/** Cuts the output of `cat-file` into answers: a header line and, where it names a size, a body and a line break. */
class BatchParser {
  readonly #emit: (header: string, body: Uint8Array | undefined) => void;
  #rest: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 1;
  /** Bytes of a body that is not kept. */
  #skipped = 0;

  constructor(emit: (header: string, body: Uint8Array | undefined) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    const skip = Math.min(this.#skipped, chunk.length);
    this.#skipped -= skip;
    this.#chunks.push(chunk.subarray(skip));
    this.#length += chunk.length - skip;
    if (this.#length < this.#needed) return;
    this.#rest = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    while (this.#next());
    this.#chunks = [this.#rest];
    this.#length = this.#rest.length;
  }

  #next(): boolean {
    const end = this.#rest.indexOf(10);
    this.#needed = this.#rest.length + 1;
    if (end < 0) return false;
    const header = this.#rest.toString("latin1", 0, end);
    const size = / ([0-9]+)$/.exec(header)?.[1];
    if (size === undefined) return this.#take(header, undefined, end + 1);
    const whole = end + 1 + Number(size) + 1;
    if (Number(size) > maxObjectBytes) {
      this.#skipped = Math.max(0, whole - this.#rest.length);
      return this.#take(header, undefined, Math.min(whole, this.#rest.length));
    }
    this.#needed = whole;
    return this.#rest.length >= whole && this.#take(header, this.#rest.subarray(end + 1, whole - 1), whole);
  }

  #take(header: string, body: Uint8Array | undefined, length: number): true {
    this.#rest = this.#rest.subarray(length);
    this.#emit(header, body);
    return true;
  }
}
