import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isProviderFailure, type ProviderFailure } from "../../../src/net/provider-failure.ts";
import { httpRotator } from "../../../src/rotation/rotators/http.ts";
import type {
  ChosenProvider,
  MintedProvider,
  Provider,
  RolledProvider,
} from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { referenceKey } from "../../../src/services/secret-reference.ts";
import { adminToken, startTokenService, type TokenService } from "../../support/fakes/token-service.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { provesContract } from "../../support/provider-contract.ts";

let service: TokenService;
beforeAll(async () => {
  service = await startTokenService();
});
beforeEach(() => {
  service.keys.clear();
  service.values.clear();
});
afterAll(async () => await service.close());

const bearer = { authorization: "Bearer ${value}" };
const probe = { method: "GET", path: "/me", headers: bearer };
const shared = { url: "", headers: { authorization: "Bearer ${env:ADMIN}" } };
const preflight = { method: "GET", path: "/keys" };

const mintedRule = {
  ...shared,
  kind: "minted",
  steps: {
    preflight,
    identify: { ...probe, id: "/key/id" },
    mint: {
      method: "POST",
      path: "/keys",
      body: { name: "app sealtree-${tag}" },
      value: "/key/the~1value",
      id: "/key/id",
    },
    probe,
    inventory: {
      method: "GET",
      path: "/keys",
      items: "/data",
      id: "/id",
      tag: "/note",
      next: { cursor: "/next", query: "after" },
    },
    revoke: { method: "DELETE", path: "/keys/${id}" },
  },
};
const chosenRule = {
  ...shared,
  kind: "chosen",
  steps: {
    preflight,
    apply: { method: "PUT", path: "/values/", body: { password: "${value}" } },
    probe,
    revoke: { method: "POST", path: "/values/end", body: { password: "${value}" } },
  },
};
const rolledRule = {
  ...shared,
  kind: "rolled",
  outage: "accept",
  steps: { preflight, roll: { method: "POST", path: "/slot", value: "/value" }, probe },
};

async function openFor(rule: object, url = service.url): Promise<Provider> {
  const options = httpRotator.options.parse({ ...rule, url });
  const provider = await httpRotator.provider?.open(options, providerAccess({ ADMIN: `${adminToken}\n` }, 2000));
  if (provider === undefined) throw new Error("no provider");
  return provider;
}

async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderFailure(error)) throw new Error("it did not fail as a provider does");
  return error;
}

function problemOf(rule: object): string {
  const result = httpRotator.options.safeParse({ ...rule, url: "https://api.example.com" });
  return result.error?.issues.map(({ message }) => message).join("; ") ?? "none";
}

const unreachable = "http://127.0.0.1:1/v1";

describe("a minted credential by steps", () => {
  provesContract(
    async () => {
      service.keys.set("key/first", { value: "test-first-key", note: "by hand" });
      service.keys.set("key/other", { value: "test-other-key", note: "of others" });
      return {
        provider: await openFor(mintedRule),
        present: { value: Secret.text("test-first-key") },
        strange: { value: Secret.text("test-nothing") },
        unreachable: async () => await openFor(mintedRule, unreachable),
        logText: () => service.log(),
        publicParts: ["id"],
      };
    },
    { kind: "minted" },
  );

  it("is found on whichever page, and its tag tells whose it is", async () => {
    const provider = (await openFor(mintedRule)) as MintedProvider;
    for (const name of ["a", "b", "c"]) service.keys.set(name, { value: name, note: "" });
    const { id } = await provider.mint("0123456789abcdef");
    expect(await provider.inventory()).toEqual(["a", "b", "c", id]);
    expect(await provider.isTagged(id, "0123456789abcdef", new Date())).toBe(true);
    expect(await provider.isTagged("a", "0123456789abcdef", new Date())).toBe(false);
  });

  it("is not looked for on one page of several", async () => {
    const { next: _, ...inventory } = mintedRule.steps.inventory;
    const provider = (await openFor({
      ...mintedRule,
      steps: { ...mintedRule.steps, inventory: { ...inventory, method: "POST" } },
    })) as MintedProvider;
    service.answerNext(200, { link: '<https://x.test>; rel="next"' }, '{"data": []}');
    expect((await failureOf(provider.inventory())).message).toContain("further pages");
    service.answerNext(200, {}, '{"data": {}}');
    expect((await failureOf(provider.inventory())).message).toContain("no list");
  });

  it("may have its id beside it", async () => {
    const { identify: _, ...steps } = mintedRule.steps;
    const rule = { ...mintedRule, with_id: true, steps };
    const provider = (await openFor(rule)) as MintedProvider;
    const { id, parts } = await provider.mint("0123456789abcdef");
    expect(partOf({ parts }, "id")).toBe(id);
    expect((await provider.identify(parts))?.id).toBe(id);
    expect(await provider.identify({ id: Secret.text("key/none") })).toBeUndefined();
    expect(httpRotator.provider?.changing(httpRotator.options.parse({ ...rule, url: service.url }))).toEqual([
      "value",
      "id",
    ]);
  });

  it("is of an unknown fate when the answer has no value or id, which is not shown", async () => {
    const provider = (await openFor(mintedRule)) as MintedProvider;
    for (const json of [
      {},
      { key: { id: "a b", "the/value": "test-hidden" } },
      { key: { id: 1, "the/value": { x: "test-hidden" } } },
    ]) {
      service.answerNext(201, {}, JSON.stringify(json));
      const failure = await failureOf(provider.mint("0123456789abcdef"));
      expect(failure.class).toBe("unknown");
      expect(inspect(failure, { depth: 10 })).not.toContain("test-hidden");
    }
  });

  it("does not follow a redirect, and shows nothing of an answer", async () => {
    const provider = (await openFor(mintedRule)) as MintedProvider;
    service.answerNext(307, { location: "/v1/keys?test-hidden" }, "test-hidden");
    const failure = await failureOf(provider.mint("0123456789abcdef"));
    expect(failure.class).toBe("rejected");
    expect(inspect(failure, { depth: 10 })).not.toContain("test-hidden");
    expect(service.keys.size).toBe(0);
  });
});

describe("a chosen value by steps", () => {
  provesContract(
    async () => {
      service.values.add("test-first-value");
      return {
        provider: await openFor(chosenRule),
        present: { value: Secret.text("test-first-value") },
        strange: { value: Secret.text("test-nothing") },
        unreachable: async () => await openFor(chosenRule, unreachable),
        logText: () => service.log(),
      };
    },
    { kind: "chosen" },
  );

  it("is put into JSON by its encoder, whatever it is", async () => {
    const provider = (await openFor(chosenRule)) as ChosenProvider;
    const text = '"}, "admin": true, \\ \n€ ${value} \u2028';
    await provider.apply({ id: "x", parts: { value: Secret.text(text) } }, undefined);
    expect([...service.values]).toEqual([text]);
    const binary = { id: "x", parts: { value: Secret.of(Buffer.from([0xff]), "binary") } };
    expect((await failureOf(provider.apply(binary, undefined))).class).toBe("auth");
  });

  it("goes out with the administrator's token, and is tested without", async () => {
    const provider = (await openFor(chosenRule)) as ChosenProvider;
    const from = service.seen.length;
    const next = await provider.choose(undefined);
    await provider.apply(next, undefined);
    await provider.probe(next);
    expect(service.seen.slice(from).map(({ authorization }) => authorization)).toEqual([
      `Bearer ${adminToken}`,
      `Bearer ${partOf(next, "value")}`,
    ]);
    const bare = {
      ...chosenRule,
      steps: { ...chosenRule.steps, probe: { method: "POST", path: "/me", form: { token: "${value}" } } },
    };
    expect(await (await openFor(bare)).probe(next)).toBe("dead");
    expect(service.seen.at(-1)).toMatchObject({ authorization: "" });
  });

  it.each([
    [400, "rejected"],
    [422, "rejected"],
    [404, "auth"],
    [409, "limit"],
    [401, "auth"],
    [429, "transient"],
    [500, "unknown"],
  ])("that is refused with %i is %s", async (status, failureClass) => {
    const provider = (await openFor({ ...chosenRule, classes: { 409: "limit" } })) as ChosenProvider;
    service.answerNext(status, {}, "test-hidden");
    expect((await failureOf(provider.apply(await provider.choose(undefined), undefined))).class).toBe(failureClass);
  });

  it("may need the present one, and says so when that is not known", async () => {
    const apply = { ...chosenRule.steps.apply, body: { password: "${value}", old: "${current.value}" } };
    const provider = (await openFor({ ...chosenRule, steps: { ...chosenRule.steps, apply } })) as ChosenProvider;
    const next = await provider.choose(undefined);
    await provider.apply(next, { id: "x", parts: { value: Secret.text("test-old") } });
    expect(JSON.parse(service.seen.at(-1)?.body ?? "")).toEqual({ password: partOf(next, "value"), old: "test-old" });
    const failure = await failureOf(provider.apply(next, undefined));
    expect(failure).toMatchObject({ class: "auth", message: expect.stringContaining("not known") });
  });

  it("that ends the old one needs a word about the outage", () => {
    const { revoke: _, ...steps } = chosenRule.steps;
    expect(problemOf({ ...chosenRule, steps })).toContain("outage: accept");
    const rule = { ...chosenRule, outage: "accept", steps };
    expect(problemOf(rule)).toBe("none");
    expect(httpRotator.provider?.outage(httpRotator.options.parse({ ...rule, url: "https://a.test" }))).toContain(
      "ends",
    );
  });
});

describe("a rolled value by steps", () => {
  provesContract(
    async () => {
      service.slot = "test-first-slot";
      return {
        provider: await openFor(rolledRule),
        present: { value: Secret.text("test-first-slot") },
        strange: { value: Secret.text("test-nothing") },
        unreachable: async () => {
          const away = (await openFor(rolledRule, unreachable)) as RolledProvider;
          // Nothing is left to revoke, so nothing is sent; the slot is asked in its place.
          return { ...away, revoke: async () => void (await away.roll(undefined)) };
        },
        logText: () => service.log(),
      };
    },
    { kind: "rolled", hasOverlap: false },
  );
});

describe("the steps of a rule", () => {
  const { identify: _, ...unidentified } = mintedRule.steps;
  const withoutIdentify = { ...mintedRule, steps: unidentified };
  const withStep = (name: string, step: object) => ({
    ...mintedRule,
    steps: { ...mintedRule.steps, [name]: { ...(mintedRule.steps as Record<string, object>)[name], ...step } },
  });

  it("may be those of the tests", () => {
    expect([mintedRule, chosenRule, rolledRule].map(problemOf)).toEqual(["none", "none", "none"]);
  });

  it.each([
    ["an unknown placeholder", withStep("mint", { body: { a: "${value}" } }), "a placeholder here is ${tag}"],
    ["a value in a path", withStep("probe", { path: "/me/${value}" }), "a placeholder here is"],
    ["a reference in a path", withStep("mint", { path: "/${env:ADMIN}" }), "part of an address"],
    ["a reference in a query", withStep("mint", { query: { key: "${env:ADMIN}" } }), "part of an address"],
    ["a path that climbs", withStep("mint", { path: "/a/../b" }), "a path is written"],
    ["an empty segment", withStep("mint", { path: "/a//b" }), "a path is written"],
    ["a path with a query", withStep("mint", { path: "/a?b=c" }), "a path is written"],
    ["another host", withStep("mint", { path: "https://other.test/a" }), "a path is written"],
    ["a probe without the value", withStep("probe", { headers: {} }), "has to use ${value}"],
    ["a revocation of no one", withStep("revoke", { path: "/keys" }), "has to use ${id}"],
    ["a pointer that is none", withStep("mint", { id: "id" }), "JSON pointer"],
    ["two bodies", withStep("mint", { form: { a: "b" } }), "a body or a form"],
    ["two ways to log in", withStep("probe", { basic: { user: "a", password: "${value}" } }), "basic or a header"],
    ["a header that is none", withStep("mint", { headers: { "a b": "c" } }), "a header is named"],
    ["an outage that is none", { ...mintedRule, outage: "accept" }, "has no outage"],
    ["a class of no status", { ...mintedRule, classes: { 600: "limit" } }, "by status"],
    ["no outage", { ...rolledRule, outage: undefined }, "outage: accept"],
    ["an id that nobody knows", withoutIdentify, "the id of a value is not known"],
  ])("are refused with %s", (_, rule, problem) => {
    expect(problemOf(rule)).toContain(problem);
  });

  it("need TLS, but for this machine", () => {
    expect(httpRotator.options.safeParse({ ...mintedRule, url: "http://api.example.com" }).success).toBe(false);
    expect(httpRotator.options.safeParse({ ...mintedRule, url: "https://a:b@api.example.com" }).success).toBe(false);
  });

  it("say all their references", () => {
    const rule = withStep("mint", {
      basic: { user: "x", password: "${secret:prod/admin/B}" },
      headers: { "x-a": "${env:C}" },
    });
    const options = httpRotator.options.parse({ ...rule, url: "https://a.test", ca: "${env:CA}" });
    const names = httpRotator.provider?.references(options).map((it) => referenceKey(it).replace(/^.*[:/]/, ""));
    expect(names?.toSorted()).toEqual(["ADMIN", "B", "C", "CA"]);
  });
});
