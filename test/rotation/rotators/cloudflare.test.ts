import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FailureClass } from "../../../src/net/provider-failure.ts";
import { cloudflareRotator } from "../../../src/rotation/rotators/cloudflare.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeCloudflare, type FakeCloudflare } from "../../support/fakes/cloudflare.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const tag = "0123456789abcdef";
const add = "POST /accounts/{account_id}/tokens";

describe("the cloudflare rotator", () => {
  for (const owner of ["account", "user"] as const) {
    describe(`for a token of ${owner === "user" ? "a user" : "an account"}`, () => {
      provesContract(
        async () => {
          const cloudflare = await startFakeCloudflare();
          onTestFinished(cloudflare.stop);
          const { value } = cloudflare.addToken("test token");
          const own = owner === "user" ? { account: undefined } : {};
          const api = `http://127.0.0.1:${await findFreePort()}/client/v4`;
          return {
            provider: await open(cloudflare, own),
            present: { token: Secret.text(value) },
            strange: { token: Secret.text("test-strange-token") },
            unreachable: async () => await open(cloudflare, { ...own, api }),
            logText: cloudflare.logText,
            publicParts: [],
          };
        },
        { kind: "minted", canSuspend: true },
      );
    });
  }

  describe("with one account", () => {
    let cloudflare: FakeCloudflare;
    beforeEach(async () => {
      cloudflare = await startFakeCloudflare();
    });
    afterEach(async () => await cloudflare.stop());

    it("gives a new token what the newest of its name may do, and nothing of others", async () => {
      const condition = { request_ip: { in: ["192.0.2.0/24"] } };
      const groups = [{ id: "82e64a83756745bbbb1c9c2701bf816b", name: "DNS Write" }];
      const policies = [
        { id: "x", effect: "allow", permission_groups: groups, resources: { "com.test": { "a.b": "*" } } },
      ];
      cloudflare.addToken("test token");
      cloudflare.addToken(`test token sealtree-${tag}`, { policies, condition });
      cloudflare.addToken("test token too");
      cloudflare.addToken("test token", { status: "disabled" });
      const provider = await open(cloudflare, { days: 30 });
      await provider.mint("fedcba9876543210");
      const made = cloudflare.tokens.at(-1);
      const permission_groups = [{ id: "82e64a83756745bbbb1c9c2701bf816b" }];
      expect(made).toMatchObject({ name: "test token sealtree-fedcba9876543210", condition });
      expect(made?.policies).toEqual([
        { effect: "allow", permission_groups, resources: { "com.test": { "a.b": "*" } } },
      ]);
      expect((Date.parse(String(made?.expires_on)) - Date.now()) / 86_400_000).toBeCloseTo(30, 1);
    });

    it("finds the token among many pages", async () => {
      for (let count = 0; count < 120; count++) cloudflare.addToken(`other ${count}`);
      cloudflare.addToken("test token");
      expect(await (await open(cloudflare)).inventory()).toHaveLength(121);
      expect(await (await open(cloudflare)).preflight(undefined)).toHaveLength(1);
    });

    it("makes no token that lives longer than the one it follows without being told", async () => {
      cloudflare.addToken("test token", { expires_on: "2030-01-01T00:00:00Z" });
      expect(await failureOf((await open(cloudflare)).preflight(undefined))).toBe("rejected");
      expect(await failureOf((await open(cloudflare)).mint(tag))).toBe("rejected");
      expect(await failureOf((await open(cloudflare, { name: "test other" })).preflight(undefined))).toBe("rejected");
    });

    it("leaves an orphan that its tag betrays when the answer is lost, and classes the rest", async () => {
      cloudflare.addToken("test token");
      const provider = await open(cloudflare);
      cloudflare.failNext(add, "lost answer");
      expect(await failureOf(provider.mint(tag))).toBe("unknown");
      const orphan = (await provider.inventory()).at(-1) ?? "";
      expect(await provider.isTagged(orphan, tag, new Date())).toBe(true);
      const found: FailureClass[] = [];
      for (const status of [403, 429, 400, 502]) {
        cloudflare.failNext(add, { status });
        found.push(await failureOf(provider.mint(tag)));
      }
      expect(found).toEqual(["auth", "transient", "rejected", "unknown"]);
      const wrong = await open(cloudflare, { admin: "${env:WRONG}" });
      expect(await failureOf(wrong.preflight(undefined))).toBe("auth");
    });
  });
});

async function open(cloudflare: FakeCloudflare, changes: Record<string, unknown> = {}): Promise<MintedProvider> {
  const { account, ...written } = {
    account: cloudflare.account,
    name: "test token",
    admin: "${env:ADMIN}",
    api: cloudflare.url,
    ...changes,
  };
  const options = cloudflareRotator.options.parse(account === undefined ? written : { ...written, account });
  const values = { ADMIN: "test-admin-token", WRONG: "test-wrong" };
  const provider = await cloudflareRotator.provider?.open(options, providerAccess(values));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}
