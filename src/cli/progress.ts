import type { OutputStream } from "./io.ts";

/** A line that shows how far long work is. */
export interface Progress {
  /** Shows `text` in place of what was shown before. */
  show(text: string): void;
  /** Takes the line away. */
  end(): void;
}

/** A progress line on `stream`; it shows nothing unless that is a terminal. */
export function startProgress(stream: OutputStream): Progress {
  const isShown = stream.isTTY === true;
  const clear = "\r\u001b[2K";
  return {
    show(text) {
      if (isShown) stream.write(clear + text.slice(0, Math.max(0, (stream.columns ?? 80) - 1)));
    },
    end() {
      if (isShown) stream.write(clear);
    },
  };
}
