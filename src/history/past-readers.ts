import type { GitPlace } from "../git/place.ts";
import type { Address, ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { DropReaders } from "./drop-readers.ts";
import type { HistoryPoint, HistoryTraces } from "./history-traces.ts";
import { readLiveValues } from "./live-values.ts";
import { readReadableHistory, type HistoryRange } from "./readable-history.ts";
import { splitReader } from "./scan-readers.ts";

/** Somebody who could at some time read a value that is in force. */
export interface PastReader {
  readonly name: string;
  /** Keys that could open it, sorted. */
  readonly fingerprints: readonly string[];
  /** The first commit whose history had all it takes; undefined when that is not committed. */
  readonly first: HistoryPoint | undefined;
  /** The last commit that took one of their keys out of the keyring; undefined when none did. */
  readonly last: HistoryPoint | undefined;
  /** The secrets whose present value they could read. */
  readonly secrets: readonly SecretName[];
}

export interface PastReaders {
  /** By name. */
  readonly readers: readonly PastReader[];
  /** How many values in force were looked at. */
  readonly values: number;
  readonly isComplete: boolean;
  readonly warnings: readonly string[];
}

export interface PastReadersRequest extends HistoryRange {
  /** A scope, or one secret of it. */
  readonly target: { readonly scope: ScopePath; readonly name?: SecretName };
  /** Whether the work tree counts beside the commit. */
  readonly withWorkTree: boolean;
}

interface Gathered {
  first: number;
  last: number | undefined;
  readonly fingerprints: Set<string>;
  readonly secrets: Set<SecretName>;
}

/**
 * Everybody who could ever read the value that a secret has now, or one of those of a scope, by
 * the same rule as findExposure. Needs no key.
 */
export async function listPastReaders(place: GitPlace, request: PastReadersRequest): Promise<PastReaders> {
  const { target } = request;
  const traces = await readReadableHistory(place, request);
  const live = (await readLiveValues(place, traces, request)).filter(
    ({ scope, name }) => scope === target.scope && (target.name === undefined || name === target.name),
  );
  const drops = new DropReaders(place, traces);
  const found = new Map<string, Gathered>();
  for (const value of live) {
    for (const { reader, first, last } of await listReadersOf(traces, drops, value)) {
      const { name, fingerprint } = splitReader(reader);
      const known = found.get(name) ?? { first, last, fingerprints: new Set<string>(), secrets: new Set<SecretName>() };
      known.first = Math.min(known.first, first);
      if (last !== undefined) known.last = Math.max(known.last ?? last, last);
      known.fingerprints.add(fingerprint);
      known.secrets.add(value.name);
      found.set(name, known);
    }
  }
  const readers = [...found].map(([name, { first, last, fingerprints, secrets }]) => ({
    name,
    fingerprints: [...fingerprints].sort(compareText),
    first: traces.point(first),
    last: last === undefined ? undefined : traces.point(last),
    secrets: [...secrets].sort(compareText),
  }));
  const { isComplete, warnings } = traces;
  return { readers: readers.sort((a, b) => compareText(a.name, b.name)), values: live.length, isComplete, warnings };
}

async function listReadersOf(traces: HistoryTraces, drops: DropReaders, value: Address & { readonly valueId: string }) {
  const { seals, drops: dropped } = traces.values.get(value.valueId) ?? {};
  const found: { readonly reader: string; readonly first: number; readonly last: number | undefined }[] = [];
  for (const [generation, sealed] of seals ?? []) {
    const readers = traces.generations.get(generation)?.readers;
    if (readers === undefined)
      traces.warn(`${value.scope}/${value.name} was sealed under a generation that the history does not have`, {
        isGap: true,
      });
    for (const [reader, { first, lost }] of readers ?? [])
      found.push({ reader, first: Math.max(first, sealed), last: lost });
  }
  for (const [scope, at] of dropped ?? [])
    for (const reader of (await drops.listReaders(scope, at)) ?? []) found.push({ reader, first: at, last: undefined });
  return found;
}
