import type { SealtreeError } from "../errors.ts";
import type { Address } from "../secret/address.ts";
import { printAddress } from "../secret/address.ts";
import { Latency } from "./latency.ts";
import { maskedFailure } from "./masked-failure.ts";
import { isFailed, type Provider } from "./provider.ts";
import type { SourceHealth, SourceMetrics } from "./repository.ts";
import type { ProvidedValue } from "./runtime-secret.ts";
import type { Secret } from "../secret/secret.ts";

/** What a source answers for its addresses: values and failures, both by `scope/NAME`. */
export interface Answers {
  readonly values: ReadonlyMap<string, ProvidedValue>;
  readonly failures: ReadonlyMap<string, SealtreeError>;
}

/** A provider, and how it does. Never throws: what fails is an answer. */
export class SourceWatch {
  readonly provider: Provider;
  readonly #clock: () => number;
  readonly #latency = new Latency();
  #reads = 0;
  #failures = 0;
  #inARow = 0;
  #answeredAtMs: number | undefined;
  #last: SealtreeError | undefined;

  /** `clock` gives milliseconds, of which only differences count. */
  constructor(provider: Provider, clock: () => number) {
    this.provider = provider;
    this.#clock = clock;
  }

  async read(addresses: readonly Address[], known: () => Iterable<Secret>): Promise<Answers> {
    const startMs = this.#clock();
    this.#reads += 1;
    const values = new Map<string, ProvidedValue>();
    const failures = new Map<string, SealtreeError>();
    const { name } = this.provider;
    try {
      const reasons = new Map<unknown, SealtreeError>();
      for (const [address, provided] of await this.provider.read(addresses)) {
        if (!isFailed(provided)) {
          values.set(address, provided);
          continue;
        }
        const failure = reasons.get(provided.failure) ?? maskedFailure(provided.failure, name, known());
        reasons.set(provided.failure, failure);
        failures.set(address, failure);
      }
    } catch (error) {
      const failure = maskedFailure(error, name, known());
      for (const address of addresses) failures.set(printAddress(address), failure);
    }
    this.#note([...failures.values()].at(-1), startMs);
    return { values, failures };
  }

  health(): SourceHealth {
    return {
      name: this.provider.name,
      status: this.#reads === 0 ? "unused" : this.#last === undefined ? "ok" : "failing",
      code: this.#last?.code,
      message: this.#last?.message,
      failuresInARow: this.#inARow,
      answeredAgoMs: this.#answeredAtMs === undefined ? undefined : this.#clock() - this.#answeredAtMs,
    };
  }

  metrics(): SourceMetrics {
    const { name } = this.provider;
    return { name, reads: this.#reads, failures: this.#failures, latency: this.#latency.summary() };
  }

  #note(failure: SealtreeError | undefined, startMs: number): void {
    const nowMs = this.#clock();
    this.#latency.record(nowMs - startMs);
    this.#last = failure;
    this.#inARow = failure === undefined ? 0 : this.#inARow + 1;
    if (failure === undefined) this.#answeredAtMs = nowMs;
    else this.#failures += 1;
  }
}
