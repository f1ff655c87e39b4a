import { createConnection, type Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { hashNative } from "../../../src/rotation/rotators/mysql-statements.ts";
import { mysqlRotator } from "../../../src/rotation/rotators/mysql.ts";
import type { ChosenProvider, Credential } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { failureOf, provesContract, renew } from "../../support/provider-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { startMariadb, type TestMariadb } from "../../support/servers/mariadb.ts";
import { findFreePort, startSilentServer } from "../../support/servers/server-process.ts";

let server: TestMariadb;
let admin: Connection;
beforeAll(async () => {
  server = await startMariadb();
  admin = await connect(server.adminUser, server.adminPassword);
});
afterAll(async () => {
  admin.destroy();
  await server.stop();
});

const presentPassword = "test-present-password-of-a-user";
let users = 0;

/** A rule of new users, the first of which is in use. */
async function makeRule(own: Record<string, unknown> = {}, count = 2) {
  const names = Array.from({ length: count }, () => `test_app_${++users}`);
  for (const name of names) {
    const password = name === names[0] ? presentPassword : "test-spare-password-of-a-user";
    await admin.query(`CREATE USER '${name}'@'%' IDENTIFIED BY PASSWORD '${hashNative(Buffer.from(password))}'`);
  }
  const rule = { host: server.host, port: server.port, users: names, admin: "${env:TEST_ADMIN}", ...own };
  const [first = "", second = ""] = names;
  return { rule, first, second, present: { user: Secret.text(first), password: Secret.text(presentPassword) } };
}

async function open(
  rule: Record<string, unknown>,
  values: Record<string, string> = {},
  timeoutMs = 10_000,
): Promise<ChosenProvider> {
  const url = `mysql://${server.adminUser}:${server.adminPassword}@${String(rule["host"])}:${String(rule["port"])}/`;
  const access = providerAccess({ TEST_ADMIN: url, ...values }, timeoutMs);
  const provider = await mysqlRotator.provider?.open(mysqlRotator.options.parse(rule), access);
  if (provider?.kind !== "chosen") throw new Error("not a chosen provider");
  onTestFinished(async () => await provider.close());
  return provider;
}

async function connect(user: string, password: string): Promise<Connection> {
  const connection = await createConnection({ host: server.host, port: server.port, user, password });
  connection.on("error", () => undefined);
  return connection;
}

async function identified(provider: ChosenProvider, present: Record<string, Secret>): Promise<Credential> {
  const found = await provider.identify(present);
  if (found === undefined) throw new Error("not identified");
  return found;
}

describe("two users", () => {
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

describe("one user", () => {
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

describe("mysql, with MariaDB", () => {
  it("would find a password in the log, had one been sent", async () => {
    const { first } = await makeRule();
    await admin.query(`SET PASSWORD FOR '${first}'@'%' = PASSWORD('test-password-that-is-logged')`);
    await admin.query("SELECT 'test-value-that-is-logged'");
    expect(server.logText()).toContain("test-value-that-is-logged");
    expect(server.logText()).toContain(first);
  });

  it("does not retain a password, so that one user without outage: accept has no slot", async () => {
    const { rule } = await makeRule({}, 1);
    expect(await failureOf((await open(rule)).preflight(undefined))).toBe("limit");
  });

  it("finds whose the present password is when the user is not kept", async () => {
    const { rule, first, present } = await makeRule();
    const provider = await open(rule);
    expect((await provider.identify({ password: present.password }))?.id).toBe(first);
    expect(await provider.identify({ password: Secret.text("test-some-other-password") })).toBeUndefined();
  });

  it("takes turns, and does not change the user that is in use", async () => {
    const { rule, first, second, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    const next = await provider.choose(current);
    expect([current.id, next.id, (await provider.choose(next)).id]).toEqual([first, second, first]);
    expect(await failureOf(provider.apply(current, current))).toBe("rejected");
  });

  it("leaves alone a user that has another password by now", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const first = await identified(provider, present);
    const third = await renew(provider, await renew(provider, first));
    await provider.revoke(first);
    expect(await provider.probe(third)).toBe("live");
  });

  it("keeps connections as they are, or ends those of the old user when the rule says so", async () => {
    for (const terminates of [false, true]) {
      const { rule, first, present } = await makeRule({ terminate_sessions: terminates });
      const provider = await open(rule);
      await provider.preflight(undefined);
      const current = await identified(provider, present);
      const session = await connect(first, presentPassword);
      const next = await renew(provider, current);
      await provider.revoke(current);
      const answer = await session.query("SELECT 1").then(
        () => "kept",
        () => "ended",
      );
      expect([answer, await provider.probe(next)]).toEqual([terminates ? "ended" : "kept", "live"]);
      session.destroy();
    }
  });

  it("runs with the rights that its page names, and says which are missing", async () => {
    const { rule, second, present } = await makeRule({ terminate_sessions: true });
    const name = `test_rotator_${users}`;
    await admin.query(`CREATE USER '${name}'@'%' IDENTIFIED BY 'test-rotator-password'`);
    const url = `mariadb://${name}:test-rotator-password@${server.host}:${server.port}/`;
    const attempt = async () => await failureOf((await open(rule, { TEST_ADMIN: url })).preflight(undefined));
    expect(await attempt()).toBe("auth");
    await admin.query(`GRANT SELECT ON mysql.user TO '${name}'@'%'`);
    await admin.query(`GRANT SELECT ON mysql.global_priv TO '${name}'@'%'`);
    expect(await attempt()).toBe("auth");
    await admin.query(`GRANT CREATE USER ON *.* TO '${name}'@'%'`);
    expect(await attempt()).toBe("auth");
    await admin.query(`GRANT CONNECTION ADMIN, PROCESS ON *.* TO '${name}'@'%'`);
    const provider = await open(rule, { TEST_ADMIN: url });
    expect((await provider.preflight(undefined))[0]).toMatch(/^MariaDB \d/);
    const current = await identified(provider, present);
    const next = await renew(provider, current);
    await provider.revoke(current);
    expect([await provider.probe(current), next.id]).toEqual(["dead", second]);
  });

  it("finds that there is no slot: no such account, a locked one, one that logs in in another way", async () => {
    const changes = ["DROP USER NAME", "ALTER USER NAME ACCOUNT LOCK", "ALTER USER NAME IDENTIFIED VIA unix_socket"];
    for (const change of changes) {
      const { rule, second } = await makeRule();
      await admin.query(change.replace("NAME", `'${second}'@'%'`));
      expect(await failureOf((await open(rule)).preflight(undefined))).toBe("limit");
    }
  });

  it("says that a locked account and one of another kind of login are dead", async () => {
    const { rule, first, second } = await makeRule();
    const provider = await open(rule);
    await admin.query(`ALTER USER '${first}'@'%' ACCOUNT LOCK`);
    await admin.query(`ALTER USER '${second}'@'%' IDENTIFIED VIA unix_socket`);
    const of = (user: string): Credential => ({
      id: user,
      parts: { user: Secret.text(user), password: Secret.text(presentPassword) },
    });
    expect([await provider.probe(of(first)), await provider.probe(of(second))]).toEqual(["dead", "dead"]);
  });

  it("has a remark where a user has more than one account", async () => {
    const { rule, first } = await makeRule();
    await admin.query(`CREATE USER '${first}'@'192.0.2.1'`);
    const remarks = await (await open(rule)).preflight(undefined);
    expect(remarks.filter((remark) => remark.includes("other accounts"))).toHaveLength(1);
  });

  it("says before it changes anything that a server which checks passwords takes no hashes", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    await admin.query("INSTALL SONAME 'simple_password_check'");
    onTestFinished(async () => void (await admin.query("UNINSTALL SONAME 'simple_password_check'")));
    expect(await failureOf(provider.preflight(current))).toBe("auth");
    expect(await failureOf(provider.apply(await provider.choose(current), current))).toBe("limit");
    expect(await provider.probe(current)).toBe("live");
  });

  it("waits for a server that is read-only", async () => {
    const { rule } = await makeRule();
    await admin.query("SET GLOBAL read_only = ON");
    onTestFinished(async () => void (await admin.query("SET GLOBAL read_only = OFF")));
    expect(await failureOf((await open(rule)).preflight(undefined))).toBe("transient");
  });

  it("does not get in with a wrong administrator, nor goes to another host than the rule's", async () => {
    const { rule } = await makeRule();
    const wrong = `mysql://${server.adminUser}:test-wrong-password@${server.host}:${server.port}/`;
    expect(await failureOf((await open(rule, { TEST_ADMIN: wrong })).preflight(undefined))).toBe("auth");
    for (const place of [`db.example.com:${server.port}`, `${server.host}:1`, "localhost"]) {
      const elsewhere = `mysql://${server.adminUser}:${server.adminPassword}@${place}/`;
      expect(await failureOf(open(rule, { TEST_ADMIN: elsewhere }))).toBe("auth");
    }
  });

  it("checks the certificate and the name in it", async () => {
    const { rule, present } = await makeRule({ host: "localhost", tls: "verify", ca: server.caPem });
    const provider = await open(rule);
    const next = await renew(provider, await identified(provider, present));
    expect(await provider.probe(next)).toBe("live");
    const strict = await open(Object.fromEntries(Object.entries(rule).filter(([name]) => name !== "ca")));
    expect([await strict.probe(next), await failureOf(strict.preflight(undefined))]).toEqual(["unknown", "auth"]);
    const misnamed = await open({ ...rule, host: "localhost.localdomain" });
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
      await holder.query("LOCK TABLES mysql.global_priv WRITE");
      expect(await failureOf(provider.apply(next, current))).toBe("unknown");
    } finally {
      holder.destroy();
    }
  });

  it("does not know the outcome when the connection is ended after the change was sent", async () => {
    const { rule, present } = await makeRule();
    const provider = await open(rule);
    const current = await identified(provider, present);
    const next = await provider.choose(current);
    const holder = await connect(server.adminUser, server.adminPassword);
    await holder.query("LOCK TABLES mysql.global_priv WRITE");
    const change = failureOf(provider.apply(next, current));
    for (let id: number | undefined; id === undefined;) {
      const [rows] = await admin.query(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER USER%'",
      );
      id = (rows as { id: number }[])[0]?.id;
      if (id !== undefined) await admin.query(`KILL CONNECTION ${id}`);
    }
    holder.destroy();
    expect(await change).toBe("unknown");
    expect(await provider.probe(current)).toBe("live");
  });
});
