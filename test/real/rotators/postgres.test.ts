import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ChosenProvider, Credential } from "../../../src/rotation/rotators/provider.ts";
import { postgresRotator } from "../../../src/rotation/rotators/postgres.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { failureOf, provesContract, renew } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { startPostgres, type TestPostgres } from "../../support/servers/postgres.ts";
import { findFreePort, startSilentServer } from "../../support/servers/server-process.ts";

let server: TestPostgres;
let admin: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  admin = await connect(server.adminUser, server.adminPassword);
});
afterAll(async () => {
  await admin.end();
  await server.stop();
});

const presentPassword = "test-present-password-of-a-role";
let roles = 0;

/** A rule of two new roles, the first of which is in use. */
async function makeRule(own: Record<string, unknown> = {}, count = 2) {
  const users = Array.from({ length: count }, () => `test_app_${++roles}`);
  for (const user of users) await admin.query(`CREATE ROLE "${user}" LOGIN`);
  await admin.query(`ALTER ROLE "${users[0] ?? ""}" PASSWORD '${await verifierOf(presentPassword)}'`);
  const rule = {
    host: server.host,
    port: server.port,
    database: server.database,
    users,
    admin: "${env:TEST_ADMIN}",
    ...own,
  };
  const present = { user: Secret.text(users[0] ?? ""), password: Secret.text(presentPassword) };
  return { rule, users, present, first: users[0] ?? "", second: users[1] ?? "" };
}

async function open(
  rule: Record<string, unknown>,
  values: Record<string, string> = {},
  timeoutMs = 10_000,
): Promise<ChosenProvider> {
  const url = `postgres://${server.adminUser}:${server.adminPassword}@${String(rule["host"])}:${String(rule["port"])}/`;
  const access = providerAccess({ TEST_ADMIN: url, ...values }, timeoutMs);
  const provider = await postgresRotator.provider?.open(postgresRotator.options.parse(rule), access);
  if (provider?.kind !== "chosen") throw new Error("not a chosen provider");
  onTestFinished(async () => await provider.close());
  return provider;
}

async function connect(user: string, password: string): Promise<pg.Client> {
  const client = new pg.Client({ host: server.host, port: server.port, database: server.database, user, password });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Made by the server itself, so that ours is compared with another implementation. */
async function verifierOf(password: string): Promise<string> {
  const name = `test_made_${++roles}`;
  await admin.query("SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_messages = fatal");
  await admin.query(`CREATE ROLE ${name} PASSWORD '${password}'`);
  const { rows } = await admin.query<{ verifier: string }>(
    "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1",
    [name],
  );
  await admin.query(`DROP ROLE ${name}; RESET log_statement; RESET log_min_duration_statement; RESET log_min_messages`);
  return rows[0]?.verifier ?? "";
}

describe("two roles", () => {
  provesContract(
    async () => {
      const { rule, present } = await makeRule();
      return {
        provider: await open(rule),
        present,
        strange: { user: Secret.text("test_nobody"), password: Secret.text(presentPassword) },
        unreachable: async () => await open({ ...rule, port: await findFreePort() }),
        logText: () => server.logText(),
      };
    },
    { kind: "chosen" },
  );
});

describe("one role", () => {
  provesContract(
    async () => {
      const { rule, present } = await makeRule({ outage: "accept" }, 1);
      return {
        provider: await open(rule),
        present,
        strange: { user: Secret.text("test_nobody"), password: Secret.text(presentPassword) },
        unreachable: async () => await open({ ...rule, port: await findFreePort() }),
        logText: () => server.logText(),
      };
    },
    { kind: "chosen", hasOverlap: false },
  );
});

describe("postgres", () => {
  it("would find a password in the log, had one been sent", async () => {
    const { first } = await makeRule();
    await admin.query(`ALTER ROLE "${first}" PASSWORD 'test-password-that-is-logged'`);
    expect(server.logText()).toContain("test-password-that-is-logged");
  });

  it("finds whose the present password is when the user is not kept", async () => {
    const { rule, first, present } = await makeRule();
    const provider = await open(rule);
    expect((await provider.identify({ password: present.password }))?.id).toBe(first);
    expect(await provider.identify({ password: Secret.text("test-some-other-password") })).toBeUndefined();
  });

  it("takes turns", async () => {
    const { rule, first, second, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    const next = await provider.choose(current);
    expect([current.id, next.id, (await provider.choose(next)).id]).toEqual([first, second, first]);
  });

  it("does not change the role that is in use", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    expect(await failureOf(provider.apply(current, current))).toBe("rejected");
  });

  it("leaves alone a role that has another password by now", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const first = await identified(provider, present);
    const second = await renew(provider, first);
    const third = await renew(provider, second);
    await provider.revoke(first);
    expect(await provider.probe(third)).toBe("live");
  });

  it("refuses a credential of a role that the rule does not name", async () => {
    const { rule } = await makeRule();
    const other = await makeRule();
    const [provider, otherProvider] = [await open(rule), await open(other.rule)];
    const foreign = await identified(otherProvider, other.present);
    expect(await failureOf(provider.revoke(foreign))).toBe("rejected");
    expect(await otherProvider.probe(foreign)).toBe("live");
  });

  it("keeps connections as they are, or ends those of the old role when the rule says so", async () => {
    for (const terminate of [false, true]) {
      const { rule, first, present } = await makeRule({ terminate_sessions: terminate });
      const provider = await open(rule);
      const current = await identified(provider, present);
      const session = await connect(first, presentPassword);
      const ended = new Promise((resolve) => session.once("end", () => resolve("ended")));
      const next = await renew(provider, current);
      await provider.revoke(current);
      if (terminate) expect(await ended).toBe("ended");
      else expect((await session.query("SELECT 1")).rowCount).toBe(1);
      expect(await provider.probe(next)).toBe("live");
      await session.end();
    }
  });

  it("has the number of rounds that the server asks for in its verifier, and the server's own form", async () => {
    const { rule, second, present } = await makeRule();
    const provider = await open(rule);
    await renew(provider, await identified(provider, present));
    const { rows } = await admin.query<{ verifier: string }>(
      "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1",
      [second],
    );
    const form = /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/;
    expect(rows[0]?.verifier).toMatch(form);
  });

  it("runs with the rights that its page names, and says which are missing", async () => {
    const { rule, users, present } = await makeRule({ terminate_sessions: true });
    await admin.query(`CREATE ROLE test_rotator_${roles} LOGIN PASSWORD 'test-rotator-password'`);
    const name = `test_rotator_${roles}`;
    const url = `postgres://${name}:test-rotator-password@${server.host}:${server.port}/`;
    const attempt = async () => await failureOf((await open(rule, { TEST_ADMIN: url })).preflight(undefined));
    expect(await attempt()).toBe("auth");
    await admin.query(`ALTER ROLE ${name} CREATEROLE`);
    expect(await attempt()).toBe("auth");
    await admin.query(`GRANT pg_signal_backend TO ${name}`);
    const provider = await open(rule, { TEST_ADMIN: url });
    expect((await provider.preflight(undefined))[0]).toMatch(/^PostgreSQL \d/);
    const current = await identified(provider, present);
    const next = await renew(provider, current);
    await provider.revoke(current);
    expect([await provider.probe(current), next.id]).toEqual(["dead", users[1]]);
  });

  it("finds that there is no slot: no such role, one that may not log in, one that has expired", async () => {
    for (const change of ["DROP ROLE", "ALTER ROLE NOLOGIN", "ALTER ROLE VALID UNTIL '2020-01-01'"]) {
      const { rule, second } = await makeRule();
      const [verb = "", kind = "", ...rest] = change.split(" ");
      await admin.query([verb, kind, `"${second}"`, ...rest].join(" "));
      expect(await failureOf((await open(rule)).preflight(undefined))).toBe("limit");
    }
  });

  it("has a remark where the two roles do not belong to the same roles", async () => {
    const { rule, first } = await makeRule();
    await admin.query(`CREATE ROLE test_owner_${roles}; GRANT test_owner_${roles} TO "${first}"`);
    const remarks = await (await open(rule)).preflight(undefined);
    expect(remarks.filter((remark) => remark.includes("not members of the same roles"))).toHaveLength(1);
  });

  it("does not get in with a wrong administrator, nor goes to another host than the rule's", async () => {
    const { rule } = await makeRule();
    const wrong = `postgres://${server.adminUser}:test-wrong-password@${server.host}:${server.port}/`;
    expect(await failureOf((await open(rule, { TEST_ADMIN: wrong })).preflight(undefined))).toBe("auth");
    for (const place of [`db.example.com:${server.port}`, `${server.host}:1`, "localhost"]) {
      const elsewhere = `postgres://${server.adminUser}:${server.adminPassword}@${place}/`;
      expect(await failureOf(open(rule, { TEST_ADMIN: elsewhere }))).toBe("auth");
    }
  });

  it("says that a role of no password and one that may not log in are dead", async () => {
    const { rule, first, second, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    await admin.query(`ALTER ROLE "${first}" NOLOGIN`);
    const unset: Credential = { id: second, parts: { user: Secret.text(second), password: present.password } };
    expect([await provider.probe(current), await provider.probe(unset)]).toEqual(["dead", "dead"]);
  });

  it("checks the certificate and the name in it", async () => {
    const { rule, present } = await makeRule({ tls: "verify", ca: server.caPem });
    const provider = await open(rule);
    const next = await renew(provider, await identified(provider, present));
    expect(await provider.probe(next)).toBe("live");
    const byName = await open({ ...rule, host: "localhost" });
    expect(await byName.probe(next)).toBe("live");
    const strict = await open(Object.fromEntries(Object.entries(rule).filter(([name]) => name !== "ca")));
    expect([await strict.probe(next), await failureOf(strict.preflight(undefined))]).toEqual(["unknown", "auth"]);
    const misnamed = await open({ ...rule, host: "127.0.0.2" });
    expect(await misnamed.probe(next)).toBe("unknown");
  });

  it("does not wait for ever: a server that is silent cannot be asked, and a change without an answer is unknown", async () => {
    const { rule, present } = await makeRule();
    const current = await identified(await open(rule), present);
    const silent = await startSilentServer();
    try {
      const provider = await open({ ...rule, port: silent.port }, {}, 300);
      expect([await provider.probe(current), await failureOf(provider.preflight(current))]).toEqual([
        "unknown",
        "transient",
      ]);
    } finally {
      await silent.stop();
    }
    const provider = await open(rule, {}, 500);
    const next = await provider.choose(current);
    const holder = await connect(server.adminUser, server.adminPassword);
    try {
      await holder.query("BEGIN");
      await holder.query(`ALTER ROLE "${next.id}" CONNECTION LIMIT 5`);
      expect(await failureOf(provider.apply(next, current))).toBe("unknown");
    } finally {
      await holder.end();
    }
  });

  it("does not know the outcome when the connection is lost after the change was sent", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    const next = await provider.choose(current);
    const holder = await connect(server.adminUser, server.adminPassword);
    await holder.query("BEGIN");
    await holder.query(`ALTER ROLE "${next.id}" CONNECTION LIMIT 5`);
    const change = failureOf(provider.apply(next, current));
    for (let waiting = 0; waiting === 0;) {
      const { rowCount } = await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sealtree' AND wait_event_type = 'Lock'",
      );
      waiting = rowCount ?? 0;
    }
    await holder.end();
    expect(await change).toBe("unknown");
  });

  it("tries again later when two change one role at once", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    const next = await provider.choose(current);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => provider.apply(next, current)));
    const classes = outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? "done" : (outcome.reason as { class: string }).class,
    );
    expect(classes).toContain("done");
    expect(classes.filter((it) => it !== "done" && it !== "transient")).toEqual([]);
    expect(await provider.probe(next)).toBe("live");
  });

  it("does not trust a server that lets everybody in", async () => {
    const trusting = await startPostgres({ hba: "trust" });
    try {
      const users = ["test_a", "test_b"];
      const client = new pg.Client({
        host: trusting.host,
        port: trusting.port,
        database: trusting.database,
        user: trusting.adminUser,
      });
      await client.connect();
      for (const user of users) await client.query(`CREATE ROLE ${user} LOGIN`);
      await client.end();
      const rule = {
        host: trusting.host,
        port: trusting.port,
        database: "postgres",
        users,
        admin: "${env:TEST_ADMIN}",
      };
      const provider = await open(rule);
      expect(await failureOf(provider.preflight(undefined))).toBe("auth");
      const any = await provider.choose(undefined);
      expect(await provider.probe(any)).toBe("unknown");
    } finally {
      await trusting.stop();
    }
  });
});

async function identified(provider: ChosenProvider, present: Record<string, Secret>): Promise<Credential> {
  const found = await provider.identify(present);
  if (found === undefined) throw new Error("not identified");
  return found;
}
