import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FailureClass } from "../../../src/net/provider-failure.ts";
import { openaiRotator } from "../../../src/rotation/rotators/openai.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeOpenai, type FakeOpenai } from "../../support/fakes/openai.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const tag = "0123456789abcdef";
const add = "POST /organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys";
const remove = "DELETE /organization/projects/{project_id}/api_keys/{api_key_id}";

describe("the openai rotator", () => {
  provesContract(
    async () => {
      const openai = await startFakeOpenai();
      onTestFinished(openai.stop);
      const { value } = openai.addKey("made by hand");
      const api = `http://127.0.0.1:${await findFreePort()}/v1`;
      return {
        provider: await open(openai),
        present: { api_key: Secret.text(value) },
        strange: { api_key: Secret.text("sk-strange-test-key") },
        unreachable: async () => await open(openai, { api }),
        logText: openai.logText,
        publicParts: [],
      };
    },
    { kind: "minted" },
  );

  describe("with one project", () => {
    let openai: FakeOpenai;
    beforeEach(async () => {
      openai = await startFakeOpenai();
    });
    afterEach(async () => await openai.stop());

    it("counts the keys of its account alone, over many pages", async () => {
      for (let count = 0; count < 130; count++)
        openai.addKey(`test ${count}`, count % 2 === 0 ? "test-account" : "other");
      const provider = await open(openai);
      expect(await provider.inventory()).toHaveLength(65);
      expect((await provider.preflight(undefined))[0]).toBe("the service account has 65 keys");
    });

    it("gives a key a name with the tag, and an end when the rule says so", async () => {
      await (await open(openai)).mint(tag);
      await (await open(openai, { days: 30 })).mint(tag);
      expect(openai.logText()).toContain(`{"name":"sealtree sealtree-${tag}"}`);
      expect(openai.logText()).toContain(`{"name":"sealtree sealtree-${tag}","expires_in_seconds":2592000}`);
    });

    it("leaves an orphan that its tag betrays when the answer is lost, and classes the rest", async () => {
      const provider = await open(openai);
      openai.failNext(add, "lost answer");
      expect(await failureOf(provider.mint(tag))).toBe("unknown");
      const [orphan = ""] = await provider.inventory();
      expect(await provider.isTagged(orphan, tag, new Date())).toBe(true);
      openai.failNext(remove, "lost answer");
      expect(await failureOf(provider.revoke({ id: orphan, parts: {} }))).toBe("unknown");
      await provider.revoke({ id: orphan, parts: {} });
      expect(openai.keys).toEqual([]);
      const found: FailureClass[] = [];
      for (const status of [403, 429, 400, 500]) {
        openai.failNext(add, { status });
        found.push(await failureOf(provider.mint(tag)));
      }
      expect(found).toEqual(["auth", "transient", "rejected", "unknown"]);
      expect(await failureOf((await open(openai, { admin: "${env:WRONG}" })).preflight(undefined))).toBe("auth");
      expect(await failureOf((await open(openai, { project: "other" })).preflight(undefined))).toBe("auth");
    });

    it("knows nothing of a key while OpenAI is busy, and does not call one dead that may do little", async () => {
      const provider = await open(openai);
      const next = await provider.mint(tag);
      openai.failNext("GET /models", { status: 429 });
      expect(await provider.probe(next)).toBe("unknown");
      openai.failNext("GET /models", { status: 403 });
      expect(await provider.probe(next)).toBe("live");
    });

    it("does not guess which of two keys that look alike is the present one", async () => {
      const made = openai.addKey("one");
      openai.keys.push({ ...made, id: "key_other" });
      const provider = await open(openai);
      expect(await failureOf(provider.identify({ api_key: Secret.text(made.value) }))).toBe("rejected");
    });
  });
});

async function open(openai: FakeOpenai, changes: Record<string, unknown> = {}): Promise<MintedProvider> {
  const written = { project: "test-project", service_account: "test-account", admin: "${env:ADMIN}", api: openai.url };
  const options = openaiRotator.options.parse({ ...written, ...changes });
  const values = { ADMIN: "test-admin-key", WRONG: "test-wrong" };
  const provider = await openaiRotator.provider?.open(options, providerAccess(values));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}
