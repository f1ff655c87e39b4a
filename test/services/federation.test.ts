import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isProviderFailure, type ProviderFailure } from "../../src/net/provider-failure.ts";
import { Secret } from "../../src/secret/secret.ts";
import { awsCredentials, awsReferences } from "../../src/services/aws-keys.ts";
import { createAwsKeys } from "../../src/services/aws-session.ts";
import { azureCredentials, azureReferences, createAzureTokens } from "../../src/services/azure-login.ts";
import { createGcpTokens, gcpCredentials, gcpReferences } from "../../src/services/gcp-login.ts";
import { createIdentityTokens } from "../../src/services/identity-tokens.ts";
import { openReferences } from "../../src/services/open-references.ts";
import type { SecretReference } from "../../src/services/secret-reference.ts";
import type { ServiceAccess } from "../../src/services/service-access.ts";
import { findCanaries } from "../support/canary.ts";
import { fakeAwsKeys } from "../support/fakes/aws-json.ts";
import { fakeSession, startFakeSts, type FakeSts } from "../support/fakes/aws-sts.ts";
import { startFakeAzure } from "../support/fakes/azure.ts";
import { startFakeIdentity, type FakeIdentity } from "../support/fakes/github-identity.ts";
import { startFakeGoogleFederation, type FakeGoogleFederation } from "../support/fakes/google-federation.ts";
import { providerAccess } from "../support/provider-access.ts";
import { findFreePort } from "../support/servers/server-process.ts";

let github: FakeIdentity;
beforeEach(async () => {
  github = await startFakeIdentity();
});
afterEach(async () => await github.stop());

/** What a target gets in a job, with a clock that can be moved. */
async function openAccess(
  references: readonly SecretReference[],
): Promise<{ access: ServiceAccess; readonly wait: (ms: number) => void }> {
  let shiftMs = 0;
  const now = () => new Date(Date.now() + shiftMs);
  const request = { url: github.requestUrl, bearer: Secret.text(github.bearer) };
  const identityToken = createIdentityTokens({ request, isJob: true, now });
  const base = providerAccess({ TOKEN: "test-kept-token" });
  const kept = (it: SecretReference) => Promise.resolve(base.read(it));
  return {
    access: { ...base, now, ...(await openReferences(references, { kept, identityToken })) },
    wait: (ms) => (shiftMs += ms),
  };
}

async function failureOf(asked: Promise<unknown>): Promise<ProviderFailure> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderFailure(error)) throw new Error("no failure", { cause: error });
  expect(findCanaries(inspect(error, { depth: 9 }), [...github.given, github.bearer])).toEqual([]);
  return error;
}

describe("a role at Amazon that is taken on with an identity token", () => {
  let sts: FakeSts;
  beforeEach(async () => {
    sts = await startFakeSts(github);
  });
  afterEach(async () => await sts.stop());

  const open = async (more: object = {}) => {
    const credentials = awsCredentials.parse({
      role: sts.role,
      web_identity: "${oidc:sts.amazonaws.com}",
      sts_endpoint: sts.url,
      ...more,
    });
    const { access, wait } = await openAccess(awsReferences(credentials));
    const keys = createAwsKeys(credentials, "eu-central-1", access);
    // The account of a target is asked for with the same session as its values.
    expect(createAwsKeys(credentials, "eu-central-1", access)).toBe(keys);
    return { keys, wait };
  };

  it("gives keys for a session, which are asked for once and renewed with a new token", async () => {
    const { keys, wait } = await open({ session_name: "deploy-api" });
    const found = await keys();
    expect([found.id, found.secret.revealText(), found.session?.revealText()]).toEqual([
      fakeAwsKeys.id,
      fakeAwsKeys.secret,
      fakeSession,
    ]);
    expect(await keys()).toBe(found);
    expect(sts.sessions).toEqual(["deploy-api"]);
    wait(3_590_000);
    expect(await keys()).not.toBe(found);
    expect([sts.sessions.length, github.asked.length]).toEqual([2, 2]);
  });

  it.each([
    ["a role of another trust", { role: "arn:aws:iam::111122223333:role/other" }, undefined, "auth"],
    ["a token of another audience", { web_identity: "${oidc:https://other.example.com}" }, undefined, "auth"],
    ["a token that is over", {}, [400, "ExpiredTokenException"], "auth"],
    ["an issuer that Amazon cannot reach", {}, [400, "IDPCommunicationError"], "transient"],
    ["a fault at Amazon", {}, [500, "InternalFailure"], "transient"],
  ] as const)("is not had with %s", async (_, more, refusal, failureClass) => {
    const { keys } = await open(more);
    if (refusal !== undefined) sts.refuseNext(refusal[0], refusal[1]);
    const failure = await failureOf(keys());
    expect(failure.class).toBe(failureClass);
    if (failureClass === "auth") expect(failure.hints.join()).toContain("trust policy");
  });

  it("is asked for again when Amazon is not there", async () => {
    const { keys } = await open({ sts_endpoint: `http://127.0.0.1:${await findFreePort()}` });
    expect((await failureOf(keys())).class).toBe("transient");
  });

  it.each([
    [{ role: "arn:aws:iam::1111:role/a" }],
    [{ role: "arn:aws:iam::111122223333:user/a" }],
    [{ session_name: "a b" }],
    [{ sts_endpoint: "https://sts.example.com" }],
    [{ web_identity: "eyJ-the-token-itself" }],
    [{ id: "${env:ID}" }],
  ])("is not written as %j", (more) => {
    const right = { role: "arn:aws-us-gov:iam::111122223333:role/a", web_identity: "${env:TOKEN}" };
    expect(awsCredentials.safeParse(right).success).toBe(true);
    expect(awsCredentials.safeParse({ ...right, ...more }).success).toBe(false);
  });
});

describe("an identity token at Google", () => {
  let google: FakeGoogleFederation;
  beforeEach(async () => {
    google = await startFakeGoogleFederation(github);
  });
  afterEach(async () => await google.stop());

  const open = async (more: object = {}) => {
    const credentials = gcpCredentials.parse({
      workload_identity_provider: google.provider,
      token: `\${oidc:${google.audience}}`,
      sts: google.sts.url,
      iam_credentials: google.credentials.url,
      ...more,
    });
    const { access, wait } = await openAccess(gcpReferences(credentials));
    return { token: createGcpTokens(credentials, "https://oauth2.googleapis.com", access), wait };
  };

  it("is exchanged for a token of the workload, once", async () => {
    const { token } = await open();
    expect((await token()).revealText()).toBe("test-gcp-token");
    await token();
    expect([google.sts.requests.length, google.credentials.requests.length]).toEqual([1, 0]);
  });

  it("is exchanged for one of a service account, and that is renewed before its end", async () => {
    const { token, wait } = await open({ service_account: google.email });
    expect((await token()).revealText()).toBe("test-iam-token");
    wait(3_590_000);
    await token();
    expect([google.sts.requests.length, google.credentials.requests.length, github.asked.length]).toEqual([2, 2, 2]);
  });

  it("is not taken with another audience, nor by another provider", async () => {
    const other = google.provider.replace("test-github", "test-other");
    for (const more of [{ token: "${oidc:https://other.example.com}" }, { workload_identity_provider: other }]) {
      const failure = await failureOf((await open(more)).token());
      expect([failure.class, failure.message]).toEqual([
        "auth",
        "Google did not exchange the identity token, with status 400",
      ]);
    }
  });

  it("is no service account's without the right to act as it", async () => {
    google.state.mayImpersonate = false;
    const failure = await failureOf((await open({ service_account: google.email })).token());
    expect([failure.class, failure.hints.join()]).toEqual([
      "auth",
      expect.stringContaining("roles/iam.workloadIdentityUser"),
    ]);
  });

  it("leaves nothing in doubt when the answer is lost", async () => {
    google.sts.failNext("POST /v1/token", "lost answer");
    expect((await failureOf((await open()).token())).class).toBe("transient");
  });

  it.each([
    [{ workload_identity_provider: "projects/name/locations/global/workloadIdentityPools/test/providers/test" }],
    [{ sts: "https://sts.example.com" }],
    [{ iam_credentials: "https://iam.example.com" }],
    [{ service_account: "me" }],
    [{ key: "${env:KEY}" }],
  ])("is not written as %j", (more) => {
    const right = { workload_identity_provider: google.provider, token: "${env:TOKEN}" };
    expect(gcpCredentials.safeParse(right).success).toBe(true);
    expect(gcpCredentials.safeParse({ ...right, ...more }).success).toBe(false);
  });
});

describe("an identity token at Microsoft", () => {
  it("is the assertion of an application, a new one each time that it signs in", async () => {
    const audience = "api://AzureADTokenExchange";
    const azure = await startFakeAzure((text) => github.check(text, audience)["environment"] === "production");
    try {
      const written = { tenant: "test.example", client: azure.admin, assertion: `\${oidc:${audience}}` };
      const credentials = azureCredentials.parse(written);
      const { access, wait } = await openAccess(azureReferences(credentials));
      const where = { endpoint: azure.login.url, scope: "https://vault.azure.net/.default" };
      const token = createAzureTokens(credentials, where, access);
      expect((await token()).revealText()).toBe("test-vault-token");
      wait(3_590_000);
      await token();
      expect(github.asked).toEqual([audience, audience]);
    } finally {
      await azure.stop();
    }
  });
});

describe("references that are opened", () => {
  it("are read once each, and what is not an identity token stays as it was", async () => {
    const references = azureCredentials.parse({
      tenant: "a",
      client: "11111111-2222-3333-4444-555555555555",
      secret: "${env:TOKEN}",
    });
    const [kept] = azureReferences(references);
    if (kept === undefined) throw new Error("no reference");
    const { access } = await openAccess([kept, { kind: "oidc", audience: "a" }, { kind: "oidc", audience: "a" }]);
    expect(access.read(kept).revealText()).toBe("test-kept-token");
    expect((await access.readFresh?.(kept))?.revealText()).toBe("test-kept-token");
    expect(access.read({ kind: "oidc", audience: "a" }).revealText()).toBe(github.given[0]);
    expect(github.asked).toEqual(["a"]);
    expect(() => access.read({ kind: "oidc", audience: "b" })).toThrow("did not say");
    await expect(access.readFresh?.({ kind: "oidc", audience: "b" })).rejects.toThrow("did not say");
  });
});
