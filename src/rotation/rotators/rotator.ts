import type { ZodType } from "zod";
import type { Secret } from "../../secret/secret.ts";
import type { ValueSources } from "../generators/generator.ts";
import type { Provider } from "./provider.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { SecretReference } from "../../services/secret-reference.ts";

/**
 * Who makes the new value: `chosen`, we do; `minted`, the provider does and shows it once;
 * `rolled`, the provider does and the old one ends at once; `manual`, a person does.
 */
export type RotatorKind = "chosen" | "minted" | "rolled" | "manual";

/** A way to give a secret a new value. */
export interface Rotator<Options> {
  readonly name: string;
  /** `any` where the options of a rule say it. */
  readonly kind: RotatorKind | "any";
  /** What it does, in a few words. */
  readonly describe: string;
  /** Checks `options` of a rule; an issue says what is wrong and never repeats an option's value. */
  readonly options: ZodType<Options>;
  /** A new value, for a secret that no provider knows; left out by all others. */
  generate?(options: Options, sources: ValueSources): Promise<Secret>;
  /** For a credential at a provider. */
  readonly provider?: ProviderRotator<Options>;
}

/** How the credential of a secret is changed where it is used. */
export interface ProviderRotator<Options> {
  /**
   * The parts of a credential, such as `user` and `password`. The first is what the secret itself
   * holds unless its rule says that it holds a URL or JSON, or other secrets hold the rest.
   */
  readonly parts: readonly [string, ...string[]];
  /** Parts that change with each rotation. Where it is more than the first, a rule must say where they go. */
  changing(options: Options): readonly string[];
  /**
   * What ends before the new value can be deployed, as a sentence for people; undefined when old
   * and new live side by side.
   */
  outage(options: Options): string | undefined;
  /** References to other secrets in `options`, such as the administrator's password. */
  references(options: Options): readonly SecretReference[];
  /** How long a new credential may be refused before that is news, in milliseconds. */
  propagationMs(options: Options): number;
  /** Connects. Throws ProviderFailure. */
  open(options: Options, access: ServiceAccess): Promise<Provider>;
}
