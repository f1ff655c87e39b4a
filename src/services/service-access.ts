import type { RandomSource } from "../crypto/random.ts";
import type { Secret } from "../secret/secret.ts";
import type { SecretReference } from "./secret-reference.ts";

/** What works with a service, a rotator or a target, is given to work with. */
export interface ServiceAccess {
  /** The value that a reference of the options stands for. Throws when it was not among `references`. */
  read(reference: SecretReference): Secret;
  /** The same, but an identity token of the job that is still good. Without, `read` is as good. Throws ProviderFailure. */
  readFresh?(reference: SecretReference): Promise<Secret>;
  readonly random: RandomSource;
  now(): Date;
  /** How long one call may take, in milliseconds. A call that takes longer has an unknown outcome. */
  readonly timeoutMs: number;
  /** Where programs of a policy start: the work tree. The current directory without. */
  readonly directory?: string;
  /** The variables of the run, for git. None without. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What proves who we are, at the time that it is asked for: by {@link ServiceAccess.readFresh}. */
export async function readFresh(
  reference: SecretReference,
  access: Pick<ServiceAccess, "read" | "readFresh">,
): Promise<Secret> {
  return access.readFresh === undefined ? access.read(reference) : await access.readFresh(reference);
}
