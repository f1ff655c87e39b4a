import type { CrashPoint } from "../../../../src/rotation/crash-points.ts";
import type { Cut, Place } from "./cut.ts";
import type { Case, CaseResult } from "./run-case.ts";
import type { Scenario } from "./scenarios.ts";

/** A case that was run. */
export interface RanCase {
  readonly done: Case;
  readonly result: CaseResult;
}

/** The places of the points that a run reached, in order. */
function toPlaces(points: readonly string[]): Place[] {
  const seen = new Map<string, number>();
  return points.map((point) => {
    const occurrence = (seen.get(point) ?? 0) + 1;
    seen.set(point, occurrence);
    return { point: point as CrashPoint, occurrence };
  });
}

/** Every way to spoil one run of a scenario that reaches `points`. */
export function planSingles(scenario: Scenario, points: readonly string[]): Case[] {
  const places = toPlaces(points);
  const pushes = points.filter((point) => point === "push:before").map((_, index) => index + 1);
  const cuts: Cut[] = [
    ...places.map((place): Cut => ({ how: "kill", ...place })),
    ...places.map((place): Cut => ({ how: "throw", ...place })),
    ...pushes.map((nth): Cut => ({ how: "lost answer", nth })),
    ...pushes.map((nth): Cut => ({
      how: "signal",
      signal: nth % 2 === 0 ? "SIGINT" : "SIGTERM",
      request: "push",
      nth,
    })),
    { how: "signal", signal: "SIGINT", request: "fetch refs", nth: 1 },
    { how: "signal", signal: "SIGTERM", request: "push refs", nth: 1 },
  ];
  return cuts.map((cut, index) => ({ scenario, cuts: [cut], onSameMachine: index % 2 === 0 }));
}

/** `most` crashes of runs that recovered from a SIGKILL, spread over where they and the first were. */
export function planDoubles(singles: readonly RanCase[], most: number): Case[] {
  const killed = singles.filter(({ done }) => done.cuts[0]?.how === "kill");
  return spread(killed, most).flatMap(({ done, result }, index) => {
    const places = toPlaces(result.recovery);
    // Relatively prime to the lengths of most runs, so that no point is left out.
    const place = places[(index * 7) % places.length];
    if (place === undefined) return [];
    const second: Cut = { how: index % 3 === 2 ? "throw" : "kill", ...place };
    return [{ ...done, cuts: [...done.cuts, second] }];
  });
}

/** `most` of `all`, evenly spread. */
export function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, index) => all[Math.floor(((index + 0.5) * all.length) / most)]).filter(
    (each) => each !== undefined,
  );
}
