import type { SecretName } from "../secret/address.ts";
import type { NameRule } from "./targets/target.ts";

/** What decides under which name a secret stands at a target. */
export interface Naming {
  /** Names and patterns; undefined takes all. */
  readonly only: readonly string[] | undefined;
  readonly names: ReadonlyMap<string, string>;
  readonly prefix: string;
  toName(name: SecretName): string;
}

/**
 * True when a target takes the secret: without `only` all, else what one of its patterns matches and
 * none with `!` does. A star stands for any characters; patterns with `!` alone take the rest.
 */
export function takesName(only: readonly string[] | undefined, name: SecretName): boolean {
  if (only === undefined) return true;
  const [takes, leaves] = [only.filter((it) => !it.startsWith("!")), only.filter((it) => it.startsWith("!"))];
  if (leaves.some((pattern) => matchesName(pattern.slice(1), name))) return false;
  return takes.length === 0 || takes.some((pattern) => matchesName(pattern, name));
}

/** The name of a secret there: the policy's own as it stands, else the kind's with the prefix. */
export function nameThere(naming: Naming, name: SecretName): string {
  return naming.names.get(name) ?? naming.prefix + naming.toName(name);
}

/** Why a target does not take a name; undefined when it does. */
export function findNameProblem({ pattern, says, maxLength }: NameRule, name: string): string | undefined {
  if (name.length > maxLength) return `is longer than ${maxLength} characters`;
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).test(name) ? undefined : `is not ${says}`;
}

/** The same for two names that are one name there. */
export function nameKey({ ignoresCase }: NameRule, name: string): string {
  return ignoresCase ? name.toLowerCase() : name;
}

function matchesName(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.-]/g, "\\$&"));
  return new RegExp(`^${parts.join("[A-Za-z0-9_.-]*")}$`).test(name);
}
