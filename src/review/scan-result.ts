import { parseSecretsPath } from "../store/layout.ts";
import { matchesPatterns } from "../access/scope-pattern.ts";
import type { ContentSearch, Found, TextSearch } from "./content-search.ts";

/** Stands for a value in the name of a file. */
const nameMask = "[masked]";

/** The first commit that has a content. */
export interface ScanCommit {
  /** Full id. */
  readonly id: string;
  /** When it was committed, in seconds since 1970. */
  readonly atSeconds: number;
}

/** A place where a value or a token stands; it holds no byte of it. */
export interface ScanFinding {
  /** From the root of the repository, or absolute for what is outside; a value in it is masked. */
  readonly file: string;
  /** Both undefined for the file's name. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly commit: ScanCommit | undefined;
  readonly found: Found;
}

/** A file that was to be searched and was not. */
export interface UnreadFile {
  readonly file: string;
  readonly why: string;
}

export interface ScanResult {
  readonly findings: readonly ScanFinding[];
  /** How many files were searched, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** How many findings a mark in their line allows. */
  readonly allowed: number;
  /** How many findings there are beyond those listed of a file. */
  readonly more: number;
  readonly unread: readonly UnreadFile[];
}

/** Says how far a scan is, in files. */
export type OnScanProgress = (done: number, total: number) => void;

/** Collects what is found in file after file. */
export class ScanCollector implements ScanResult {
  readonly findings: ScanFinding[] = [];
  readonly unread: UnreadFile[] = [];
  files = 0;
  bytes = 0;
  allowed = 0;
  more = 0;
  readonly #search: ContentSearch;
  readonly #excludes: readonly string[];

  /** `excludes` are globs of files that are left out. */
  constructor(search: ContentSearch, excludes: readonly string[]) {
    this.#search = search;
    this.#excludes = excludes.flatMap((glob) => expandGlob(glob));
  }

  /** True for a file that is to be searched: one that is not sealed, and not excluded. */
  takes(path: string): boolean {
    const isExcluded = this.#excludes.length > 0 && matchesPatterns(this.#excludes, path.replace(/^\/+/, ""), "");
    return !isExcluded && parseSecretsPath(path) === undefined;
  }

  /** Searches a file, and its name. `read` pushes its bytes, or gives a reason why they cannot be read. */
  async add(
    path: string,
    read: (text: Pick<TextSearch, "push">) => Promise<string | undefined> | string | undefined,
    commit?: ScanCommit,
  ): Promise<void> {
    const name = this.#search.maskIn(path, nameMask);
    const text = this.#search.open();
    let bytes = 0;
    const why = await read({
      push(chunk) {
        bytes += chunk.length;
        text.push(chunk);
      },
    });
    if (why !== undefined) {
      this.unread.push({ file: name.text, why });
      return;
    }
    const { hits, more, allowed } = text.end();
    this.files += 1;
    this.bytes += bytes;
    this.allowed += allowed;
    this.more += more;
    const place = { file: name.text, commit };
    for (const found of name.found) this.findings.push({ ...place, line: undefined, column: undefined, found });
    for (const { line, column, found } of hits) this.findings.push({ ...place, line, column, found });
  }
}

/** A glob as patterns of paths: one without a slash means a name at any depth, and a folder all that is below. */
function expandGlob(glob: string): string[] {
  const plain = glob.replace(/^\.?\//, "").replace(/\/+$/, "");
  const base = plain.includes("/") ? plain : `**/${plain}`;
  return [base, `${base}/**`];
}
