import type { GitPlace } from "./place.ts";
import { idOrNone, streamLog } from "./stream-log.ts";

/** A file that a commit has otherwise than its first parent, or than an empty tree when it is a first commit. */
export interface PathChange {
  readonly path: string;
  /** Full object id; undefined where the file was not there. */
  readonly before: string | undefined;
  /** Full object id; undefined where the file is removed. */
  readonly after: string | undefined;
  /** Such as 100644; 120000 is a symbolic link, 160000 a submodule, 000000 a removed file. */
  readonly mode: string;
}

export interface PathCommit {
  /** Full id. */
  readonly commit: string;
  /** When it was committed, in seconds since 1970, as the commit says; 0 when that is no time. */
  readonly atSeconds: number;
  readonly changes: readonly PathChange[];
}

export interface PathHistoryOptions {
  /** Full id of the commit whose history is read. */
  readonly from: string;
  /** Full id of a commit whose history is left out. */
  readonly without?: string | undefined;
  /** Reads the history of all refs too, such as other branches and the stash. */
  readonly allRefs: boolean;
  /** Files and folders; all when there are none. */
  readonly paths: readonly string[];
}

/** Nothing is left out: what a merge has like its first parent, an earlier commit has too. */
const whole = ["--date-order", "--reverse", "--full-history", "--diff-merges=first-parent"];

/**
 * Every commit that changed files at or below some paths, parents before children, else by date.
 * Every version of every such file is the `after` of some change: no side of a merge is left out,
 * and no setting of the user changes what is listed. One git process, read as it comes. Throws
 * E_GIT_FAILED.
 */
export async function* readPathHistory(
  place: GitPlace,
  { from, without, allRefs, paths }: PathHistoryOptions,
): AsyncGenerator<PathCommit, void, void> {
  const args = [
    ...whole,
    "--format=%x01%H%x00%ct",
    ...(allRefs ? ["--all"] : []),
    from,
    ...(without === undefined ? [] : [`^${without}`]),
    "--",
    ...paths,
  ];
  const parser = new HistoryParser();
  for await (const chunk of streamLog(place, args)) yield* parser.push(chunk);
  yield* parser.end();
}

/** Reads what `log -z --raw` prints: fields that end with NUL; a commit begins with 0x01, a change is two fields. */
class HistoryParser {
  #rest: Uint8Array = Buffer.alloc(0);
  #expected: "any" | "time" | "path" = "any";
  #change: Omit<PathChange, "path"> | undefined;
  #current: { commit: string; atSeconds: number; changes: PathChange[] } | undefined;

  /** The commits that are whole. */
  push(chunk: Buffer): PathCommit[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const done: PathCommit[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0, start); end >= 0; end = bytes.indexOf(0, start)) {
      if (this.#expected === "any" && bytes[start] === 1) done.push(...this.end());
      this.#take(bytes, start, end);
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return done;
  }

  /** The last commit. */
  end(): PathCommit[] {
    const last = this.#current;
    this.#current = undefined;
    return last === undefined ? [] : [last];
  }

  #take(bytes: Buffer, start: number, end: number): void {
    const expected = this.#expected;
    this.#expected = "any";
    if (expected === "path") {
      if (this.#change !== undefined)
        this.#current?.changes.push({ path: bytes.toString("utf8", start, end), ...this.#change });
    } else if (expected === "time") {
      const atSeconds = Number(bytes.toString("latin1", start, end));
      if (this.#current !== undefined && isTime(atSeconds)) this.#current.atSeconds = atSeconds;
    } else if (bytes[start] === 1) {
      this.#current = { commit: bytes.toString("latin1", start + 1, end), atSeconds: 0, changes: [] };
      this.#expected = "time";
    } else {
      const [, mode = "", before = "", after = ""] = bytes.toString("latin1", start, end).trimStart().split(" ");
      this.#change = { mode, before: idOrNone(before), after: idOrNone(after) };
      this.#expected = "path";
    }
  }
}

/** True for seconds that a Date can hold. */
function isTime(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && Math.abs(seconds) <= 8.64e12;
}
