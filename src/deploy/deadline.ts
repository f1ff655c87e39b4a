import { ProviderFailure } from "../net/provider-failure.ts";

/** The time that a whole run has. It stands still while somebody is asked. */
export class Deadline {
  #leftMs: number;
  #startedAt: number | undefined = performance.now();

  constructor(leftMs: number) {
    this.#leftMs = leftMs;
  }

  /** Never below 0. */
  leftMs(): number {
    const passed = this.#startedAt === undefined ? 0 : performance.now() - this.#startedAt;
    return Math.max(0, this.#leftMs - passed);
  }

  pause(): void {
    this.#leftMs = this.leftMs();
    this.#startedAt = undefined;
  }

  resume(): void {
    this.#startedAt ??= performance.now();
  }

  /** What `work` gives, if it is over in time. Throws ProviderFailure `unknown` when the time is over. */
  async race<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const end = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // A timer may fire a moment early, and what is over stays so.
        this.#leftMs = 0;
        reject(overdue());
      }, this.leftMs());
    });
    try {
      return await Promise.race([work, end]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function overdue(): ProviderFailure {
  return new ProviderFailure("unknown", "the time for this run was over", {
    hints: ["run the same command again: it goes on with what is left", "or give it longer: --deadline 15m"],
  });
}
