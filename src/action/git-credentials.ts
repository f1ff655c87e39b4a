import { usageError } from "../errors.ts";
import { withGitSettings } from "../git/config-environment.ts";
import type { Environment } from "../git/place.ts";
import { isServiceUrl } from "../net/http-client.ts";
import type { Secret } from "../secret/secret.ts";

/**
 * The environment in which git gives `token` to the server of GITHUB_SERVER_URL and to no other, as
 * actions/checkout would write it into the clone. It takes the place of what the clone kept for that
 * server: GitHub refuses two. Mask the token and {@link credentialHeader} first. Throws E_USAGE for
 * a server without TLS that is not this machine.
 */
export function gitCredentials(env: Environment, token: Secret): Environment {
  const key = `http.${serverOf(env)}/.extraheader`;
  return withGitSettings(env, [
    // An empty value takes away those before it.
    [key, ""],
    [key, `AUTHORIZATION: basic ${credentialHeader(token)}`],
  ]);
}

/** The token as it stands in the header, which logs must not show either. */
export function credentialHeader(token: Secret): string {
  return Buffer.concat([Buffer.from("x-access-token:"), token.reveal()]).toString("base64");
}

/** Where the job's repository is, without a slash at its end. */
export function serverOf(env: Environment): string {
  const written = env["GITHUB_SERVER_URL"]?.trim() ?? "";
  const address = written === "" ? "https://github.com" : written.replace(/\/+$/, "");
  if (!isServiceUrl(address)) throw usageError("GITHUB_SERVER_URL is no address that a token may be sent to");
  return address;
}
