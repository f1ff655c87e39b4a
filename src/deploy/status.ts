import type { PlanStep } from "./plan.ts";
import type { LookedTarget } from "./run-targets.ts";

/**
 * How one item stands. `missing`: it is not there; `changed`: another value is, or should be, there;
 * `left over`: ours, and nobody wants it any more; `not ours`: somebody else has the name; `unknown`:
 * it is there, and whether with this value cannot be told.
 */
export type ItemState = "in sync" | "missing" | "changed" | "left over" | "not ours" | "unknown";

export interface ItemStatus {
  readonly name: string;
  readonly address: string;
  readonly state: ItemState;
  readonly reason: string;
}

/** How a target stands. Never `in sync` for what cannot be read. */
export interface TargetStatus {
  readonly state: "in sync" | "drift" | "unknown";
  readonly items: readonly ItemStatus[];
  /** Why nothing, or not all, can be said; undefined when it can. */
  readonly unknown: string | undefined;
}

/** How a target stands that was looked at. */
export function statusOf({ job, failure }: LookedTarget): TargetStatus {
  if (failure !== undefined) return { state: "unknown", items: [], unknown: failure.message };
  const items = job.steps.map(toItem);
  const hasDrift = items.some(({ state }) => state !== "in sync" && state !== "unknown");
  const unknown = items.find(({ state }) => state === "unknown")?.reason;
  return { state: hasDrift ? "drift" : unknown === undefined ? "in sync" : "unknown", items, unknown };
}

function toItem({ name, address, action, reason, isSeen }: PlanStep): ItemStatus {
  return { name, address, reason, state: action === "same" && !isSeen ? "unknown" : states[action] };
}

const states: Readonly<Record<PlanStep["action"], ItemState>> = {
  create: "missing",
  update: "changed",
  same: "in sync",
  conflict: "not ours",
  remove: "left over",
  "left over": "left over",
  blocked: "unknown",
};
