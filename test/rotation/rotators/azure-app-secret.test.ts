import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FailureClass } from "../../../src/net/provider-failure.ts";
import { azureAppSecretRotator } from "../../../src/rotation/rotators/azure-app-secret.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeAzure, type FakeAzure } from "../../support/fakes/azure.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const add = "POST /applications/{application-id}/addPassword";
const remove = "POST /applications/{application-id}/removePassword";
const tag = "0123456789abcdef";

describe("the azure-app-secret rotator", () => {
  provesContract(
    async () => {
      const azure = await startFakeAzure();
      onTestFinished(azure.stop);
      const { secretText } = azure.addSecret("made by hand");
      const away = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider: await open(azure),
        present: { client_secret: Secret.text(secretText) },
        strange: { client_secret: Secret.text("test-strange-secret") },
        unreachable: async () => await open(azure, { graph: away, login: away }),
        logText: azure.graph.logText,
        publicParts: [],
      };
    },
    { kind: "minted" },
  );

  describe("with one application", () => {
    let azure: FakeAzure;
    beforeEach(async () => {
      azure = await startFakeAzure();
    });
    afterEach(async () => await azure.stop());

    it("gives a secret a name with the tag, and an end", async () => {
      const provider = await open(azure, { days: 30 });
      const next = await provider.mint(tag);
      const [made] = azure.secrets;
      expect(made?.displayName).toBe(`sealtree sealtree-${tag}`);
      const days = (Date.parse(made?.endDateTime ?? "") - Date.now()) / 86_400_000;
      expect(days).toBeCloseTo(30, 1);
      expect(await provider.isTagged(next.id, tag, new Date())).toBe(true);
    });

    it("leaves an orphan that its tag betrays when the answer is lost", async () => {
      const provider = await open(azure);
      azure.graph.failNext(add, "lost answer");
      expect(await failureOf(provider.mint(tag))).toBe("unknown");
      const [orphan = ""] = await provider.inventory();
      expect(await provider.isTagged(orphan, tag, new Date())).toBe(true);
      azure.graph.failNext(remove, "lost answer");
      expect(await failureOf(provider.revoke({ id: orphan, parts: {} }))).toBe("unknown");
      await provider.revoke({ id: orphan, parts: {} });
      expect(azure.secrets).toEqual([]);
    });

    it("logs in with a token of another issuer", async () => {
      const admin = { client: azure.admin, assertion: "${env:ASSERTION}" };
      expect((await (await open(azure, { admin })).preflight(undefined))[0]).toBe(
        "the application has 0 client secrets",
      );
    });

    it("classes what stands in the way", async () => {
      const admin = { client: azure.admin, secret: "${env:WRONG}" };
      expect(await failureOf((await open(azure, { admin })).preflight(undefined))).toBe("auth");
      expect(await failureOf((await open(azure, { client: azure.admin })).preflight(undefined))).toBe("rejected");
      expect(await failureOf((await open(azure, { application: azure.client })).preflight(undefined))).toBe("auth");
      const provider = await open(azure);
      const found: FailureClass[] = [];
      for (const status of [403, 409, 429, 400, 500]) {
        azure.graph.failNext(add, { status });
        found.push(await failureOf(provider.mint(tag)));
      }
      expect(found).toEqual(["auth", "transient", "transient", "rejected", "unknown"]);
    });

    it("does not guess which of two secrets that begin alike is the present one", async () => {
      const provider = await open(azure);
      const made = azure.addSecret("one");
      azure.secrets.push({ ...made, keyId: azure.client, secretText: `${made.hint}test-other` });
      expect(await failureOf(provider.identify({ client_secret: Secret.text(made.secretText) }))).toBe("rejected");
    });
  });

  it("sends an administrator's secret to Microsoft or this machine only", () => {
    const id = "00000000-0000-4000-8000-000000000000";
    const rule = { tenant: "test.example", application: id, client: id, admin: { client: id, secret: "${env:S}" } };
    const fits = (changes: object) => azureAppSecretRotator.options.safeParse({ ...rule, ...changes }).success;
    expect(fits({ login: "https://login.microsoftonline.us" })).toBe(true);
    for (const login of ["https://login.example", "https://login.microsoftonline.com.example", "http://192.0.2.1"]) {
      expect(fits({ login })).toBe(false);
    }
    expect(fits({ tenant: "../x" })).toBe(false);
  });
});

async function open(azure: FakeAzure, changes: Record<string, unknown> = {}): Promise<MintedProvider> {
  const options = azureAppSecretRotator.options.parse({
    tenant: "test.example",
    application: azure.application,
    client: azure.client,
    admin: { client: azure.admin, secret: "${env:SECRET}" },
    login: azure.login.url,
    graph: azure.graph.url.replace(/\/v1\.0$/, ""),
    ...changes,
  });
  const values = { SECRET: "test-admin-secret", WRONG: "test-wrong", ASSERTION: "test-admin-assertion" };
  const provider = await azureAppSecretRotator.provider?.open(options, providerAccess(values));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}
