import { Latency } from "./latency.ts";
import type { Metrics, ReadResult } from "./repository.ts";

/** Counts reads. */
export class ReadCounts {
  readonly #results: Record<ReadResult, number> = { hit: 0, miss: 0, stale: 0, error: 0 };
  readonly #cached = new Latency();
  readonly #uncached = new Latency();
  rotations = 0;

  record(result: ReadResult, durationMs: number, isCached: boolean): void {
    this.#results[result] += 1;
    (isCached ? this.#cached : this.#uncached).record(durationMs);
  }

  metrics(more: Pick<Metrics, "entries" | "evictions" | "listenerFailures" | "sources">): Metrics {
    const results = { ...this.#results };
    const reads = results.hit + results.miss + results.stale + results.error;
    return {
      reads,
      results,
      hitRate: reads === 0 ? 0 : results.hit / reads,
      rotations: this.rotations,
      cachedLatency: this.#cached.summary(),
      uncachedLatency: this.#uncached.summary(),
      ...more,
    };
  }
}
