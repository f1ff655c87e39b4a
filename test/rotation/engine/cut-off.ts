import { crashPoints, type CrashPoint } from "../../../src/rotation/crash-points.ts";
import type { ModelKind } from "./model-provider.ts";

const hook = Symbol.for("sealtree.crash-point");

/** A place in a run: the `occurrence`-th time, from 1, that `point` is reached. */
export interface CrashPlace {
  readonly point: CrashPoint;
  readonly occurrence: number;
}

/** Where the pending value of a rotation is recorded, and the provider does not have it from us. */
export const pendingAt: Readonly<Record<ModelKind, CrashPlace>> = {
  "two users": { point: "push:after", occurrence: 1 },
  "many passwords": { point: "push:after", occurrence: 1 },
  "two keys": { point: "push:after", occurrence: 2 },
  "one slot": { point: "push:after", occurrence: 2 },
};

/** Where the provider has it, too. */
export const provedAt: CrashPlace = { point: "probe:after", occurrence: 1 };

class Cut extends Error {}

/** The points that `work` reaches, in order. */
export async function recordPlaces(work: () => Promise<unknown>): Promise<CrashPlace[]> {
  const places: CrashPlace[] = [];
  const seen = new Map<CrashPoint, number>();
  await hooked((point) => {
    const occurrence = (seen.get(point) ?? 0) + 1;
    seen.set(point, occurrence);
    places.push({ point, occurrence });
  }, work);
  return places;
}

/** Runs `work` until it reaches the place, and no further. False when it came to its end before. */
export async function cutOff({ point, occurrence }: CrashPlace, work: () => Promise<unknown>): Promise<boolean> {
  let count = 0;
  try {
    await hooked((reached) => {
      if (reached === point && ++count >= occurrence) throw new Cut(point);
    }, work);
    return false;
  } catch (error) {
    if (error instanceof Cut) return true;
    throw error;
  }
}

async function hooked(onPoint: (point: CrashPoint) => void, work: () => Promise<unknown>): Promise<void> {
  Reflect.set(globalThis, hook, (point: string) => {
    if (!isRegistered(point)) throw new Error(`the point ${point} is not registered`);
    onPoint(point);
  });
  try {
    await work();
  } finally {
    Reflect.deleteProperty(globalThis, hook);
  }
}

function isRegistered(point: string): point is CrashPoint {
  return (crashPoints as readonly string[]).includes(point);
}
