/** Text such as `90d`: a whole number and a unit. */
export type Duration = string & { readonly __brand: "Duration" };

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const durationText = /^([1-9][0-9]{0,4})([mhdw])$/;

/** One day, in milliseconds. */
export const dayMs = unitsMs.d;

/** True for 1 to 99999 and `m`, `h`, `d` or `w`: minutes, hours, days, weeks. */
export function isDuration(text: string): text is Duration {
  return durationText.test(text);
}

/** A duration in milliseconds. A day has 24 hours. */
export function durationMs(text: Duration): number {
  const [, amount = "", unit = ""] = durationText.exec(text) ?? [];
  return Number(amount) * unitsMs[unit as keyof typeof unitsMs];
}

/** A length of time as a policy writes it, in the largest unit that fits: `90d`, `24h`, `5m`. Weeks become days. */
export function printDuration(ms: number): string {
  if (ms % unitsMs.d === 0) return `${ms / unitsMs.d}d`;
  return ms % unitsMs.h === 0 ? `${ms / unitsMs.h}h` : `${Math.round(ms / unitsMs.m)}m`;
}
