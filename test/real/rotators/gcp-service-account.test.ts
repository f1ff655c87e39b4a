import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { gcpServiceAccountRotator } from "../../../src/rotation/rotators/gcp-service-account.ts";
import type { ChosenProvider, Credential } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeGoogle, type FakeGoogle } from "../../support/fakes/google.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const upload = "POST /v1/projects/{projectsId}/serviceAccounts/{serviceAccountsId}/keys:upload";

// Against a strict fake; here and not in `npm test` because RSA keys take a quarter of a second each.

/** Made once. */
let first: Credential | undefined;
let strange: Credential | undefined;

describe("the gcp-service-account rotator", () => {
  provesContract(
    async () => {
      const google = await startFakeGoogle();
      onTestFinished(google.stop);
      const provider = await open(google);
      const current = (first ??= await provider.choose(undefined));
      await provider.apply(current, undefined);
      const away = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider,
        present: current.parts,
        strange: (strange ??= await provider.choose(undefined)).parts,
        unreachable: async () => await open(google, { iam: away, oauth: away }),
        logText: () => google.iam.logText() + google.oauth.logText(),
        publicParts: [],
      };
    },
    { kind: "chosen", canSuspend: true },
  );

  describe("with one service account", () => {
    let google: FakeGoogle;
    beforeEach(async () => {
      google = await startFakeGoogle();
    });
    afterEach(async () => await google.stop());

    it("uploads a certificate that says nothing but when it ends", async () => {
      const provider = await open(google, { days: 30 });
      const next = await provider.choose(undefined);
      await provider.apply(next, undefined);
      const certificate = new X509Certificate(Buffer.from(google.keys[0]?.data ?? "", "base64"));
      expect(certificate.subject).toBe("CN=unused");
      expect((Date.parse(certificate.validTo) - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
      expect(partOf(next, "private_key")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
      expect(google.iam.logText()).not.toContain("PRIVATE");
    });

    it("uploads a key once, also when the answer was lost", async () => {
      const provider = await open(google);
      const next = await provider.choose(undefined);
      google.iam.failNext(upload, "lost answer");
      expect(await failureOf(provider.apply(next, undefined))).toBe("unknown");
      await provider.apply(next, undefined);
      expect(google.keys).toHaveLength(1);
      expect(await provider.probe(next)).toBe("live");
    });

    it("says that an eleventh key has no room", async () => {
      const provider = await open(google);
      const next = await provider.choose(undefined);
      await provider.apply(next, undefined);
      google.keys.push(
        ...Array.from({ length: 9 }, (_, count) => ({ id: `other${count}`, data: "", disabled: false })),
      );
      expect(await failureOf(provider.preflight(undefined))).toBe("limit");
    });

    it("takes a token of another login, and a key file", async () => {
      const withToken = await open(google, { admin: { access_token: "${env:TOKEN}" } });
      expect(await withToken.preflight(undefined)).toEqual([`${google.email} has 0 keys of at most 10`]);
      expect(google.oauth.requests).toEqual([]);
      expect(await failureOf((await open(google, { admin: { key: "${env:WRONG}" } })).preflight(undefined))).toBe(
        "auth",
      );
      expect(await failureOf((await open(google, { project: "test-other" })).preflight(undefined))).toBe("auth");
    });

    it("does not call a key dead when the clocks differ", async () => {
      const provider = await open(google, {}, () => new Date(Date.now() - 7_200_000));
      const next = await (await open(google)).choose(undefined);
      expect(await provider.probe(next)).toBe("unknown");
    });

    it("refuses a value that is no key", async () => {
      const provider = await open(google);
      const wrong = { id: "test", parts: { private_key: Secret.text("test") } };
      expect(await failureOf(provider.apply(wrong, undefined))).toBe("rejected");
      expect(await provider.probe(wrong)).toBe("dead");
    });
  });
});

async function open(
  google: FakeGoogle,
  changes: Record<string, unknown> = {},
  now: () => Date = () => new Date(),
): Promise<ChosenProvider> {
  const options = gcpServiceAccountRotator.options.parse({
    project: "test-project",
    email: google.email,
    admin: { key: "${env:KEY}" },
    iam: google.iam.url,
    oauth: google.oauth.url,
    ...changes,
  });
  const values = {
    KEY: google.adminKey,
    WRONG: '{"client_email":"test","private_key":"test"}',
    TOKEN: "test-iam-token",
  };
  const access = { ...providerAccess(values), now };
  const provider = await gcpServiceAccountRotator.provider?.open(options, access);
  if (provider?.kind !== "chosen") throw new Error("the rotator is not a chosen one");
  return provider;
}
