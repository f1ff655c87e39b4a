import { SealtreeError, usageError } from "../errors.ts";
import { parseAddress } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { ReadCounts } from "./read-counts.ts";
import { readByPrecedence, type Outcome } from "./read-by-precedence.ts";
import { ReadQueue } from "./read-queue.ts";
import type { Metrics, ReadResult, RotationListener } from "./repository.ts";
import { RotationWatch } from "./rotation-watch.ts";
import type { RuntimeSecret } from "./runtime-secret.ts";
import { SecretCache, type CacheEntry } from "./secret-cache.ts";
import type { SourceWatch } from "./source-watch.ts";

/** How a reader works. Times are in milliseconds. */
export interface ReaderSettings {
  /** In the order of their precedence. */
  readonly sources: readonly SourceWatch[];
  /** How long a value is handed out again without anybody being asked; 0 keeps none. */
  readonly cacheMs: number;
  /** How long beyond that it may be handed out while its source fails. */
  readonly staleMs: number;
  /** How long after a failure the source is left alone. */
  readonly retryMs: number;
  readonly maxEntries: number;
  /** How often watched secrets are looked at. */
  readonly watchMs: number;
  /** A clock of which only differences count. */
  clock(): number;
  /** Does work again and again until the result is called. Keeps no process alive. */
  every(intervalMs: number, work: () => void): () => void;
}

/**
 * Reads secrets through a cache. A value that is kept is handed out without a look at any source or the
 * disk. What is asked for together is read together, and one address is read once at a time. That there
 * is no value is never kept.
 */
export class SecretReader {
  readonly #settings: ReaderSettings;
  readonly #cache: SecretCache;
  readonly #queue: ReadQueue;
  readonly #watch = new RotationWatch();
  readonly #counts = new ReadCounts();
  #epoch = 0;
  #stopWatching: (() => void) | undefined;
  #isClosed = false;

  constructor(settings: ReaderSettings) {
    this.#settings = settings;
    this.#cache = new SecretCache(settings.maxEntries);
    const known = (): Iterable<Secret> => this.#cache.entries().map(({ secret }) => secret.toSecret());
    this.#queue = new ReadQueue(async (addresses) => {
      const epoch = this.#epoch;
      const outcomes = await readByPrecedence(settings.sources, addresses, known);
      const kept = [...outcomes].map(([text, outcome]) => [text, this.#keep(text, outcome, epoch)] as const);
      return new Map(kept);
    });
  }

  /** The secret at `text`. Throws E_SECRET_NOT_FOUND, E_ADDRESS_INVALID, and what its source failed with. */
  get(text: string): Promise<RuntimeSecret> {
    const startMs = this.#settings.clock();
    const entry = this.#cache.find(text);
    if (entry === undefined || startMs >= entry.freshUntilMs) return this.#fetch(text, startMs);
    this.#counts.record(entry.isStale ? "stale" : "hit", this.#settings.clock() - startMs, true);
    return Promise.resolve(entry.secret);
  }

  /** Forgets one address, or all: the next read asks the sources. */
  invalidate(text?: string): void {
    this.#epoch += 1;
    this.#queue.forget();
    this.#cache.forget(text);
  }

  /** Reads all that is kept or watched anew, whatever is being read now. Gives the addresses with another value. */
  async refresh(): Promise<readonly string[]> {
    this.#epoch += 1;
    this.#queue.forget();
    return await this.#readAgain([...new Set([...this.#cache.addresses(), ...this.#watch.addresses()])]);
  }

  /** Calls `listener` when another value is seen at an address. Gives what ends that. */
  onRotated(text: string, listener: RotationListener): () => void {
    this.#checkOpen();
    const address = parseAddress(text);
    const seen = this.#cache.find(text)?.secret;
    const remove = this.#watch.add(text, listener, seen);
    // A failure is no matter here: health shows it, and the next look tries again.
    if (seen === undefined) this.#queue.ask(address).catch(() => undefined);
    this.#stopWatching ??= this.#settings.every(this.#settings.watchMs, () => {
      void this.#readAgain(this.#watch.addresses());
    });
    return () => {
      remove();
      if (this.#watch.addresses().length === 0) this.#endWatching();
    };
  }

  metrics(): Metrics {
    return this.#counts.metrics({
      entries: this.#cache.addresses().length,
      evictions: this.#cache.evictions,
      listenerFailures: this.#watch.failures,
      sources: this.#settings.sources.map((source) => source.metrics()),
    });
  }

  /** How many values can be handed out now, also if no source answers. */
  get usableEntries(): number {
    const nowMs = this.#settings.clock();
    return this.#cache.entries().filter(({ staleUntilMs }) => nowMs < staleUntilMs).length;
  }

  /** How many values are handed out beyond their time. */
  get staleEntries(): number {
    return this.#cache.entries().filter(({ isStale }) => isStale).length;
  }

  /** Forgets all values. Reads throw from here on. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.invalidate();
    this.#endWatching();
    this.#watch.clear();
    for (const { provider } of this.#settings.sources) await provider.close?.();
  }

  async #fetch(text: string, startMs: number): Promise<RuntimeSecret> {
    this.#checkOpen();
    const count = (result: ReadResult) => this.#counts.record(result, this.#settings.clock() - startMs, false);
    let outcome: Outcome;
    try {
      outcome = await this.#queue.ask(parseAddress(text));
    } catch (error) {
      count("error");
      throw error;
    }
    if (outcome.kind === "found") {
      count(this.#cache.find(text)?.isStale === true ? "stale" : "miss");
      return outcome.secret;
    }
    count("error");
    throw outcome.kind === "failed" ? outcome.failure : this.#notFound(text);
  }

  /** Puts an outcome into the cache. What is kept stands in for a source that fails, within its limit. */
  #keep(text: string, outcome: Outcome, epoch: number): Outcome {
    const { cacheMs, staleMs, retryMs } = this.#settings;
    const nowMs = this.#settings.clock();
    if (epoch !== this.#epoch || this.#isClosed) return outcome;
    const old = this.#cache.find(text);
    const isPoor = outcome.kind === "failed" || (outcome.kind === "found" && outcome.passedOver !== undefined);
    if (isPoor && old !== undefined && nowMs < old.staleUntilMs) return this.#keepStale(old, nowMs + retryMs);
    if (outcome.kind !== "found") {
      if (outcome.kind === "missing") this.#cache.forget(text);
      return outcome;
    }
    const { secret } = outcome;
    const before = old?.secret ?? this.#watch.seen(text);
    this.#watch.note(text, secret);
    if (cacheMs > 0) {
      const freshUntilMs = nowMs + (isPoor ? Math.min(cacheMs, retryMs) : cacheMs);
      this.#cache.store(text, { secret, freshUntilMs, staleUntilMs: freshUntilMs + staleMs, isStale: false });
    }
    if (before !== undefined && secret.isRotatedFrom(before)) {
      this.#counts.rotations += 1;
      this.#watch.tell(text);
    }
    return outcome;
  }

  #keepStale(entry: CacheEntry, untilMs: number): Outcome {
    entry.freshUntilMs = Math.min(untilMs, entry.staleUntilMs);
    entry.isStale = true;
    return { kind: "found", secret: entry.secret, passedOver: undefined };
  }

  async #readAgain(texts: readonly string[]): Promise<readonly string[]> {
    this.#checkOpen();
    const before = new Map(texts.map((text) => [text, this.#cache.find(text)?.secret ?? this.#watch.seen(text)]));
    const reads = await Promise.allSettled(texts.map((text) => this.#queue.ask(parseAddress(text))));
    return texts.filter((text, index) => {
      const [read, old] = [reads[index], before.get(text)];
      const found = read?.status === "fulfilled" && read.value.kind === "found" ? read.value.secret : undefined;
      return found !== undefined && old !== undefined && found.isRotatedFrom(old);
    });
  }

  #endWatching(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw usageError("the repository was closed", "open it again: openRepository()");
  }

  #notFound(text: string): SealtreeError {
    const names = this.#settings.sources.map(({ provider }) => provider.name);
    return new SealtreeError("E_SECRET_NOT_FOUND", `no secret ${text} in ${names.join(", ")}`, {
      hints: [`sealtree list ${text.slice(0, text.lastIndexOf("/"))} shows what the repository has`],
    });
  }
}
