import type { Identity } from "../crypto/identity.ts";
import type { PluginHost } from "../crypto/plugin-host.ts";
import type { RandomSource } from "../crypto/random.ts";
import type { GitPlace } from "../git/place.ts";
import type { AskIdentityToken } from "../services/identity-tokens.ts";

/** What an operation needs of the world around it. Clock and randomness are injected. */
export interface Session {
  readonly place: GitPlace;
  readonly random: RandomSource;
  now(): Date;
  /** The user's private keys, loaded once. Throws E_NO_IDENTITY. */
  identities(): Promise<readonly Identity[]>;
  /** Runs the plugins of recipients and identities that need one. */
  plugins(): Promise<PluginHost>;
  /** The identity token of the job for an audience; undefined where nobody could be asked. Throws ProviderFailure. */
  readonly identityToken?: AskIdentityToken;
}

/** The session's time in whole seconds since 1970. */
export function nowSeconds(session: Session): number {
  return Math.floor(session.now().getTime() / 1000);
}
