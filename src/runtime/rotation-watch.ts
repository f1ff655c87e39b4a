import type { RotationListener } from "./repository.ts";
import type { RuntimeSecret } from "./runtime-secret.ts";

/** Who wants to know of which secret, and which value of it was seen last. */
export class RotationWatch {
  readonly #listeners = new Map<string, Set<{ readonly listener: RotationListener }>>();
  readonly #seen = new Map<string, RuntimeSecret>();
  #failures = 0;

  /** Adds a listener, from `seen` on where that is known. Gives what takes it away again. */
  add(address: string, listener: RotationListener, seen: RuntimeSecret | undefined): () => void {
    const all = this.#listeners.get(address) ?? new Set();
    this.#listeners.set(address, all);
    if (seen !== undefined && !this.#seen.has(address)) this.#seen.set(address, seen);
    const own = { listener };
    all.add(own);
    return () => {
      all.delete(own);
      if (all.size > 0 || this.#listeners.get(address) !== all) return;
      this.#listeners.delete(address);
      this.#seen.delete(address);
    };
  }

  /** The value of an address that was seen last; undefined for one that nobody watches. */
  seen(address: string): RuntimeSecret | undefined {
    return this.#seen.get(address);
  }

  note(address: string, secret: RuntimeSecret): void {
    if (this.#listeners.has(address)) this.#seen.set(address, secret);
  }

  /** Calls the listeners of an address. What one of them throws stops neither the others nor a read. */
  tell(address: string): void {
    for (const { listener } of this.#listeners.get(address) ?? [])
      void Promise.resolve()
        .then(() => listener(address))
        .catch(() => {
          this.#failures += 1;
        });
  }

  addresses(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  clear(): void {
    this.#listeners.clear();
    this.#seen.clear();
  }

  /** Calls of listeners that threw. */
  get failures(): number {
    return this.#failures;
  }
}
