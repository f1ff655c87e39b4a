import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpClient, type HttpRequest } from "../../../src/net/http-client.ts";
import { isProviderFailure } from "../../../src/net/provider-failure.ts";
import type { ChosenProvider } from "../../../src/rotation/rotators/provider.ts";
import { rabbitmqRotator } from "../../../src/rotation/rotators/rabbitmq.ts";
import { printBasic } from "../../../src/services/service-authorization.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { provesContract } from "../../support/provider-contract.ts";
import { startRabbitmq, type TestRabbitmq } from "../../support/servers/rabbitmq.ts";

const firstPassword = "test-first-password";
const lesserPassword = "test-lesser-password";
const vhost = "a/b c";
let server: TestRabbitmq;

beforeAll(async () => {
  server = await startRabbitmq();
  await call("PUT", ["vhosts", vhost]);
  await call("PUT", ["users", "lesser"], { password: lesserPassword, tags: ["management"] });
});
afterAll(async () => await server.stop());

async function call(method: HttpRequest["method"], path: readonly string[], json?: unknown): Promise<unknown> {
  const authorization = printBasic(server.adminUser, Secret.text(server.adminPassword));
  const client = createHttpClient({ baseUrl: server.managementUrl, timeoutMs: 10_000, headers: { authorization } });
  const body = json === undefined ? {} : { body: { json } };
  return (await client.send({ method, path: ["api", ...path], ...body, expect: [200, 201, 204] })).json;
}

async function openFor(users: readonly string[], own: Record<string, unknown> = {}): Promise<ChosenProvider> {
  const admin = { admin_user: server.adminUser, admin_password: "${env:ADMIN}" };
  const outage = users.length === 1 ? { outage: "accept" } : {};
  const written = { url: server.managementUrl, users, ...admin, ...outage, ...own };
  const access = providerAccess({ ADMIN: server.adminPassword, LESSER: lesserPassword, WRONG: "test-wrong" });
  const provider = await rabbitmqRotator.provider?.open(rabbitmqRotator.options.parse(written), access);
  if (provider?.kind !== "chosen") throw new Error("no chosen provider");
  return provider;
}

async function makeUser(name: string, tags: readonly string[] = []): Promise<void> {
  await call("PUT", ["users", name], { password: firstPassword, tags });
  await call("PUT", ["permissions", vhost, name], { configure: "^a", write: ".*", read: "" });
  await call("PUT", ["permissions", "/", name], { configure: "", write: "", read: ".*" });
  await call("PUT", ["topic-permissions", "/", name], { exchange: "amq.topic", write: "^a", read: ".*" });
}

/** All that a user may do. */
async function rightsOf(name: string): Promise<unknown> {
  const [user, permissions, topics] = await Promise.all([
    call("GET", ["users", name]),
    call("GET", ["users", name, "permissions"]),
    call("GET", ["users", name, "topic-permissions"]),
  ]);
  const withoutName = (list: unknown): unknown[] =>
    (list as Record<string, unknown>[])
      .map((entry) => ({ ...entry, user: "" }))
      .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  return { tags: (user as { tags: unknown }).tags, permissions: withoutName(permissions), topics: withoutName(topics) };
}

async function classOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no failure";
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    expect(inspect(error, { depth: 10 })).not.toMatch(/test-(?:first|admin|lesser|wrong)/);
    return error.class;
  }
}

const first = { password: Secret.text(firstPassword) };

describe("two users of RabbitMQ", () => {
  it("take turns, and both are let in until the old one is revoked", async () => {
    await makeUser("app_a", ["management", "policymaker"]);
    const provider = await openFor(["app_a", "app_b"]);
    const current = await provider.identify(first);
    if (current === undefined) throw new Error("the present password is not known");
    expect(await provider.preflight(current)).toEqual([expect.stringContaining("does not exist yet")]);
    const next = await provider.choose(current);
    expect([current.id, next.id, partOf(next, "user")]).toEqual(["app_a", "app_b", "app_b"]);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "dead"]);

    await provider.apply(next, current);
    const before = await call("GET", ["users", "app_b"]);
    await provider.apply(next, current);
    expect(await call("GET", ["users", "app_b"])).toEqual(before);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "live"]);
    expect(await rightsOf("app_b")).toEqual(await rightsOf("app_a"));

    await provider.revoke(current);
    await provider.revoke(current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
    expect(await rightsOf("app_a")).toEqual(await rightsOf("app_b"));
    expect(await provider.identify(first)).toBeUndefined();

    expect(await provider.preflight(next)).toEqual([]);
    const third = await provider.choose(next);
    expect(third.id).toBe("app_a");
    await provider.apply(third, next);
    expect((await provider.identify(third.parts))?.id).toBe("app_a");
    expect([await provider.probe(next), await provider.probe(third)]).toEqual(["live", "live"]);
    expect(await provider.preflight(third)).toEqual([expect.stringContaining("app_b has a password now")]);
  });

  it("have the same rights afterwards, also where the other had more, less, or others", async () => {
    await makeUser("mirror_a");
    await makeUser("mirror_b", ["monitoring"]);
    await call("PUT", ["permissions", vhost, "mirror_b"], { configure: ".*", write: ".*", read: ".*" });
    await call("DELETE", ["permissions", "/", "mirror_b"]);
    await call("PUT", ["vhosts", "more"]);
    await call("PUT", ["permissions", "more", "mirror_b"], { configure: ".*", write: ".*", read: ".*" });
    await call("PUT", ["topic-permissions", "/", "mirror_b"], { exchange: "amq.fanout", write: "", read: "" });
    await call("PUT", ["topic-permissions", "more", "mirror_b"], { exchange: "amq.topic", write: "", read: "" });
    const wanted = await rightsOf("mirror_a");
    const provider = await openFor(["mirror_a", "mirror_b"]);
    const current = await provider.identify({ ...first, user: Secret.text("mirror_a") });
    await provider.apply(await provider.choose(current), current);
    expect(await rightsOf("mirror_b")).toEqual(wanted);
    expect(await rightsOf("mirror_a")).toEqual(wanted);
  });

  it("keep a password that is not the one to revoke", async () => {
    await makeUser("kept_a");
    const provider = await openFor(["kept_a", "kept_b"]);
    await provider.revoke({
      id: "kept_a",
      parts: { password: Secret.text("test-other"), user: Secret.text("kept_a") },
    });
    expect(await provider.probe({ id: "kept_a", parts: { ...first, user: Secret.text("kept_a") } })).toBe("live");
    await provider.revoke({ id: "kept_b", parts: { ...first, user: Secret.text("kept_b") } });
  });
});

describe("one user of RabbitMQ", () => {
  it("has its one password changed, and a revocation of the old one leaves the new one", async () => {
    await makeUser("single");
    const rights = await rightsOf("single");
    const provider = await openFor(["single"]);
    const current = await provider.identify(first);
    if (current === undefined) throw new Error("the present password is not known");
    expect(await provider.preflight(current)).toEqual([]);
    const next = await provider.choose(current);
    expect(next.id).not.toBe(current.id);
    await provider.apply(next, current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
    await provider.revoke(current);
    expect(await provider.probe(next)).toBe("live");
    expect(await rightsOf("single")).toEqual(rights);
    await provider.revoke(next);
    expect(await provider.probe(next)).toBe("dead");
  });

  it("that is not there is an auth failure, and nobody is made", async () => {
    const provider = await openFor(["nobody"]);
    expect(await classOf(provider.preflight(undefined))).toBe("auth");
    expect(await classOf(provider.apply(await provider.choose(undefined), undefined))).toBe("auth");
    expect(await provider.identify(first)).toBeUndefined();
    await expect(call("GET", ["users", "nobody"])).rejects.toMatchObject({ message: expect.stringContaining("404") });
  });
});

describe("RabbitMQ", () => {
  it("that does not take the administrator is an auth failure", async () => {
    const wrong = await openFor(["single"], { admin_password: "${env:WRONG}" });
    expect(await classOf(wrong.preflight(undefined))).toBe("auth");
    const lesser = await openFor(["single"], { admin_user: "lesser", admin_password: "${env:LESSER}" });
    expect(await classOf(lesser.preflight(undefined))).toBe("auth");
    expect(await classOf(lesser.apply(await lesser.choose(undefined), undefined))).toBe("auth");
  });

  it("that is not there is transient, and its credentials are unknown", async () => {
    const provider = await openFor(["single"], { url: "http://127.0.0.1:1" });
    const next = await provider.choose(undefined);
    expect(await classOf(provider.preflight(undefined))).toBe("transient");
    expect(await classOf(provider.apply(next, undefined))).toBe("transient");
    expect(await provider.probe(next)).toBe("unknown");
  });

  it("that does not answer a change is unknown", async () => {
    const user = { name: "single", password_hash: "", hashing_algorithm: "rabbit_password_hashing_sha256", tags: [] };
    const fake = createServer((request, response) => {
      if (request.method === "GET") response.end(JSON.stringify(user));
      else response.socket?.destroy();
    });
    await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`;
      const provider = await openFor(["single"], { url });
      expect(await classOf(provider.apply(await provider.choose(undefined), undefined))).toBe("unknown");
    } finally {
      fake.close();
    }
  });

  it("never writes about a password, at its most verbose", async () => {
    await makeUser("logged_a");
    const provider = await openFor(["logged_a", "logged_b"]);
    const next = await provider.choose(undefined);
    await provider.apply(next, undefined);
    await provider.probe(next);
    await provider.revoke(next);
    await provider.probe(next);
    expect(server.logText()).toContain("logged_b");
    const password = partOf(next, "password");
    expect(server.logText()).not.toContain(password);
    expect(server.logText()).not.toContain(Buffer.from(`logged_b:${password}`).toString("base64"));
  });
});

describe.each([true, false])("the rotator rabbitmq, with two users: %s", (hasOverlap) => {
  let made = 0;
  provesContract(
    async () => {
      const users = [`contract_${++made}_a`, `contract_${made}_b`].slice(0, hasOverlap ? 2 : 1);
      const own = `test-first-password-${String(hasOverlap)}-${made}`;
      await call("PUT", ["users", users[0] ?? ""], { password: own, tags: [] });
      return {
        provider: await openFor(users),
        present: { password: Secret.text(own), user: Secret.text(users[0] ?? "") },
        strange: { password: Secret.text("test-of-something-else"), user: Secret.text("contract_nobody") },
        unreachable: async () => await openFor(users, { url: "http://127.0.0.1:1" }),
        logText: () => server.logText(),
      };
    },
    { kind: "chosen", hasOverlap },
  );
});
