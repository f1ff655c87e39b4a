import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FailureClass } from "../../../src/net/provider-failure.ts";
import type { MintedProvider } from "../../../src/rotation/rotators/provider.ts";
import { twilioRotator } from "../../../src/rotation/rotators/twilio.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeTwilio, type FakeTwilio } from "../../support/fakes/twilio.ts";
import { failureOf, provesContract } from "../../support/provider-contract.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const tag = "0123456789abcdef";
const add = "POST /2010-04-01/Accounts/{AccountSid}/Keys.json";

describe("the twilio rotator", () => {
  provesContract(
    async () => {
      const twilio = await startFakeTwilio();
      onTestFinished(twilio.stop);
      const { sid, secret } = twilio.addKey("made by hand");
      const api = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider: await open(twilio),
        present: { sid: Secret.text(sid), secret: Secret.text(secret) },
        strange: { sid: Secret.text(`SK${"f".repeat(32)}`), secret: Secret.text("test-strange-secret") },
        unreachable: async () => await open(twilio, { api }),
        logText: twilio.logText,
        publicParts: ["sid"],
      };
    },
    { kind: "minted" },
  );

  describe("with one account", () => {
    let twilio: FakeTwilio;
    beforeEach(async () => {
      twilio = await startFakeTwilio();
    });
    afterEach(async () => await twilio.stop());

    it("lists all pages, and goes nowhere but to Twilio for them", async () => {
      for (let count = 0; count < 10; count++) twilio.addKey(`test ${count}`);
      const provider = await open(twilio);
      expect(await provider.inventory()).toHaveLength(10);
      expect((await provider.preflight(undefined))[0]).toBe("the account has 10 keys");
    });

    it("gives both halves of a key, and a name with the tag", async () => {
      const next = await (await open(twilio)).mint(tag);
      expect(partOf(next, "sid")).toBe(next.id);
      expect(twilio.keys).toMatchObject([
        { friendly_name: `sealtree sealtree-${tag}`, secret: partOf(next, "secret") },
      ]);
    });

    it("never ends the administrator's own key", async () => {
      const sid = `SK${"a".repeat(32)}`;
      const provider = await open(twilio, { admin: { sid, secret: "${env:WRONG}" } });
      expect(await failureOf(provider.revoke({ id: sid, parts: {} }))).toBe("rejected");
      expect(twilio.requests).toEqual([]);
    });

    it("leaves an orphan that its tag betrays when the answer is lost, and classes the rest", async () => {
      const provider = await open(twilio);
      twilio.failNext(add, "lost answer");
      expect(await failureOf(provider.mint(tag))).toBe("unknown");
      const [orphan = ""] = await provider.inventory();
      expect(await provider.isTagged(orphan, tag, new Date())).toBe(true);
      const found: FailureClass[] = [];
      for (const status of [401, 429, 400, 500]) {
        twilio.failNext(add, { status });
        found.push(await failureOf(provider.mint(tag)));
      }
      expect(found).toEqual(["auth", "transient", "rejected", "unknown"]);
      const admin = { sid: twilio.account, secret: "${env:WRONG}" };
      expect(await failureOf((await open(twilio, { admin })).preflight(undefined))).toBe("auth");
    });
  });
});

async function open(twilio: FakeTwilio, changes: Record<string, unknown> = {}): Promise<MintedProvider> {
  const admin = { sid: twilio.account, secret: "${env:ADMIN}" };
  const options = twilioRotator.options.parse({ account: twilio.account, admin, api: twilio.url, ...changes });
  const values = { ADMIN: "test-auth-token", WRONG: "test-wrong" };
  const provider = await twilioRotator.provider?.open(options, providerAccess(values));
  if (provider?.kind !== "minted") throw new Error("the rotator is not a minted one");
  return provider;
}
