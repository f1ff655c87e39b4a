import type { OnProgress, WriteProgress } from "../store/write.ts";
import type { Context } from "./context.ts";
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

/** Work on this many things or fewer is over before a bar can be read. */
const fewest = 2;
const barWidth = 24;
const counted = { opening: "scope", sealing: "scope", writing: "file", committing: "" } as const;

/**
 * Does a write while a bar on stderr says how far it is, and takes the bar away when it ends,
 * also by an error. It shows nothing unless that is a terminal, and nothing for a few scopes.
 */
export async function withProgress<T>(
  { io }: Pick<Context, "io">,
  write: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const progress = startProgress(io.stderr);
  let isLong = false;
  let shown = "";
  try {
    return await write((at) => {
      isLong ||= at.total > fewest;
      const text = isLong ? printBar(at) : "";
      if (text !== shown) progress.show(text);
      shown = text;
    });
  } finally {
    progress.end();
  }
}

/** `sealing    [######------------------] 120 of 500 scopes` */
function printBar({ phase, done, total }: WriteProgress): string {
  if (total === 0) return phase;
  const full = Math.floor((barWidth * done) / total);
  return `${phase.padEnd("committing".length)} [${"#".repeat(full).padEnd(barWidth, "-")}] ${done} of ${total} ${counted[phase]}s`;
}
