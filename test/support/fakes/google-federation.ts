import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";
import type { FakeIdentity } from "./github-identity.ts";

export interface FakeGoogleFederation {
  readonly sts: DescribedApi;
  readonly credentials: DescribedApi;
  readonly provider: string;
  readonly audience: string;
  readonly email: string;
  /** Whether the workload may act as the service account. */
  readonly state: { mayImpersonate: boolean };
  stop(): Promise<void>;
}

const provider = "projects/111122223333/locations/global/workloadIdentityPools/test-ci/providers/test-github";
const scope = "https://www.googleapis.com/auth/cloud-platform";
const email = "test-deploy@test-project.iam.gserviceaccount.com";
/** The one is what the fake Secret Manager lets in, the other what the fake IAM does. */
const ownToken = "test-gcp-token";
const accountToken = "test-iam-token";

/** Google's token exchange and its tokens of service accounts, by their discovery documents, for one pool's provider. */
export async function startFakeGoogleFederation(identity: FakeIdentity): Promise<FakeGoogleFederation> {
  const state = { mayImpersonate: true };
  const audience = `https://iam.googleapis.com/${provider}`;
  const sts = await startDescribedApi({
    description: "google-sts",
    answer({ body, header }): ApiReply {
      const refused = { status: 400, json: { error: "invalid_grant", error_description: "test" } };
      const isAsked =
        header("authorization") === undefined &&
        body["grantType"] === "urn:ietf:params:oauth:grant-type:token-exchange" &&
        body["requestedTokenType"] === "urn:ietf:params:oauth:token-type:access_token" &&
        body["subjectTokenType"] === "urn:ietf:params:oauth:token-type:jwt" &&
        body["scope"] === scope;
      if (!isAsked) return { status: 400, json: { error: "invalid_request" } };
      if (body["audience"] !== `//iam.googleapis.com/${provider}`)
        return { status: 400, json: { error: "invalid_target" } };
      try {
        identity.check(String(body["subjectToken"]), audience);
      } catch {
        return refused;
      }
      const issued = { issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer" };
      return { status: 200, json: { access_token: ownToken, expires_in: 3600, ...issued } };
    },
  });
  const credentials = await startDescribedApi({
    description: "google-iam-credentials",
    answer({ params, body, header }): ApiReply {
      if (header("authorization") !== `Bearer ${ownToken}`) return refused(401, "UNAUTHENTICATED");
      if (params["projectsId"] !== "-" || params["serviceAccountsId"] !== email) return refused(404, "NOT_FOUND");
      if (!state.mayImpersonate) return refused(403, "PERMISSION_DENIED");
      if (JSON.stringify(body["scope"]) !== JSON.stringify([scope])) return refused(400, "INVALID_ARGUMENT");
      const expireTime = new Date(Date.now() + 3_600_000).toISOString();
      return { status: 200, json: { accessToken: accountToken, expireTime } };
    },
  });
  const stop = async () => {
    await sts.stop();
    await credentials.stop();
  };
  return { sts, credentials, provider, audience, email, state, stop };
}

function refused(code: number, status: string): ApiReply {
  return { status: code, json: { error: { code, status, message: "test" } } };
}
