import { describe, expect, it } from "vitest";
import { Latency } from "../../src/runtime/latency.ts";
import { printMetrics } from "../../src/runtime/metrics-text.ts";
import { ProviderFailure } from "../../src/net/provider-failure.ts";
import { createReader, fakeProvider } from "./fake-provider.ts";

const sampleLine = /^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (?:[0-9.e+-]+|\+Inf)$/;

describe("latency", () => {
  it("gives the bound that half, 95 % and 99 % are within", () => {
    const latency = new Latency();
    for (let index = 1; index <= 100; index += 1) latency.record(index <= 50 ? 0.003 : index <= 95 ? 0.3 : 40);
    expect(latency.summary()).toMatchObject({ count: 100, p50Ms: 0.005, p95Ms: 0.5, p99Ms: 50 });
    expect(latency.summary().buckets.at(-1)).toEqual({ leMs: 10_000, count: 100 });
  });

  it("is nothing before the first, and beyond all bounds for what is longer", () => {
    const latency = new Latency();
    expect(latency.summary()).toMatchObject({ count: 0, p50Ms: 0, p99Ms: 0 });
    latency.record(1e9);
    expect(latency.summary()).toMatchObject({ p50Ms: Infinity, sumMs: 1e9 });
  });
});

describe("metrics", () => {
  it("count reads by how they were answered, and calls by source", async () => {
    const vault = fakeProvider("vault", { "prod/api/KEY": "v" });
    const { reader, clock } = createReader([vault]);
    await reader.get("prod/api/KEY");
    await reader.get("prod/api/KEY");
    await reader.get("prod/api/NONE").catch(() => undefined);
    vault.failure = new ProviderFailure("transient", "it is not there");
    clock.advance(60_000);
    await reader.get("prod/api/KEY");
    const metrics = reader.metrics();
    expect(metrics).toMatchObject({ reads: 4, hitRate: 0.25, results: { hit: 1, miss: 1, stale: 1, error: 1 } });
    expect(metrics.cachedLatency.count + metrics.uncachedLatency.count).toBe(4);
    expect(metrics.sources).toMatchObject([{ name: "vault", reads: 3, failures: 1 }]);
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
  });

  it("are text that Prometheus reads, without a name of a secret", async () => {
    const { reader } = createReader([fakeProvider('odd "name"\n\\', { "prod/api/CANARY": "canary" })]);
    await reader.get("prod/api/CANARY");
    const text = printMetrics(reader.metrics());
    const lines = text.trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("# ") && !sampleLine.test(line))).toEqual([]);
    expect(text).toContain('sealtree_library_reads_total{result="miss"} 1\n');
    expect(text).toContain('sealtree_library_source_reads_total{source="odd \\"name\\"\\n\\\\"} 1\n');
    expect(text.toLowerCase()).not.toContain("canary");
    const typed = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
    expect(new Set(typed).size).toBe(typed.length);
    for (const name of typed)
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${name}(?:_bucket)?[ {]`)));
  });
});

describe("the documented load", () => {
  // docs/library.md, "How much the cache spares": keep the two together.
  const load = { secrets: 200, requestsPerSecond: 20, secretsPerRequest: 5, seconds: 600, cacheMs: 60_000 };

  it("is answered by the cache for more than 90 % of reads", async () => {
    const names = Array.from({ length: load.secrets }, (_, index) => `prod/api/S${index}`);
    const vault = fakeProvider("vault", Object.fromEntries(names.map((name) => [name, "v"])));
    const { reader, clock } = createReader([vault], { cacheMs: load.cacheMs, maxEntries: 1000 });
    const random = linearRandom(7);
    for (let request = 0; request < load.seconds * load.requestsPerSecond; request += 1) {
      clock.advance(1000 / load.requestsPerSecond);
      const wanted = Array.from({ length: load.secretsPerRequest }, () => names[random(load.secrets)] ?? "");
      await Promise.all(wanted.map((name) => reader.get(name)));
    }
    const { hitRate, reads } = reader.metrics();
    expect(reads).toBe(60_000);
    expect(hitRate).toBeGreaterThan(0.9);
    expect(hitRate).toBeLessThan(1);
  });
});

/** Numbers below a limit, all equally often and the same on every run (Numerical Recipes, ranqd1). */
function linearRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
