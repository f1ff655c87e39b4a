import type { Readable, Writable } from "node:stream";
import type { OutputMask } from "./output-mask.ts";

/** How long output may pause, once the child is gone, before a pipe its children hold is given up. */
const drainPauseMs = 500;

/** Copies a child's output, masked, no faster than the reader takes it. */
export class OutputCopy {
  readonly #source: Readable;
  readonly #done: Promise<void>;
  #isDraining = false;
  #isReading = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Readable, target: Writable, mask: OutputMask | undefined) {
    this.#source = source;
    this.#done = this.#copy(target, mask);
    // Rejected before drain() is called, it would end the process.
    this.#done.catch(() => {});
  }

  /**
   * Resolves when all output is written. Called once the child is gone: a pipe that something
   * else holds open is then given up as soon as nothing comes from it.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#isReading) this.#watch();
    await this.#done;
  }

  /** A reader that is gone closes the child's end too, so the child learns of it. */
  async #copy(target: Writable, mask: OutputMask | undefined): Promise<void> {
    const stop = () => this.#source.destroy();
    target.on("error", stop).on("close", stop);
    try {
      for await (const chunk of this.#source as AsyncIterable<Uint8Array>) {
        this.#isReading = false;
        clearTimeout(this.#timer);
        await write(target, mask?.push(chunk) ?? chunk);
        this.#isReading = true;
        if (this.#isDraining) this.#watch();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
    } finally {
      this.#isReading = false;
      clearTimeout(this.#timer);
    }
    await write(target, mask?.end() ?? Buffer.alloc(0));
    target.off("error", stop).off("close", stop);
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // The pipe is polled once more between a timer and an immediate.
      const timer = this.#timer;
      setImmediate(() => {
        if (this.#isReading && timer === this.#timer) this.#source.destroy();
      });
    }, drainPauseMs);
  }
}

async function write(target: Writable, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0 || target.destroyed) return;
  await new Promise<void>((resolve) => {
    target.write(bytes, () => resolve());
  });
}
