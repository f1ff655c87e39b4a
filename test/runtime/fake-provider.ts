import type { Provided, Provider } from "../../src/runtime/provider.ts";
import { SecretReader, type ReaderSettings } from "../../src/runtime/secret-reader.ts";
import { SourceWatch } from "../../src/runtime/source-watch.ts";
import { printAddress } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";

/** A source in memory that counts what it is asked for. */
export interface FakeProvider extends Provider {
  /** Texts by address; what is not in it is not there. */
  readonly values: Map<string, string>;
  readonly ids: Map<string, string>;
  /** Every call, with its addresses. */
  readonly calls: (readonly string[])[];
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Awaited by every call before it answers. */
  gate: Promise<void> | undefined;
}

export function fakeProvider(name: string, values: Readonly<Record<string, string>> = {}): FakeProvider {
  const provider: FakeProvider = {
    name,
    values: new Map(Object.entries(values)),
    ids: new Map(),
    calls: [],
    failure: undefined,
    gate: undefined,
    takes: () => true,
    async read(addresses) {
      const asked = addresses.map(printAddress);
      provider.calls.push(asked);
      await provider.gate;
      if (provider.failure !== undefined) throw provider.failure;
      return new Map(
        asked.flatMap((address): (readonly [string, Provided])[] => {
          const text = provider.values.get(address);
          return text === undefined
            ? []
            : [[address, { value: Secret.text(text), valueId: provider.ids.get(address) }]];
        }),
      );
    },
  };
  return provider;
}

/** Holds back all answers until the result is called. */
export function closeGate(provider: FakeProvider): () => void {
  let open: () => void = () => undefined;
  provider.gate = new Promise((resolve) => {
    open = resolve;
  });
  return () => open();
}

/** A clock that stands still until it is moved, with timers that fire as it passes them. */
export class ManualClock {
  #nowMs = 1000;
  readonly #timers = new Set<{ readonly intervalMs: number; nextMs: number; readonly work: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  every(intervalMs: number, work: () => void): () => void {
    const timer = { intervalMs, nextMs: this.#nowMs + intervalMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#timers) {
      for (; timer.nextMs <= this.#nowMs; timer.nextMs += timer.intervalMs) timer.work();
    }
  }

  get timers(): number {
    return this.#timers.size;
  }
}

/** A reader over providers in memory: a cache of a minute, stale for an hour, a retry after 10 s. */
export function createReader(providers: readonly Provider[], settings: Partial<ReaderSettings> = {}) {
  const clock = new ManualClock();
  const sources = providers.map((provider) => new SourceWatch(provider, () => clock.now()));
  const reader = new SecretReader({
    sources,
    cacheMs: 60_000,
    staleMs: 3_600_000,
    retryMs: 10_000,
    maxEntries: 100,
    watchMs: 60_000,
    clock: () => clock.now(),
    every: (intervalMs, work) => clock.every(intervalMs, work),
    ...settings,
  });
  return { reader, clock, sources };
}
