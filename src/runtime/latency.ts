import type { LatencySummary } from "./repository.ts";

/** Upper bounds of the buckets, in milliseconds; what is longer is in none of them. */
const boundsMs = [0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000, 5000, 10_000] as const;

/** Counts durations in buckets, so that it is as large after a year as after a minute. */
export class Latency {
  readonly #counts = new Uint32Array(boundsMs.length + 1);
  #count = 0;
  #sumMs = 0;

  record(durationMs: number): void {
    const bucket = boundsMs.findIndex((bound) => durationMs <= bound);
    const index = bucket < 0 ? boundsMs.length : bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += durationMs;
  }

  summary(): LatencySummary {
    let total = 0;
    const buckets = boundsMs.map((leMs, index) => ({ leMs, count: (total += this.#counts[index] ?? 0) }));
    const quantile = (share: number) =>
      this.#count === 0 ? 0 : (buckets.find(({ count }) => count >= share * this.#count)?.leMs ?? Infinity);
    return {
      count: this.#count,
      sumMs: this.#sumMs,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      buckets,
    };
  }
}
