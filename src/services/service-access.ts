import type { RandomSource } from "../crypto/random.ts";
import type { Secret } from "../secret/secret.ts";
import type { SecretReference } from "./secret-reference.ts";

/** What works with a service, a rotator or a target, is given to work with. */
export interface ServiceAccess {
  /** The value that a reference of the options stands for. Throws when it was not among `references`. */
  read(reference: SecretReference): Secret;
  readonly random: RandomSource;
  now(): Date;
  /** How long one call may take, in milliseconds. A call that takes longer has an unknown outcome. */
  readonly timeoutMs: number;
  /** Where programs of a policy start: the work tree. The current directory without. */
  readonly directory?: string;
  /** The variables of the run, for git. None without. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}
