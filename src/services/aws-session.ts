import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { awsEndpoint, type AwsCredentials, type AwsKeys, type AwsKeySource, type AwsWebIdentity } from "./aws-keys.ts";
import { createAwsQuery, type AwsAnswer } from "./aws-query.ts";
import { readFresh, type ServiceAccess } from "./service-access.ts";
import { createTokenCache, type TimedToken } from "./token-cache.ts";

/** Sessions of roles, by whom they were taken on for: the account and the values of a target are asked in one. */
const sessions = new WeakMap<ServiceAccess, Map<AwsWebIdentity, AwsKeySource>>();

/** The keys that credentials stand for; those of a role are asked for when they are needed, at the STS of the region. */
export function createAwsKeys(credentials: AwsCredentials, region: string, access: ServiceAccess): AwsKeySource {
  if ("role" in credentials) return openSession(credentials, region, access);
  const { id, secret, session } = credentials;
  const keys: AwsKeys = {
    id: access.read(id).revealText()?.trim() ?? "",
    secret: access.read(secret),
    session: session === undefined ? undefined : access.read(session),
  };
  return () => Promise.resolve(keys);
}

function openSession(credentials: AwsWebIdentity, region: string, access: ServiceAccess): AwsKeySource {
  const own = sessions.get(access) ?? new Map<AwsWebIdentity, AwsKeySource>();
  sessions.set(access, own);
  const source =
    own.get(credentials) ??
    createTokenCache(
      async () => await assumeRole(credentials, region, access),
      () => access.now(),
    );
  own.set(credentials, source);
  return source;
}

const page = "docs/ci-identities.md";

/** AssumeRoleWithWebIdentity of STS (API version 2011-06-15), which is not signed. Asked again, it does no harm. */
async function assumeRole(
  { role, web_identity: reference, session_name: name, sts_endpoint: given }: AwsWebIdentity,
  region: string,
  access: ServiceAccess,
): Promise<TimedToken<AwsKeys>> {
  const endpoint = given ?? awsEndpoint("sts", region);
  const call = createAwsQuery({ name: "sts", endpoint, region, version: "2011-06-15", page }, undefined, access);
  const token = (await readFresh(reference, access)).revealText()?.trim() ?? "";
  const fields = { RoleArn: role, RoleSessionName: name, WebIdentityToken: token };
  const answer = await call("AssumeRoleWithWebIdentity", fields).catch((error: unknown) => {
    throw isProviderFailure(error) ? refusal(error) : error;
  });
  return readKeys(answer, access);
}

function readKeys(answer: AwsAnswer, access: ServiceAccess): TimedToken<AwsKeys> {
  const read = (element: string) => answer.texts(element)[0] ?? "";
  const [id, secret, session] = [read("AccessKeyId"), read("SecretAccessKey"), read("SessionToken")];
  const end = Date.parse(read("Expiration"));
  if (id === "" || secret === "" || session === "" || Number.isNaN(end)) {
    throw new ProviderFailure("transient", "Amazon answered AssumeRoleWithWebIdentity without keys");
  }
  return {
    token: { id, secret: Secret.text(secret), session: Secret.text(session) },
    seconds: (end - access.now().getTime()) / 1000,
  };
}

function refusal({ class: failureClass, message, hints, retryAfterMs, cause }: ProviderFailure): ProviderFailure {
  if (failureClass === "unknown" || failureClass === "transient") {
    return new ProviderFailure("transient", message, { hints: [], retryAfterMs, cause });
  }
  const trust = `the trust policy of the role must name issuer, audience and subject of the token: ${page} has both forms`;
  return new ProviderFailure(failureClass, message, { hints: failureClass === "auth" ? [trust] : hints, cause });
}
