import { usageError } from "../errors.ts";
import type { TargetProgress } from "../deploy/target-job.ts";
import type { Context } from "./context.ts";
import { startProgress } from "./progress.ts";

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const usualDeadlineMs = 5 * 60_000;

/** The time a run has, in milliseconds. Throws E_USAGE. */
export function parseDeadline(written: unknown): number {
  if (written === undefined) return usualDeadlineMs;
  const [, amount = "", unit = ""] =
    typeof written === "string" ? (/^([1-9][0-9]{0,4})([smh])$/.exec(written) ?? []) : [];
  if (amount === "") throw usageError("--deadline takes a time, such as 90s, 15m or 1h");
  return Number(amount) * unitsMs[unit as keyof typeof unitsMs];
}

/** What the targets are at, in one line on a terminal. */
export function showTargets({ io }: Context): { show(progress: TargetProgress): void; end(): void } {
  const line = startProgress(io.stderr);
  const now = new Map<string, string>();
  return {
    show({ target, phase, done, total }) {
      if (phase === "over") now.delete(target);
      else now.set(target, phase === "sending" ? `${target} ${done} of ${total}` : `${target} ${phase}`);
      line.show([...now.values()].join(", "));
    },
    end() {
      now.clear();
      line.end();
    },
  };
}
