import { printAddress, type Address } from "../secret/address.ts";
import type { Outcome } from "./read-by-precedence.ts";

/** Reads many addresses in one go. */
export type ReadMany = (addresses: readonly Address[]) => Promise<ReadonlyMap<string, Outcome>>;

interface Waiting {
  readonly address: Address;
  readonly flight: Promise<Outcome>;
  resolve(outcome: Outcome): void;
  reject(reason: unknown): void;
}

/**
 * Makes one read of what is asked for in the same turn, and one flight of what is asked for while it
 * is being read.
 */
export class ReadQueue {
  readonly #readMany: ReadMany;
  readonly #flights = new Map<string, Promise<Outcome>>();
  #waiting: Map<string, Waiting> | undefined;

  constructor(readMany: ReadMany) {
    this.#readMany = readMany;
  }

  ask(address: Address): Promise<Outcome> {
    const text = printAddress(address);
    const flight = this.#flights.get(text);
    if (flight !== undefined) return flight;
    let waiting: Omit<Waiting, "flight"> = { address, resolve: () => undefined, reject: () => undefined };
    const started = new Promise<Outcome>((resolve, reject) => {
      waiting = { address, resolve, reject };
    });
    this.#queue().set(text, { ...waiting, flight: started });
    this.#flights.set(text, started);
    return started;
  }

  /** What was asked for before is joined by nobody any more. */
  forget(): void {
    this.#flights.clear();
    this.#waiting = undefined;
  }

  #queue(): Map<string, Waiting> {
    if (this.#waiting !== undefined) return this.#waiting;
    const waiting = new Map<string, Waiting>();
    this.#waiting = waiting;
    queueMicrotask(() => {
      if (this.#waiting === waiting) this.#waiting = undefined;
      void this.#land(waiting);
    });
    return waiting;
  }

  async #land(waiting: ReadonlyMap<string, Waiting>): Promise<void> {
    const settle = (tell: (text: string, each: Waiting) => void) => {
      for (const [text, each] of waiting) {
        if (this.#flights.get(text) === each.flight) this.#flights.delete(text);
        tell(text, each);
      }
    };
    try {
      const outcomes = await this.#readMany([...waiting.values()].map(({ address }) => address));
      settle((text, each) => each.resolve(outcomes.get(text) ?? { kind: "missing" }));
    } catch (error) {
      settle((_text, each) => each.reject(error));
    }
  }
}
