import { parseAddress } from "../../../../src/secret/address.ts";

/**
 * What makes the new values. `keys` and `keys by a program`: a service that makes keys, two an account;
 * `passwords`: we choose, and old and new are let in; `one key`: the old one ends when the new one is made, so
 * that a person starts the job; `by hand`: a person makes it; `generate`: only our own programs know it.
 */
export type Kind = "generate" | "keys" | "keys by a program" | "passwords" | "one key" | "by hand";

/** A secret of the team. */
export interface PlannedSecret {
  /** Such as `prod/api/SECRET_07`. */
  readonly address: string;
  readonly scope: string;
  readonly name: string;
  readonly kind: Kind;
  readonly intervalDays: number;
  /** Its account at the credential service. */
  readonly account: string;
  /** How many days before the first one it was set. */
  readonly age: number;
  /** By hand: how many days after it is due a person gets to it. */
  readonly personDays: number;
}

/** How long is simulated, and what there is. */
export interface Size {
  readonly days: number;
  /** Kind, interval in days, how many. */
  readonly groups: readonly (readonly [Kind, number, number])[];
}

/** A quarter. */
export const quarter: Size = {
  days: 90,
  groups: [
    ["generate", 7, 4],
    ["generate", 30, 8],
    ["generate", 90, 6],
    ["keys", 7, 2],
    ["keys", 30, 8],
    ["keys", 45, 6],
    ["keys", 90, 4],
    ["keys by a program", 30, 3],
    ["keys by a program", 45, 3],
    ["passwords", 30, 4],
    ["passwords", 90, 3],
    ["one key", 45, 3],
    ["by hand", 45, 3],
    ["by hand", 90, 3],
  ],
};

/** Some weeks of a small team, by the same code. */
export const weeks: Size = {
  days: 20,
  groups: [
    ["generate", 7, 1],
    ["generate", 15, 1],
    ["keys", 7, 2],
    ["keys", 15, 2],
    ["keys by a program", 7, 1],
    ["passwords", 7, 1],
    ["one key", 15, 1],
    ["by hand", 15, 1],
  ],
};

export const dayMs = 86_400_000;
/** Midnight of the first day, in UTC. */
export const firstDayMs = Date.parse("2026-01-01T00:00:00Z");
/** When a value becomes due. */
export const dueHour = 2;

/** Read by the member who leaves. */
export const leaversScope = "stage/app";
const scopes = ["prod/api", "prod/web", "prod/data", leaversScope, "ops/keys", "ops/mail"];

/** The day of a time, 0 for the first one. */
export function dayOf(ms: number): number {
  return Math.floor((ms - firstDayMs) / dayMs);
}

/** The same secrets for the same size, in groups. */
export function planSecrets({ groups }: Size, random: () => number): PlannedSecret[] {
  const planned: PlannedSecret[] = [];
  for (const [kind, intervalDays, count] of groups) {
    for (let each = 0; each < count; each++) {
      const index = planned.length;
      const scope = scopes[index % scopes.length] ?? "";
      const name = `SECRET_${String(index + 1).padStart(2, "0")}`;
      planned.push({
        address: `${scope}/${name}`,
        scope,
        name,
        kind,
        intervalDays,
        account: `account-${index + 1}`,
        // Spread, so that in a long run something is due on most days.
        age: 1 + Math.floor(((each + random()) / count) * intervalDays * 0.85),
        personDays: kind === "by hand" ? (each % 3 === 0 ? 3 : each % 3) : 0,
      });
    }
  }
  for (const { address } of planned) parseAddress(address);
  return planned;
}

/** Numbers from 0 to 1 that are the same for the same seed: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
