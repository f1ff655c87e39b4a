import type { Exposure, ExposedValue } from "../history/exposure.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { ruleFor, type RotationPolicy } from "./policy.ts";
import { bindRotator } from "./rotators/registry.ts";

/** Who gives a secret its new value, and how. */
export interface RotationWay {
  readonly rotator: string;
  readonly owner: string | undefined;
  readonly runbook: string | undefined;
  /** False when a person must do it. */
  readonly isAutomatic: boolean;
}

/** How the policy says an exposed value is to be rotated; undefined without a rule. */
export function findWay(policy: RotationPolicy, address: Address): RotationWay | undefined {
  const rule = ruleFor(policy, address);
  if (rule === undefined) return undefined;
  const { rotator, owner, runbook, options } = rule;
  return { rotator, owner, runbook, isAutomatic: bindRotator(rotator, options) !== undefined };
}

/** Names a value in a selection: `prod/api/STRIPE_KEY 9f02c1d4aabbccdd`. */
export function valueKey(value: Pick<ExposedValue, "scope" | "name" | "valueId">): string {
  return `${printAddress(value)} ${value.valueId}`;
}

/** The values of an exposure, for a selection: a secret that has another value by then is not in it. */
export function valueKeys({ exposed }: Exposure): ReadonlySet<string> {
  return new Set(exposed.map(valueKey));
}
