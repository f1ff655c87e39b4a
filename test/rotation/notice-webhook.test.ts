import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import type { ProviderFailure } from "../../src/net/provider-failure.ts";
import {
  nameMessage,
  parseWebhookKeys,
  parseWebhookUrl,
  sendWebhook,
  signMessage,
  type WebhookDelivery,
} from "../../src/rotation/notice-webhook.ts";
import { Secret } from "../../src/secret/secret.ts";
import { startReceiver, type HttpReceiver, type Received, type Reply } from "../support/http-receiver.ts";

// Test keys: 32 bytes of one value each.
const [keyText, otherText] = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`) as [
  string,
  string,
];
const message = { id: "msg_00112233445566778899aabbccddeeff", body: '{"type":"rotation.notice","data":{"ö":"€"}}' };
let receiver: HttpReceiver | undefined;

afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

/** Sends to a receiver; nothing waits, and time passes by what was waited for. */
async function send(replies: readonly [Reply, ...Reply[]], changes: Partial<WebhookDelivery> = {}) {
  receiver = await startReceiver(...replies);
  const [waits, failures]: [number[], ProviderFailure[]] = [[], []];
  let passedMs = 0;
  const startMs = Date.now();
  const delivery: WebhookDelivery = {
    endpoint: parseWebhookUrl(`${receiver.url}/hooks/rotation/?api-version=1&sig=a%2Fb`),
    keys: parseWebhookKeys(Secret.text(keyText)),
    clock: {
      nowMs: () => startMs + passedMs,
      elapsedMs: () => passedMs,
      wait: (ms) => {
        waits.push(ms);
        passedMs += ms;
        return Promise.resolve();
      },
      random: (size) => new Uint8Array(size),
    },
    deadlineMs: 60_000,
    onRetry: (failure) => failures.push(failure),
    ...changes,
  };
  const outcome = await sendWebhook(message, delivery).then(
    (tries) => ({ tries, error: undefined }),
    (error: unknown) => ({ tries: undefined, error }),
  );
  return { ...outcome, waits, failures, received: receiver.received };
}

function verify(key: string, { body, headers }: Received): unknown {
  return new Webhook(key).verify(body, headers as Record<string, string>);
}

describe("sendWebhook", () => {
  it("sends one POST that the reference implementation takes, to the address as it was given", async () => {
    const { tries, received } = await send([{ status: 204 }]);
    expect([tries, received.length]).toEqual([1, 1]);
    const [request] = received as [Received];
    expect([request.method, request.url]).toEqual(["POST", "/hooks/rotation/?api-version=1&sig=a%2Fb"]);
    expect(request.headers["content-type"]).toBe("application/json");
    expect(verify(keyText, request)).toEqual(JSON.parse(message.body));
    expect(() => verify(otherText, request)).toThrow("No matching signature");
    expect(() => verify(keyText, { ...request, body: request.body.replace("€", "$") })).toThrow("No matching");
  });

  it("signs with each key, so that a receiver may change over", async () => {
    const keys = parseWebhookKeys(Secret.text(`${keyText} ${otherText}\n`));
    const [request] = (await send([{ status: 200 }], { keys })).received as [Received];
    for (const key of [keyText, otherText]) expect(verify(key, request)).toEqual(JSON.parse(message.body));
  });

  it("tries again, later each time, with the same id and body and a new time, until it is taken", async () => {
    const replies = [{ status: 503 }, { status: 500 }, "hang up", { status: 429 }, { status: 202 }] as const;
    const { tries, received, waits, failures } = await send([...replies]);
    expect(tries).toBe(5);
    expect(waits).toEqual([375, 750, 1500, 3000]);
    expect(new Set(received.map(({ headers, body }) => `${String(headers["webhook-id"])} ${body}`)).size).toBe(1);
    expect(new Set(received.map(({ headers }) => headers["webhook-timestamp"])).size).toBeGreaterThan(1);
    for (const request of received) expect(verify(keyText, request)).toEqual(JSON.parse(message.body));
    expect(failures.map((failure) => failure.class)).toEqual(["transient", "unknown", "unknown", "transient"]);
  });

  it("waits as long as the receiver asks, and begins no try after the deadline", async () => {
    const busy = { status: 503, headers: { "retry-after": "25" } };
    const { error, waits } = await send([busy]);
    expect(waits).toEqual([25_000, 25_000]);
    expect(error).toMatchObject({ code: "E_NETWORK", message: expect.stringContaining("after 3 tries") });
  });

  it.each([301, 400, 401, 404, 410])(
    "does not try again after %d, and repeats nothing of the answer",
    async (status) => {
      const { error, received } = await send([{ status, headers: { location: "/elsewhere" } }]);
      expect(received).toHaveLength(1);
      expect(error).toMatchObject({
        code: "E_NETWORK",
        message: expect.stringMatching(/not taken after 1 try: .*status/),
      });
      expect(String(error)).not.toMatch(/nobody prints|sig=|hooks/);
    },
  );

  it("gives up on what is not there without a word of the path", async () => {
    const gone = await startReceiver({ status: 200 });
    await gone.close();
    const { error, waits } = await send([{ status: 200 }], {
      endpoint: parseWebhookUrl(`${gone.url}/token-test`),
      deadlineMs: 1000,
    });
    expect(waits.length).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: "E_NETWORK" });
    expect(String(error)).not.toContain("token-test");
  });
});

describe("signMessage", () => {
  it("makes what the reference implementation makes, for any text, time and key", () => {
    const anyKey = fc.uint8Array({ minLength: 24, maxLength: 64 });
    const anyId = fc.stringMatching(/^[0-9a-f]{32}$/).map((hex) => `msg_${hex}`);
    const anyMs = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(anyKey, anyId, anyMs, fc.string({ unit: "grapheme" }), (bytes, id, nowMs, body) => {
        const text = Buffer.from(bytes).toString("base64");
        const headers = signMessage({ id, body }, parseWebhookKeys(Secret.text(text)), nowMs);
        expect(headers["webhook-signature"]).toBe(new Webhook(text).sign(id, new Date(nowMs), body));
        expect(headers["webhook-timestamp"]).toBe(String(Math.floor(nowMs / 1000)));
      }),
    );
  });
});

describe("parseWebhookKeys", () => {
  it.each([
    ["nothing", ""],
    ["23 bytes", Buffer.alloc(23, 1).toString("base64")],
    ["65 bytes", Buffer.alloc(65, 1).toString("base64")],
    ["a password", "test-canary-password-that-is-long-enough"],
    ["base64url", Buffer.alloc(32, 0xfb).toString("base64url")],
    ["a good one and a bad one", `${keyText} test-canary`],
  ])("refuses %s and does not repeat it", (_what, text) => {
    const parse = () => parseWebhookKeys(Secret.text(text));
    expect(parse).toThrow(expect.objectContaining({ code: "E_VALUE_UNFIT" }));
    expect(parse).not.toThrow(/canary/);
  });
});

describe("parseWebhookUrl", () => {
  it.each([
    "test-canary",
    "http://hooks.example.test/canary",
    "https://user:canary@hooks.example.test/",
    "https://hooks.example.test/#canary",
    "https://hooks.example.test/?a=canary&a=2",
    "file:///canary",
  ])("refuses %s and does not repeat it", (text) => {
    const parse = () => parseWebhookUrl(text);
    expect(parse).toThrow(expect.objectContaining({ code: "E_USAGE" }));
    expect(parse).not.toThrow(/canary/);
  });

  it("keeps host, path and query of an address", () => {
    expect(parseWebhookUrl("https://hooks.example.test:8443//a/%2e%2e/b:c/?x=%2F")).toEqual({
      host: "hooks.example.test:8443",
      baseUrl: "https://hooks.example.test:8443//b:c/",
      query: { x: "/" },
    });
  });
});

describe("nameMessage", () => {
  it("is the same for the same notices in any order, another for others, and has no full stop", () => {
    expect(nameMessage("repo", ["a", "b"])).toBe(nameMessage("repo", ["b", "a"]));
    expect(new Set([["a"], ["a", "b"], []].map((ids) => nameMessage("repo", ids))).size).toBe(3);
    expect(nameMessage("repo", ["a"])).not.toBe(nameMessage("repo.a", []));
    expect(nameMessage("repo.x", ["a.b"])).toMatch(/^msg_[0-9a-f]{32}$/);
  });
});
