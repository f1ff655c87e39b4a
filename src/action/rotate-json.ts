import { remoteHints } from "./remote-hints.ts";

/** What `sealtree rotate --json` prints, as far as the Action shows it. */
export interface RotateJson {
  readonly rotated: readonly { readonly address: string }[];
  readonly not_rotated: readonly { readonly address: string; readonly reason: string; readonly needed: boolean }[];
  readonly unreadable: readonly { readonly scope: string; readonly message: string }[];
  readonly at_providers: readonly {
    readonly address: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly message?: string;
    readonly code?: string | null;
    /** What to do next, one line each. */
    readonly hints?: readonly string[];
    /** Required targets that lack the new value. */
    readonly targets?: readonly string[];
  }[];
  readonly postponed: readonly string[];
  readonly targets: readonly {
    readonly target: string;
    readonly in_order: boolean;
    readonly reasons: readonly string[];
  }[];
  /** Secrets of the whole repository that no rule names. */
  readonly without_rule: number;
  readonly branch: string | null;
  readonly trunk: string | null;
  readonly unmerged: {
    readonly values: readonly string[];
    readonly graces: readonly string[];
    readonly steps: readonly string[];
  } | null;
  readonly markdown?: string;
}

const open = ["failed", "refused", "busy", "awaits delivery"];

/** What became of a secret that its rule leaves to people. */
export const byHand = "by hand";

/** The secrets that have a new value, or in a dry run would have one. */
export function listDone(json: RotateJson, isDryRun: boolean): string[] {
  const kind = isDryRun ? "ready" : "rotated";
  return [
    ...json.rotated.map(({ address }) => address),
    ...json.at_providers.filter(({ outcome }) => outcome === kind).map(({ address }) => address),
  ];
}

/** What is left to do: a name, what became of it, and why. */
export function listFailed(json: RotateJson): string[][] {
  return [
    ...json.at_providers
      .filter(({ outcome }) => open.includes(outcome))
      .map((it) => [it.address, it.outcome, it.message ?? it.reason ?? it.targets?.join(", ") ?? ""]),
    ...json.not_rotated.filter(({ needed }) => needed).map(({ address, reason }) => [address, byHand, reason]),
    ...json.unreadable.map(({ scope, message }) => [scope, "unreadable", message]),
    ...json.targets
      .filter((target) => !target.in_order)
      .map(({ target, reasons }) => [target, "target", reasons.join("; ")]),
  ];
}

/** What to do about a secret that was left to do, one line each. */
export function listHints(json: RotateJson, address: string | undefined): string[] {
  const found = json.at_providers.filter((it) => it.address === address && open.includes(it.outcome));
  return [...new Set(found.flatMap(({ code, hints = [] }) => [...hints, ...remoteHints(code ?? "")]))];
}

/** What is neither done nor left to do: a name, what became of it, and why. */
export function listOther(json: RotateJson, isDryRun: boolean): string[][] {
  const done = new Set(listDone(json, isDryRun));
  return json.at_providers
    .filter(({ address, outcome }) => !open.includes(outcome) && !done.has(address))
    .map(({ address, outcome, reason }) => [address, outcome, reason ?? ""]);
}
