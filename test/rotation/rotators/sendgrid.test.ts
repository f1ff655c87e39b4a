import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FailureClass } from "../../../src/net/provider-failure.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { sendgridRotator } from "../../../src/rotation/rotators/sendgrid.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeSendgrid, type FakeSendgrid } from "../../support/fakes/sendgrid.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const tag = "0123456789abcdef";
const add = "POST /api_keys";

describe("the sendgrid rotator", () => {
  provesContract(
    async () => {
      const sendgrid = await startFakeSendgrid();
      onTestFinished(sendgrid.stop);
      const { value } = sendgrid.addKey("made by hand");
      const api = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider: await open(sendgrid),
        present: { api_key: Secret.text(value) },
        strange: { api_key: Secret.text("SG.testStrange.testStrange") },
        unreachable: async () => await open(sendgrid, { api }),
        logText: sendgrid.logText,
        publicParts: [],
      };
    },
    { kind: "minted" },
  );

  describe("with one account", () => {
    let sendgrid: FakeSendgrid;
    beforeEach(async () => {
      sendgrid = await startFakeSendgrid();
    });
    afterEach(async () => await sendgrid.stop());

    it("gives a key the scopes of the rule, and a name with the tag", async () => {
      await (await open(sendgrid)).mint(tag);
      expect(sendgrid.keys).toMatchObject([{ name: `sealtree sealtree-${tag}`, scopes: ["mail.send"] }]);
    });

    it("never asks for a key that may do everything", () => {
      const fits = (scopes: unknown) => sendgridRotator.options.safeParse({ scopes, admin: "${env:A}" }).success;
      expect([fits(undefined), fits([]), fits([""]), fits(["mail.send"])]).toEqual([false, false, false, true]);
    });

    it("says which scopes the administrator lacks, before and while a key is made", async () => {
      const provider = await open(sendgrid, { scopes: ["mail.send", "alerts.read"] });
      await expect(provider.preflight(undefined)).rejects.toMatchObject({
        class: "auth",
        hints: ["it needs alerts.read"],
      });
      expect(await failureOf(provider.mint(tag))).toBe("auth");
    });

    it("says that the hundred and first key has no room, before and while it is made", async () => {
      for (let count = 0; count < 100; count++) sendgrid.addKey(`test ${count}`);
      const provider = await open(sendgrid);
      expect(await failureOf(provider.preflight(undefined))).toBe("limit");
      expect(await failureOf(provider.mint(tag))).toBe("limit");
    });

    it("leaves an orphan that its tag betrays when the answer is lost, and classes the rest", async () => {
      const provider = await open(sendgrid);
      sendgrid.failNext(add, "lost answer");
      expect(await failureOf(provider.mint(tag))).toBe("unknown");
      const [orphan = ""] = await provider.inventory();
      expect(await provider.isTagged(orphan, tag, new Date())).toBe(true);
      const found: FailureClass[] = [];
      for (const status of [401, 429, 400, 500]) {
        sendgrid.failNext(add, { status });
        found.push(await failureOf(provider.mint(tag)));
      }
      expect(found).toEqual(["auth", "transient", "rejected", "unknown"]);
      expect(await failureOf((await open(sendgrid, { admin: "${env:WRONG}" })).preflight(undefined))).toBe("auth");
    });
  });
});

async function open(sendgrid: FakeSendgrid, changes: Record<string, unknown> = {}): Promise<MintedProvider> {
  const written = { scopes: ["mail.send"], admin: "${env:ADMIN}", api: sendgrid.url.replace(/\/v3$/, "") };
  const options = sendgridRotator.options.parse({ ...written, ...changes });
  const values = { ADMIN: "test-admin-key", WRONG: "test-wrong" };
  const provider = await sendgridRotator.provider?.open(options, providerAccess(values));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}
