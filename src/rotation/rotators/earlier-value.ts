import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";

/** The value of an earlier credential. Throws `rejected` when it had none. */
export function requireEarlier(value: Secret | undefined): Secret {
  if (value !== undefined) return value;
  throw new ProviderFailure("rejected", "what was there then holds no value of this kind");
}
