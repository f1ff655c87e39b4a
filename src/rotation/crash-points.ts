/**
 * Every place where a rotation may be cut off with an effect half done, by name. The crash tests
 * cut it off at each, so an effect without a point here would be one that nobody proved.
 */
export const crashPoints = [
  "choose:after",
  "inventory:after",
  "mint:before",
  "mint:after",
  "roll:before",
  "roll:after",
  "apply:before",
  "apply:after",
  "probe:after",
  "suspend:before",
  "suspend:after",
  "resume:before",
  "resume:after",
  "revoke:before",
  "revoke:after",
  "commit:after",
  "push:before",
  "push:after",
  "advance:before",
] as const;

export type CrashPoint = (typeof crashPoints)[number];

const hook = Symbol.for("sealtree.crash-point");

/** Does nothing, unless a test has put a function in this place that throws or ends the process. */
export function reachPoint(point: CrashPoint): void {
  const reached: unknown = Reflect.get(globalThis, hook);
  if (typeof reached === "function") Reflect.apply(reached, undefined, [point]);
}
