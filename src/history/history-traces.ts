import type { ScopePath } from "../secret/address.ts";
import { parseSecretsPath } from "../store/layout.ts";
import { scanReaders, type SeenReaders } from "./scan-readers.ts";
import { listSightings, parseSighting } from "./scan-scope.ts";

/** A commit as the outputs name it. */
export interface HistoryPoint {
  readonly commit: string;
  /** When it was committed, RFC 3339. */
  readonly at: string;
}

/** Where a value stood. Commits are counted from 0, parents before children; the work tree comes last. */
export interface ValueTrace {
  /** Generations it was sealed under, with the first commit. */
  readonly seals: ReadonlyMap<string, number>;
  /** Scopes in which it was a drop, with the first commit. */
  readonly drops: ReadonlyMap<ScopePath, number>;
}

/** What became of a reader of a generation. */
export interface ReaderTrace {
  /** The first commit that names the reader. */
  readonly first: number;
  /** The last commit that took the reader out of `wrapped_for`. */
  readonly lost: number | undefined;
}

export interface GenerationTrace {
  readonly scope: ScopePath;
  /** By `name fingerprint`. */
  readonly readers: ReadonlyMap<string, ReaderTrace>;
}

/** What the history says of who could read what. */
export interface ReadableHistory {
  /** By value id, whatever the scopes and names it stood under. */
  readonly values: ReadonlyMap<string, ValueTrace>;
  /** Value ids that ever stood at an address, by `scope/NAME`. */
  readonly past: ReadonlyMap<string, ReadonlySet<string>>;
  readonly generations: ReadonlyMap<string, GenerationTrace>;
  readonly warnings: readonly string[];
  /** False when something of the history is missing, so that more people may have read more. */
  readonly isComplete: boolean;
  /** The commit of a number; undefined for the work tree. */
  point(at: number): HistoryPoint | undefined;
}

const maxWarnings = 20;

/** {@link ReadableHistory} as it is gathered, version by version, oldest first. */
export class HistoryTraces implements ReadableHistory {
  readonly values = new Map<string, { seals: Map<string, number>; drops: Map<ScopePath, number> }>();
  readonly past = new Map<string, Set<string>>();
  readonly generations = new Map<string, { scope: ScopePath; readers: Map<string, ReaderTrace> }>();
  readonly #commits: string[] = [];
  readonly #times: number[] = [];
  readonly #warnings: string[] = [];
  #unsaid = 0;
  #isComplete = true;
  /** By path; what a file said before is not looked at again. */
  readonly #seen = new Map<string, Set<string>>();
  /** By object id of the generation file. */
  readonly #lists = new Map<string, { readonly generation: string } & SeenReaders>();

  get warnings(): readonly string[] {
    return this.#unsaid === 0 ? this.#warnings : [...this.#warnings, `and ${this.#unsaid} more like these`];
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Number of the work tree: after all commits. */
  get workTree(): number {
    return this.#commits.length;
  }

  point(at: number): HistoryPoint | undefined {
    const commit = this.#commits[at];
    if (commit === undefined) return undefined;
    return { commit, at: new Date((this.#times[at] ?? 0) * 1000).toISOString().replace(".000Z", "Z") };
  }

  /** How a warning names the place of a version. */
  sayCommit(at: number): string {
    return `passed over ${at < this.workTree ? `commit ${this.#commits[at]?.slice(0, 9) ?? ""}` : "the work tree"}`;
  }

  addCommit(commit: string, atSeconds: number): number {
    this.#times.push(atSeconds);
    return this.#commits.push(commit) - 1;
  }

  /** `isGap` when what is missing may name further readers. */
  warn(text: string, { isGap = false }: { isGap?: boolean } = {}): void {
    if (isGap) this.#isComplete = false;
    if (this.#warnings.length < maxWarnings) this.#warnings.push(text);
    else this.#unsaid += 1;
  }

  /** A version of a scope file or a journal. */
  addScopeFile(path: string, at: number, bytes: Uint8Array): void {
    const seen = this.#seen.get(path) ?? new Set<string>();
    this.#seen.set(path, seen);
    const scope = parseSecretsPath(path)?.scope;
    if (scope === undefined) return;
    for (const text of listSightings(bytes)) {
      if (seen.has(text)) continue;
      seen.add(text);
      const sighting = parseSighting(text);
      if (sighting === undefined) {
        if (text.startsWith("#")) continue;
        this.warn(`${this.sayCommit(at)}: ${path} has a line that is no record`);
        continue;
      }
      const { valueId, generation, name } = sighting;
      const trace = this.values.get(valueId) ?? {
        seals: new Map<string, number>(),
        drops: new Map<ScopePath, number>(),
      };
      this.values.set(valueId, trace);
      if (generation === undefined) keepLeast(trace.drops, scope, at);
      else keepLeast(trace.seals, generation, at);
      const address = `${scope}/${name}`;
      this.past.set(address, (this.past.get(address) ?? new Set()).add(valueId));
    }
  }

  /** A version of a generation file; `id` is its object id, for {@link addRewrap}. */
  addGeneration(path: string, at: number, id: string, bytes: Uint8Array): void {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "generation") return;
    const { generation, scope } = parsed;
    const lists = scanReaders(bytes);
    if (lists === undefined) {
      this.warn(`${this.sayCommit(at)}: ${path} does not say who can read it`, { isGap: true });
      return;
    }
    this.#lists.set(id, { generation, ...lists });
    const trace = this.generations.get(generation) ?? { scope, readers: new Map<string, ReaderTrace>() };
    this.generations.set(generation, trace);
    for (const reader of [...lists.mintedFor, ...lists.wrappedFor]) {
      const known = trace.readers.get(reader);
      if (known === undefined || known.first > at) trace.readers.set(reader, { first: at, lost: known?.lost });
    }
  }

  /** That a generation file was replaced, or removed when `after` is undefined. */
  addRewrap(at: number, before: string, after: string | undefined): void {
    const old = this.#lists.get(before);
    if (old === undefined) return;
    const kept = new Set(after === undefined ? [] : this.#lists.get(after)?.wrappedFor);
    const readers = this.generations.get(old.generation)?.readers;
    for (const reader of old.wrappedFor) {
      const known = readers?.get(reader);
      if (known !== undefined && !kept.has(reader))
        readers?.set(reader, { ...known, lost: Math.max(at, known.lost ?? 0) });
    }
  }
}

function keepLeast<K>(map: Map<K, number>, key: K, at: number): void {
  const known = map.get(key);
  if (known === undefined || known > at) map.set(key, at);
}
