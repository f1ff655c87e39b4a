import type { LatencySummary, Metrics } from "./repository.ts";

/** One sample: labels, and the number. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * Metrics in the text format of Prometheus (exposition format 0.0.4). The labels are results and names
 * of sources; no secret is named.
 */
export function printMetrics(metrics: Metrics): string {
  const { results, sources } = metrics;
  const counters: readonly (readonly [name: string, help: string, samples: readonly Sample[]])[] = [
    [
      "reads_total",
      "Secrets that were asked for.",
      Object.entries(results).map(([result, count]) => [{ result }, count]),
    ],
    ["rotations_total", "New values that were seen.", [[{}, metrics.rotations]]],
    ["evictions_total", "Values that went for want of room.", [[{}, metrics.evictions]]],
    ["listener_failures_total", "Listeners of onRotated that threw.", [[{}, metrics.listenerFailures]]],
    ["source_reads_total", "Calls of a source.", sources.map(({ name, reads }) => [{ source: name }, reads])],
    ["source_failures_total", "Calls that failed.", sources.map(({ name, failures }) => [{ source: name }, failures])],
  ];
  return [
    ...counters.flatMap(([name, help, samples]) => printFamily(name, "counter", help, printSamples(name, samples))),
    ...printFamily("entries", "gauge", "Values that are kept.", printSamples("entries", [[{}, metrics.entries]])),
    ...printFamily("read_seconds", "histogram", "How long a read took.", [
      ...printHistogram("read_seconds", { answered_by: "cache" }, metrics.cachedLatency),
      ...printHistogram("read_seconds", { answered_by: "source" }, metrics.uncachedLatency),
    ]),
    ...printFamily(
      "source_seconds",
      "histogram",
      "How long a call of a source took.",
      sources.flatMap(({ name, latency }) => printHistogram("source_seconds", { source: name }, latency)),
    ),
    "",
  ].join("\n");
}

const prefix = "sealtree_library_";

function printFamily(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${type}`, ...samples];
}

function printSamples(name: string, samples: readonly Sample[]): string[] {
  return samples.map(([labels, value]) => `${prefix}${name}${printLabels(labels)} ${value}`);
}

function printHistogram(name: string, labels: Readonly<Record<string, string>>, latency: LatencySummary): string[] {
  const { buckets, count, sumMs } = latency;
  return [
    ...printSamples(
      `${name}_bucket`,
      buckets.map((bucket) => [{ ...labels, le: String(bucket.leMs / 1000) }, bucket.count]),
    ),
    ...printSamples(`${name}_bucket`, [[{ ...labels, le: "+Inf" }, count]]),
    ...printSamples(`${name}_sum`, [[labels, sumMs / 1000]]),
    ...printSamples(`${name}_count`, [[labels, count]]),
  ];
}

function printLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
