import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mysqlRotator } from "../../../src/rotation/rotators/mysql.ts";
import type { ChosenProvider, Credential } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { failureOf, provesContract, renew } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { account, startFakeMysql, type FakeMysql } from "../../support/servers/fake-mysql.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

describe("mysql, with a strict fake of MySQL 8", () => {
  const presentPassword = "test-present-password-of-a-user";
  let server: FakeMysql;
  let users = 0;
  beforeAll(async () => {
    server = await startFakeMysql();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(() => {
    server.accounts.splice(0);
    server.statements.splice(0);
    Object.assign(server.settings, {
      readOnly: false,
      mayAlter: true,
      refusesPasswords: false,
      dropsNextChange: false,
    });
  });

  const makeRule = (count: number, own: Record<string, unknown> = {}) => {
    const names = Array.from({ length: count }, () => `test_app_${++users}`);
    server.accounts.push(
      ...names.map((name, at) => account(name, at === 0 ? presentPassword : "test-spare-password-of-a-user")),
    );
    const rule = { host: server.host, port: server.port, users: names, admin: "${env:TEST_ADMIN}", ...own };
    return { rule, present: { user: Secret.text(names[0] ?? ""), password: Secret.text(presentPassword) } };
  };
  const open = async (rule: Record<string, unknown>): Promise<ChosenProvider> => {
    const url = `mysql://${server.adminUser}:${server.adminPassword}@${String(rule["host"])}:${String(rule["port"])}/`;
    const access = providerAccess({ TEST_ADMIN: url });
    const provider = await mysqlRotator.provider?.open(mysqlRotator.options.parse(rule), access);
    if (provider?.kind !== "chosen") throw new Error("not a chosen provider");
    return provider;
  };
  const subject = async (count: number, own: Record<string, unknown> = {}) => {
    const { rule, present } = makeRule(count, own);
    return {
      provider: await open(rule),
      present,
      strange: { user: Secret.text("test_nobody"), password: Secret.text(presentPassword) },
      unreachable: async () => await open({ ...rule, port: await findFreePort() }),
      logText: () => server.logText(),
    };
  };
  const begin = async (count = 1) => {
    const { provider, present } = await subject(count);
    const current = await provider.identify(present);
    if (current === undefined) throw new Error("not identified");
    return { provider, current, account: server.accounts[0] as (typeof server.accounts)[number] };
  };

  describe("one user with two passwords", () => {
    provesContract(async () => await subject(1), { kind: "chosen" });
  });
  describe("two users", () => {
    provesContract(async () => await subject(2), { kind: "chosen" });
  });
  describe("one user with one password", () => {
    provesContract(async () => await subject(1, { outage: "accept" }), { kind: "chosen", hasOverlap: false });
  });

  it("would find a password in the log, had one been sent elsewhere than in ALTER USER", async () => {
    server.statements.push("SELECT 'test-logged'", "ALTER USER 'a'@'%' IDENTIFIED BY 'test-hidden'");
    expect(server.logText()).toContain("test-logged");
    expect(server.logText()).not.toContain("test-hidden");
  });

  it("does not retain twice, which would end the password that is in use", async () => {
    const { provider, current, account: own } = await begin();
    const next = await renew(provider, current);
    await provider.apply(next, current);
    expect([own.second, await provider.probe(current)]).toEqual([presentPassword, "live"]);
    expect(server.statements.filter((sql) => sql.includes("RETAIN"))).toHaveLength(1);
  });

  it("has no slot while the older password is not discarded, and leaves both as they are", async () => {
    const { provider, current } = await begin();
    const next = await renew(provider, current);
    expect(await failureOf(provider.preflight(next))).toBe("limit");
    expect(await failureOf(provider.apply(await provider.choose(next), next))).toBe("limit");
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "live"]);
  });

  it("never discards the old password when it is asked to end the new one", async () => {
    const { provider, current } = await begin();
    const next = await renew(provider, current);
    expect(await failureOf(provider.revoke(next))).toBe("limit");
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "live"]);
  });

  it("does not discard what it did not set", async () => {
    const { provider, current, account: own } = await begin();
    Object.assign(own, { first: "test-set-by-hand", second: presentPassword });
    expect(await failureOf(provider.revoke(current))).toBe("limit");
    expect(own.second).toBe(presentPassword);
  });

  it("finds after a lost answer that the change was made", async () => {
    const { provider, current, account: own } = await begin();
    const next: Credential = await provider.choose(current);
    server.settings.dropsNextChange = true;
    expect(await failureOf(provider.apply(next, current))).toBe("unknown");
    expect(await provider.probe(next)).toBe("live");
    await provider.apply(next, current);
    expect(own.second).toBe(presentPassword);
  });

  it.each([
    ["auth", { mayAlter: false }],
    ["transient", { readOnly: true }],
  ])("finds before a rotation that it is %s", async (failureClass, settings) => {
    const { provider } = await begin();
    Object.assign(server.settings, settings);
    expect(await failureOf(provider.preflight(undefined))).toBe(failureClass);
  });

  it("says of a password that the server's policy refuses that it was rejected", async () => {
    const { provider, current } = await begin();
    server.settings.refusesPasswords = true;
    expect(await failureOf(provider.apply(await provider.choose(current), current))).toBe("rejected");
    expect(await provider.probe(current)).toBe("live");
  });

  it.each([
    ["locked", { isLocked: true }],
    ["of another kind of login", { plugin: "authentication_ldap_simple" }],
  ])("has no slot in an account that is %s", async (_, change) => {
    const { provider, account: own } = await begin();
    Object.assign(own, change);
    expect(await failureOf(provider.preflight(undefined))).toBe("limit");
  });

  it("never repeats what the server said", async () => {
    const { provider, current } = await begin();
    server.settings.mayAlter = false;
    const next = await provider.choose(current);
    const error: unknown = await provider.apply(next, current).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ class: "auth" });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("refused by the test");
    expect(String((error as Error).stack)).not.toContain(next.parts["password"]?.revealText());
  });
});
