import { readSealedHeader } from "../crypto/sealed-header.ts";
import type { Address, ScopePath } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { rotationPolicyPath } from "../store/layout.ts";
import { valueKey } from "./exposed.ts";
import { generateValue, type GeneratorSpec } from "./generator-spec.ts";
import type { ValueSources } from "./generators/generator.ts";
import { bindRotator, hasProvider } from "./rotators/registry.ts";
import { isDue, type StatusEntry } from "./status.ts";

/** What is to be rotated. */
export type Selection =
  | { readonly kind: "secret"; readonly address: Address; readonly spec?: GeneratorSpec | undefined }
  | { readonly kind: "scope"; readonly scope: ScopePath }
  | { readonly kind: "due" }
  | { readonly kind: "all" }
  /**
   * Values that somebody could read, by `valueKey`; a secret with another value by now is left
   * alone. Not complete when the history is not, so that there may be more.
   */
  | { readonly kind: "exposed"; readonly values: ReadonlySet<string>; readonly isComplete: boolean };

/** `emergency`: the present values are not to be trusted any more, whatever the schedule says. */
export type Urgency = "planned" | "emergency";

/** A secret that gets a new value, and where that comes from. */
export interface Rotation {
  readonly entry: StatusEntry;
  readonly draw: (sources: ValueSources) => Promise<Secret>;
  /** What was asked for in place of what the rule says. */
  readonly spec: GeneratorSpec | undefined;
}

/** A secret that was asked for and does not get a new value. */
export interface NotRotated {
  readonly entry: StatusEntry;
  readonly reason: string;
  /** True when the value should have been rotated now, so that somebody must act. */
  readonly isNeeded: boolean;
}

export interface SelectedRotations {
  readonly rotations: readonly Rotation[];
  /** Secrets whose credential is changed at its provider. */
  readonly atProvider: readonly StatusEntry[];
  readonly notRotated: readonly NotRotated[];
}

/**
 * What of `entries` a selection rotates and what it cannot, with the reason. `due` takes what
 * is due; a secret, a scope and `all` take everything in them, due or not, but a secret with
 * the interval `never` only by name, when it is exposed, or in an emergency. Of what is exposed,
 * and in an emergency, all is needed.
 */
export function selectRotations(
  entries: readonly StatusEntry[],
  selection: Selection,
  urgency: Urgency,
): SelectedRotations {
  const rotations: Rotation[] = [];
  const atProvider: StatusEntry[] = [];
  const notRotated: NotRotated[] = [];
  for (const entry of entries.filter((candidate) => isSelected(candidate, selection))) {
    const spec = selection.kind === "secret" ? selection.spec : undefined;
    const draw = findDraw(entry, spec);
    const isPressing = urgency === "emergency" || selection.kind === "exposed";
    const isKept = entry.rule?.intervalMs === "never" && selection.kind !== "secret" && !isPressing;
    if (!isKept && spec === undefined && isAtProvider(entry)) atProvider.push(entry);
    else if (draw !== undefined && !isKept) rotations.push({ entry, draw, spec });
    else
      notRotated.push({
        entry,
        reason: isKept ? "its interval is never" : whyNot(entry),
        isNeeded: isDue(entry) || isPressing,
      });
  }
  return { rotations, atProvider, notRotated };
}

/** True for a secret whose rule changes a credential at its provider. */
export function isAtProvider({ rule }: StatusEntry): boolean {
  return rule !== undefined && hasProvider(rule.rotator);
}

function isSelected(entry: StatusEntry, selection: Selection): boolean {
  switch (selection.kind) {
    case "secret":
      return entry.address.scope === selection.address.scope && entry.address.name === selection.address.name;
    case "scope":
      return entry.address.scope === selection.scope;
    case "due":
      return isDue(entry);
    case "all":
      return true;
    case "exposed":
      return selection.values.has(valueKey({ ...entry.address, valueId: readSealedHeader(entry.record).valueId }));
  }
}

function findDraw({ rule }: StatusEntry, spec: GeneratorSpec | undefined): Rotation["draw"] | undefined {
  if (spec !== undefined) return async (sources) => await generateValue(spec, sources);
  return rule === undefined ? undefined : bindRotator(rule.rotator, rule.options);
}

function whyNot({ rule }: StatusEntry): string {
  if (rule === undefined) return `no rule in ${rotationPolicyPath}`;
  const owner = rule.owner === undefined ? "" : `, owner ${rule.owner}`;
  return `rotator ${rule.rotator}${owner}${rule.runbook === undefined ? "" : `, runbook ${rule.runbook}`}`;
}
