import type { GitPlace } from "./place.ts";
import { idOrNone, streamLog } from "./stream-log.ts";

/** A file that a commit has otherwise than its parent, than each parent of a merge, or than an empty tree. */
export interface CommitChange {
  readonly path: string;
  /** Full object ids in the parents; undefined where the file was not there. */
  readonly before: readonly (string | undefined)[];
  /** Full object id; undefined where the file is removed. */
  readonly after: string | undefined;
  /** Such as 100644; 120000 is a symbolic link, 160000 a submodule, 000000 a removed file. */
  readonly mode: string;
}

/** A commit and what it changed. All texts are as their writer wrote them. */
export interface ChangeCommit {
  /** Full id. */
  readonly commit: string;
  readonly author: { readonly name: string; readonly email: string };
  /** When it was committed, RFC 3339. */
  readonly at: string;
  /** Value of the trailer that was asked for; undefined when it has none. */
  readonly trailer: string | undefined;
  readonly subject: string;
  /** First line of the message below its subject; empty when there is none. */
  readonly firstLine: string;
  readonly changes: readonly CommitChange[];
}

export interface ChangeHistoryOptions {
  /** Full id of the commit whose history is read. */
  readonly from: string;
  /** Files and folders. */
  readonly paths: readonly string[];
  /** Key of the trailer to read. */
  readonly trailer: string;
  /**
   * `topo` keeps the commits of one line of history together, `date` goes by their times; `first`
   * gives the newest commit and no others, without a look at the rest.
   */
  readonly order: "topo" | "date" | "first";
}

const infoFields = 7;

/**
 * The commits that explain the files at or below some paths as `from` has them, every commit
 * before its parents. A merge that takes a file from one of its parents is not among them, nor is
 * a line of history that the merge left aside. One git process, read as it comes; who stops
 * reading ends it. Throws E_GIT_FAILED.
 */
export async function* readChangeHistory(
  place: GitPlace,
  { from, paths, trailer, order }: ChangeHistoryOptions,
): AsyncGenerator<ChangeCommit, void, void> {
  const format = `--format=%x01%H%x00%an%x00%ae%x00%cI%x00%(trailers:key=${trailer},valueonly,separator=%x2C)%x00%s%x00%b`;
  const args = [
    "--diff-merges=combined",
    order === "first" ? "--max-count=1" : `--${order}-order`,
    format,
    from,
    "--",
    ...paths,
  ];
  const parser = new ChangeParser();
  for await (const chunk of streamLog(place, args)) yield* parser.push(chunk);
  yield* parser.end();
}

/**
 * Reads what `log -z --raw` prints: fields that end with NUL. A commit begins with 0x01 and has a
 * fixed number of fields, a change has two: modes, ids and status, and the path.
 */
class ChangeParser {
  #rest: Uint8Array = Buffer.alloc(0);
  #info: string[] = [];
  #change: Omit<CommitChange, "path"> | undefined;
  #current: (Omit<ChangeCommit, "changes"> & { changes: CommitChange[] }) | undefined;

  /** The commits that are whole. */
  push(chunk: Buffer): ChangeCommit[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const done: ChangeCommit[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0, start); end >= 0; end = bytes.indexOf(0, start)) {
      const isNew = this.#info.length === 0 && this.#change === undefined && bytes[start] === 1;
      if (isNew) done.push(...this.end());
      if (isNew || this.#info.length > 0) this.#takeInfo(bytes.toString("utf8", isNew ? start + 1 : start, end));
      else this.#takeChange(bytes.toString("utf8", start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return done;
  }

  /** The last commit. */
  end(): ChangeCommit[] {
    const last = this.#current;
    this.#current = undefined;
    return last === undefined ? [] : [last];
  }

  #takeInfo(text: string): void {
    this.#info.push(text);
    if (this.#info.length < infoFields) return;
    const [commit = "", name = "", email = "", at = "", trailer = "", subject = "", body = ""] = this.#info;
    this.#info = [];
    this.#current = {
      commit,
      author: { name, email },
      at,
      trailer: trailer === "" ? undefined : trailer,
      subject,
      firstLine: body.split("\n", 1)[0] ?? "",
      changes: [],
    };
  }

  #takeChange(text: string): void {
    if (this.#change !== undefined) {
      this.#current?.changes.push({ path: text, ...this.#change });
      this.#change = undefined;
      return;
    }
    const [colons] = /:+/.exec(text) ?? [];
    // A merge has an empty field above its changes.
    if (colons === undefined) return;
    const words = text.slice(text.indexOf(colons) + colons.length).split(" ");
    const parents = colons.length;
    const ids = words.slice(parents + 1, 2 * parents + 2).map(idOrNone);
    this.#change = { before: ids.slice(0, parents), after: ids[parents], mode: words[parents] ?? "" };
  }
}
