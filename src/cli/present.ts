import { styleText } from "node:util";
import type { OutputStream } from "./io.ts";
import type { Environment } from "../git/place.ts";

/** What stands for a value wherever one is not shown; its length says nothing. */
export const mask = "••••••••";

export type Style = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";

/** Gives text a style on a terminal that wants colour, and leaves it plain elsewhere. */
export function painter(stream: OutputStream, env: Environment): (style: Style, text: string) => string {
  const isForced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  const wants = isForced || (stream.isTTY === true && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb");
  return (style, text) => (wants ? styleText(style, text, { validateStream: false }) : text);
}

/** Rows as aligned columns, two spaces apart, without trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleWidth(cell)))
      .join("  ")
      .trimEnd(),
  );
}

/** `3 days ago`, `in 2 hours`, `just now`. Both times in milliseconds since 1970. */
export function relativeTime(timeMs: number, nowMs: number): string {
  const seconds = Math.round((timeMs - nowMs) / 1000);
  const units = [
    ["year", 31_536_000],
    ["month", 2_592_000],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ] as const;
  const unit = units.find(([, size]) => Math.abs(seconds) >= size);
  if (unit === undefined) return "just now";
  const count = Math.floor(Math.abs(seconds) / unit[1]);
  const amount = `${count} ${unit[0]}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `${amount} ago` : `in ${amount}`;
}

/** `1 secret`, `3 secrets`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/** How many columns of a terminal `text` takes, its colours apart. */
export function visibleWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex -- colour codes take no room
  return Array.from(text.replaceAll(/\u001b\[[0-9;]*m/g, "")).length;
}
