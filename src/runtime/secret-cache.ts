import type { RuntimeSecret } from "./runtime-secret.ts";

/** A value that was read, and how long it may be handed out again. Times are of the cache's clock. */
export interface CacheEntry {
  readonly secret: RuntimeSecret;
  /** Until then it is handed out without anybody being asked. */
  freshUntilMs: number;
  /** Until then it may be handed out while its source fails. */
  readonly staleUntilMs: number;
  /** True while it is handed out for want of a source that answers. */
  isStale: boolean;
}

/** The values that were read last, at most `maxEntries`; of more, the one that was not used for longest goes. */
export class SecretCache {
  readonly #entries = new Map<string, CacheEntry>();
  readonly #maxEntries: number;
  #evictions = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** The entry of an address, fresh or not. */
  find(address: string): CacheEntry | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined) return undefined;
    // A map keeps the order of insertion: last in is last to go.
    this.#entries.delete(address);
    this.#entries.set(address, entry);
    return entry;
  }

  store(address: string, entry: CacheEntry): void {
    this.#entries.delete(address);
    this.#entries.set(address, entry);
    if (this.#entries.size <= this.#maxEntries) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#evictions += 1;
  }

  /** Forgets one address, or all of them. */
  forget(address?: string): void {
    if (address === undefined) this.#entries.clear();
    else this.#entries.delete(address);
  }

  addresses(): readonly string[] {
    return [...this.#entries.keys()];
  }

  entries(): readonly CacheEntry[] {
    return [...this.#entries.values()];
  }

  get evictions(): number {
    return this.#evictions;
  }
}
