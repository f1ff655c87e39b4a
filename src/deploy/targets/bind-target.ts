import type { SecretName } from "../../secret/address.ts";
import type { SecretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { loadTarget } from "./registry.ts";
import type { OpenTarget, TargetFacts } from "./target.ts";

/** A kind of target with the options of one entry of the policy. */
export interface BoundTarget {
  readonly facts: TargetFacts;
  readonly references: readonly SecretReference[];
  /** Where it is; the same place has the same words. */
  readonly place: string;
  toName(name: SecretName): string;
  /** Connects. Throws ProviderFailure. */
  open(access: ServiceAccess): Promise<OpenTarget>;
}

/** What is wrong with one option: where it stands in the entry, and a sentence without its content. */
export interface OptionProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Binds a kind to the options of an entry, or says what is wrong with them. Undefined for a kind that there is not. */
export async function bindTarget(
  kind: string,
  written: Readonly<Record<string, unknown>>,
): Promise<{ readonly bound: BoundTarget } | { readonly problems: readonly OptionProblem[] } | undefined> {
  const target = await loadTarget(kind);
  if (target === undefined) return undefined;
  const result = target.options.safeParse(written);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => ({
      path: issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path,
      message: issue.code === "unrecognized_keys" ? `the kind ${kind} has no such field` : issue.message,
    }));
    return { problems };
  }
  const options = result.data;
  return {
    bound: {
      facts: target.facts(options),
      references: target.references(options),
      place: target.place(options),
      toName: (name) => target.toName(name, options),
      open: (access) => target.open(options, access),
    },
  };
}
