import { printAddress, type Address } from "../secret/address.ts";
import { printDuration } from "./duration.ts";
import { builtIn, type RotationPolicy, type SecretFields } from "./policy.ts";

/** The place of the policy that a field of a rule is from. */
export type RuleSource = "secret" | "type" | "defaults" | "built in";

/** A field of a rule. */
export interface ExplainedField {
  /** As the policy writes it, such as `interval`. */
  readonly field: string;
  /** As the policy writes it; of `options` and `parts` the names alone. */
  readonly text: string;
  readonly source: RuleSource;
}

/** In the order of the table in docs/rotation.md. */
const order = ["rotator", "options", "interval", "at", "notice", "grace", "rollback", "owner", "runbook"] as const;

/**
 * Every field of the rule of a secret that says something, with the place it is from; undefined
 * when `secrets` does not name it. `options` are from where the rotator is from, as they come with it.
 */
export function explainRule(policy: RotationPolicy, address: Address): readonly ExplainedField[] | undefined {
  const own = policy.secrets.get(printAddress(address));
  if (own === undefined) return undefined;
  const type = own.type === undefined ? undefined : policy.types.get(own.type);
  const places: readonly (readonly [RuleSource, SecretFields])[] = [
    ["secret", own],
    ["type", type ?? {}],
    ["defaults", policy.defaults],
    ["built in", builtIn],
  ];
  const chosen = places.find(([, fields]) => fields.rotator !== undefined);
  const all = places.map(([source, { options, ...fields }]) => {
    const isChosen = source === chosen?.[0] && options !== undefined;
    return [source, isChosen ? { ...fields, options } : fields] as const;
  });
  const found = new Set(all.flatMap(([, fields]) => Object.keys(fields)));
  const names = [...order.filter((name) => found.has(name)), ...[...found].filter((name) => !isOrdered(name))];
  return names
    .filter((name) => name !== "type")
    .flatMap((field): ExplainedField[] => {
      const place = all.find(([, fields]) => field in fields);
      if (place === undefined) return [];
      const [source, fields] = place;
      return [{ field, text: printField(field, new Map<string, unknown>(Object.entries(fields)).get(field)), source }];
    });
}

function isOrdered(name: string): boolean {
  return order.some((known) => known === name);
}

function printField(field: string, value: unknown): string {
  if (typeof value === "number") return field === "at" ? printTimeOfDay(value) : printDuration(value);
  if (typeof value === "object" && value !== null) return Object.keys(value).join(", ");
  return String(value);
}

function printTimeOfDay(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}
