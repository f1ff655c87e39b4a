import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { generateIdentity } from "../../../src/crypto/identity.ts";
import { postgresMigrations } from "../../../src/deploy/targets/sql-postgres-tables.ts";
import { writeChange } from "../../../src/deploy/targets/sql-write.ts";
import { postgresTarget } from "../../../src/deploy/targets/postgres.ts";
import { Secret } from "../../../src/secret/secret.ts";
import type { RunSql } from "../../../src/services/sql-database.ts";
import { postgresDatabase } from "../../../src/services/postgres-database.ts";
import { readSqlValue, readSqlValues } from "../../../src/services/sql-reader.ts";
import { parseRowKey } from "../../../src/services/sql-row-key.ts";
import { sqlTables } from "../../../src/services/sql-tables.ts";
import { findCanaries } from "../../support/canary.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { readSqlBlocks } from "../../support/sql-blocks.ts";
import { startPostgres, type TestPostgres } from "../../support/servers/postgres.ts";
import { findFreePort, startSilentServer } from "../../support/servers/server-process.ts";
import { deploySql, describesSqlTable, sqlItem, testKey } from "../../support/sql-table-contract.ts";
import { recordProgress, targetFailure } from "../../support/target-contract.ts";

let server: TestPostgres;
let closedPort: number;
beforeAll(async () => {
  // Trees of every statement of all these tests would be more than fits into memory.
  server = await startPostgres({ settings: quiet });
  closedPort = await findFreePort();
});
afterAll(async () => await server.stop());

const quiet = [
  "log_statement=none",
  "log_min_duration_statement=-1",
  "log_min_messages=warning",
  "debug_print_parse=off",
  "debug_print_rewritten=off",
  "debug_print_plan=off",
];
const canary = "contract-canary-5v1t";
const keys = { keys: [parseRowKey(Secret.text(testKey))] };
let count = 0;

async function connect(user = server.adminUser, password = server.adminPassword): Promise<pg.Client> {
  const client = new pg.Client({ host: server.host, port: server.port, database: server.database, user, password });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(async () => await client.end());
  return client;
}

const database = async (user?: string, password?: string) => {
  const client = await connect(user, password);
  return postgresDatabase(client, async () => undefined);
};

const place = (schema: string) => ({ host: server.host, port: server.port, database: server.database, schema });

async function open(own: Record<string, unknown>, values: Record<string, string> = {}, timeoutMs = 10_000) {
  const login = `postgres://${server.adminUser}:${server.adminPassword}@${server.host}:${server.port}/`;
  const access = providerAccess({ TEST_KEY: testKey, TEST_LOGIN: login, ...values }, timeoutMs);
  const sealedTo = "recipients" in own ? {} : { key: "${env:TEST_KEY}" };
  const given = { owner_type: "service", owner_id: "test-billing", ...sealedTo, ...own };
  const options = postgresTarget.options.parse({ ...("user" in own ? {} : { login: "${env:TEST_LOGIN}" }), ...given });
  const target = await postgresTarget.open(options, access);
  onTestFinished(async () => await target.close());
  return target;
}

describe("a table in PostgreSQL", () => {
  describesSqlTable(async () => {
    const schema = `test_${++count}`;
    const login = `postgres://${server.adminUser}:${server.adminPassword}@${server.host}:`;
    return {
      target: postgresTarget,
      options: { ...place(schema), login: "${env:TEST_LOGIN}" },
      values: { TEST_LOGIN: `${login}${server.port}/`, TEST_AWAY: `${login}${closedPort}/` },
      tables: sqlTables("postgres", schema),
      schema,
      migrations: postgresMigrations,
      admin: async () => await database(),
      away: { port: closedPort, login: "${env:TEST_AWAY}" },
    };
  });
});

/** Tables with the roles of docs/targets/postgres.md, made by the statements of that page. */
async function makeRoles() {
  const schema = `test_roles_${++count}`;
  const names = {
    owner: `test_owner_${count}`,
    writer: `test_writer_${count}`,
    billing: `test_billing_${count}`,
    shop: `test_shop_${count}`,
  };
  const admin = await connect();
  const fill = (sql: string) =>
    sql
      .replaceAll("sealtree_admin", names.owner)
      .replaceAll("sealtree_writer", names.writer)
      .replaceAll("billing_app", names.billing)
      .replaceAll("shop_app", names.shop)
      .replaceAll(/\bSCHEMA sealtree\b/g, `SCHEMA ${schema}`)
      .replaceAll(/\bsealtree\.sealtree_/g, `${schema}.sealtree_`)
      .replaceAll("'...'", "'test-role-password'")
      .replaceAll("DATABASE app", `DATABASE ${server.database}`);
  const [roles = "", tables = "", rights = "", readers = ""] = readSqlBlocks("docs/targets/postgres.md");
  await admin.query(fill(roles));
  const owner = await connect(names.owner, "test-role-password");
  await owner.query(fill(tables));
  await owner.query(fill(rights));
  await owner.query(fill(readers));
  const writer = async (id = "billing") =>
    await open(
      { ...place(schema), owner_id: id, user: names.writer, password: "${env:TEST_PASSWORD}" },
      { TEST_PASSWORD: "test-role-password" },
    );
  const reader = async (name: keyof typeof names) => await connect(names[name], "test-role-password");
  return { schema, names, admin, owner, writer, reader, tables: sqlTables("postgres", schema) };
}

describe("the roles of the documentation", { timeout: 60_000 }, () => {
  const rest = "kind, address, fingerprint, format, sequence, readers, changed_at_ms, wrapped_key, sealed, mac";
  const setOwner = "SELECT set_config('sealtree.owner_type', $1, false), set_config('sealtree.owner_id', $2, false)";

  it("let the writer deploy, and a program read what is its own", async () => {
    const { writer, reader, schema } = await makeRoles();
    await deploySql(await writer("billing"), 1, { ALPHA: "test-of-billing" });
    await deploySql(await writer("shop"), 1, { ALPHA: "test-of-shop" });
    for (const [who, id] of [
      ["billing", "billing"],
      ["shop", "shop"],
    ] as const) {
      const connection = postgresDatabase(await reader(who), async () => undefined);
      const { values } = await readSqlValues(connection, { owner: { type: "service", id }, keys, schema });
      expect(values.get("ALPHA")?.revealText()).toBe(`test-of-${id}`);
    }
  });

  it("show a program nothing of others, and nothing at all without saying whose rows", async () => {
    const { writer, reader, schema, tables } = await makeRoles();
    await deploySql(await writer("billing"), 1, { ALPHA: "test-of-billing" });
    await deploySql(await writer("shop"), 1, { ALPHA: "test-of-shop" });
    const client = await reader("billing");
    const all = async () =>
      (await client.query(`SELECT owner_id FROM ${tables.secret}`)).rows as { owner_id: string }[];
    expect(await all()).toEqual([]);
    for (const [type, id, seen] of [
      ["service", "shop", 0],
      ["service", "billing", 1],
      ["else", "billing", 0],
      ["", "", 0],
      ["%", "%", 0],
    ] as const) {
      await client.query(setOwner, [type, id]);
      expect(await all()).toHaveLength(seen);
      expect((await client.query(`SELECT 1 FROM ${tables.owner}`)).rows).toHaveLength(seen);
    }
    await client.query(setOwner, ["service", "billing"]);
    expect((await client.query(`SELECT role FROM ${tables.access}`)).rows).toEqual([
      { role: expect.stringContaining("billing") },
    ]);
    const other = { owner: { type: "service", id: "shop" }, keys, schema };
    const connection = postgresDatabase(client, async () => undefined);
    await expect(readSqlValue(connection, "ALPHA", other)).rejects.toMatchObject({ code: "E_SECRET_NOT_FOUND" });
  });

  it("let a program write nothing, delete nothing and give itself nothing", async () => {
    const { writer, reader, names, tables } = await makeRoles();
    await deploySql(await writer("billing"), 1, { ALPHA: "test-of-billing" });
    const client = await reader("billing");
    await client.query(setOwner, ["service", "billing"]);
    for (const sql of [
      `UPDATE ${tables.secret} SET sequence = 99`,
      `DELETE FROM ${tables.secret}`,
      `TRUNCATE ${tables.secret}`,
      `INSERT INTO ${tables.secret} SELECT * FROM ${tables.secret}`,
      `UPDATE ${tables.owner} SET sequence = 99`,
      `INSERT INTO ${tables.access} VALUES ('${names.billing}', 'service', 'shop', true)`,
      `UPDATE ${tables.access} SET may_write = true`,
      `ALTER TABLE ${tables.secret} DISABLE ROW LEVEL SECURITY`,
      `SET ROLE ${names.writer}`,
      `SELECT * FROM ${tables.migration}`,
    ]) {
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("keep the writer to its owners, and from deleting", async () => {
    const { writer, reader, names, tables, admin } = await makeRoles();
    const target = await writer("billing");
    await deploySql(target, 1, { ALPHA: "test-of-billing" });
    expect((await targetFailure((await writer("warehouse")).inspect(["ALPHA"]))).class).toBe("auth");
    const change = { writes: [sqlItem("ALPHA", canary)], removes: [], wanted: [], sequence: 1 };
    expect((await targetFailure((await writer("warehouse")).apply(change, recordProgress()))).class).toBe("auth");
    const client = await reader("writer");
    await client.query(setOwner, ["service", "billing"]);
    await expect(client.query(`DELETE FROM ${tables.secret}`)).rejects.toMatchObject({ code: "42501" });
    await expect(client.query(`UPDATE ${tables.secret} SET owner_id = 'warehouse'`)).rejects.toMatchObject({
      code: "42501",
    });
    // Even with the privilege there is no policy, so no row to delete.
    await admin.query(`GRANT DELETE ON ${tables.secret} TO ${names.writer}`);
    expect((await client.query(`DELETE FROM ${tables.secret}`)).rowCount).toBe(0);
    await admin.query(`UPDATE ${tables.access} SET may_write = false WHERE role = '${names.writer}'`);
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("auth");
    expect((await client.query(`UPDATE ${tables.secret} SET sequence = 99`)).rowCount).toBe(0);
    const copy = `INSERT INTO ${tables.secret} SELECT owner_type, owner_id, 'COPY', ${rest} FROM ${tables.secret}`;
    await expect(client.query(copy)).rejects.toMatchObject({ code: "42501" });
  });

  it("hold the owner of the tables to the policies too", async () => {
    const { writer, owner, tables } = await makeRoles();
    await deploySql(await writer("billing"), 1, { ALPHA: "test-of-billing" });
    await owner.query(setOwner, ["service", "billing"]);
    expect((await owner.query(`SELECT 1 FROM ${tables.secret}`)).rows).toEqual([]);
  });

  it("are told what is missing when the tables are not there and cannot be made", async () => {
    const { names } = await makeRoles();
    const target = await open(
      { ...place("test_nowhere"), user: names.writer, password: "${env:TEST_PASSWORD}" },
      { TEST_PASSWORD: "test-role-password" },
    );
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    const failure = await targetFailure(deploySql(target, 1, { ALPHA: canary }));
    expect(failure).toMatchObject({ class: "auth", hints: ["see the rights in docs/targets/postgres.md"] });
  });
});

describe("the server", { timeout: 60_000 }, () => {
  it("writes no value to its log at its most verbose, and no key; parameters are ciphertext", async () => {
    const quietServer = server;
    server = await startPostgres();
    onTestFinished(async () => {
      await server.stop();
      server = quietServer;
    });
    const target = await open(place(`test_${++count}`));
    await deploySql(target, 1, { ALPHA: canary, BETA: `${canary}-${"long".repeat(500)}` });
    await deploySql(target, 2, { ALPHA: `${canary}-new` });
    const { recipient } = await generateIdentity("x25519");
    const toRecipients = await open({ ...place(`test_${++count}`), recipients: [recipient.text] });
    await deploySql(toRecipients, 1, { ALPHA: canary });
    await deploySql(target, 2, { ALPHA: `${canary}-new` });
    const reader = await database();
    await readSqlValues(reader, { owner: { type: "service", id: "test-billing" }, keys, schema: `test_${count - 1}` });
    // An error that repeats its statement with all parameters.
    const admin = await connect();
    await admin.query(`ALTER TABLE ${sqlTables("postgres", `test_${count - 1}`).secret} ADD CHECK (name <> 'REFUSED')`);
    expect((await targetFailure(deploySql(target, 3, { ALPHA: canary, REFUSED: canary }))).class).toBe("rejected");
    const log = server.logText();
    expect(log).toContain("INSERT INTO");
    expect(log).toMatch(/parameters: .*REFUSED/);
    expect(findCanaries(log, [canary, testKey, Buffer.from(testKey, "base64").toString("latin1")])).toEqual([]);
  });

  it("does not let in with a wrong password", async () => {
    const own = { ...place("test_1"), user: server.adminUser, password: "${env:TEST_PASSWORD}" };
    const failure = await targetFailure(open(own, { TEST_PASSWORD: "test-wrong-password" }));
    expect(failure.class).toBe("auth");
    expect(failure.message).not.toContain("test-wrong");
  });

  it("that says nothing is not waited for for ever", async () => {
    const silent = await startSilentServer();
    onTestFinished(async () => await silent.stop());
    const own = { ...place("test_1"), port: silent.port, user: "test_user", password: "${env:TEST_PASSWORD}" };
    expect((await targetFailure(open(own, { TEST_PASSWORD: "test" }, 200))).class).toBe("transient");
  });

  it("that ends the connection in the middle of a write leaves nothing of it", async () => {
    const schema = `test_${++count}`;
    const target = await open(place(schema));
    await deploySql(target, 1, { ALPHA: "test-one" });
    const admin = await connect();
    const { secret } = sqlTables("postgres", schema);
    // The writer comes as far as its rows, and waits there.
    await admin.query(`BEGIN; LOCK TABLE ${secret} IN EXCLUSIVE MODE`);
    const failing = targetFailure(deploySql(target, 2, { ALPHA: "test-two", BETA: "test-beta" }));
    const waiting =
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'sealtree' AND wait_event_type = 'Lock' AND query LIKE $1";
    const killer = await connect();
    let pid: number | undefined;
    while (pid === undefined) pid = (await killer.query<{ pid: number }>(waiting, [`%${schema}%`])).rows[0]?.pid;
    await killer.query("SELECT pg_terminate_backend($1)", [pid]);
    expect((await failing).class).toBe("unknown");
    await admin.query("COMMIT");
    // The same target connects anew.
    const { doneNames } = await deploySql(target, 2, { ALPHA: "test-two", BETA: "test-beta" });
    expect(doneNames.toSorted()).toEqual(["ALPHA", "BETA"]);
  });

  it("that does not answer in time leaves it unknown, and is asked again on another connection", async () => {
    const schema = `test_${++count}`;
    await deploySql(await open(place(schema)), 1, { ALPHA: "test-one" });
    const target = await open(place(schema), {}, 300);
    const admin = await connect();
    await admin.query(`BEGIN; LOCK TABLE ${sqlTables("postgres", schema).secret} IN EXCLUSIVE MODE`);
    expect((await targetFailure(deploySql(target, 2, { ALPHA: "test-two" }))).class).toBe("unknown");
    await admin.query(`COMMIT; BEGIN; LOCK TABLE ${sqlTables("postgres", schema).secret} IN ACCESS EXCLUSIVE MODE`);
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("transient");
    await admin.query("COMMIT");
    const patient = async () => await deploySql(target, 2, { ALPHA: "test-two" });
    const { failures } = await patient().catch(patient);
    expect(failures.size).toBe(0);
    expect((await target.inspect(["ALPHA"]))[0]?.value?.revealText()).toBe("test-two");
  });

  it("keeps a newer row from a writer that did not wait for its turn", async () => {
    const schema = `test_${++count}`;
    await deploySql(await open(place(schema)), 1, { ALPHA: "test-one" });
    const [tables, owner] = [sqlTables("postgres", schema), { type: "service", id: "test-billing" }];
    const [admin, writer] = [await connect(), await database()];
    const lock = { readers: { kind: "key", key: parseRowKey(Secret.text(testKey)) } } as const;
    const writes = [sqlItem("ALPHA", "test-late"), sqlItem("BETA", "test-beta")];
    const late = writer.transaction("write", owner, async (run) => {
      const between: RunSql = async (sql, parameters) => {
        if (sql.startsWith("INSERT")) await admin.query(`UPDATE ${tables.secret} SET sequence = 9`);
        return await run(sql, parameters);
      };
      const [found] = await run(`SELECT encode(mac, 'hex') AS revision FROM ${tables.secret}`);
      const planned = writes.map((item) =>
        item.name === "ALPHA" ? { ...item, found: { name: "ALPHA", revision: String(found?.["revision"]) } } : item,
      );
      const change = { writes: planned, removes: [], wanted: planned };
      const access = providerAccess({});
      return await writeChange(between, { tables, owner, lock }, { change, sequence: 5, planned: undefined, access });
    });
    expect((await targetFailure(late)).class).toBe("transient");
    const { rows } = await admin.query(`SELECT name, sequence FROM ${tables.secret}`);
    expect(rows).toEqual([{ name: "ALPHA", sequence: "9" }]);
  });

  it("that holds no UTF-8 is refused before anything is made", async () => {
    const admin = await connect();
    await admin.query("CREATE DATABASE test_latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    const target = await open({ ...place("test_latin"), database: "test_latin" });
    expect((await targetFailure(deploySql(target, 1, { ALPHA: canary }))).class).toBe("rejected");
  });

  it("is spoken to with TLS, and only with a certificate that is trusted", async () => {
    const schema = `test_${++count}`;
    const own = { ...place(schema), tls: "verify" };
    expect((await targetFailure(open(own))).class).toBe("auth");
    const target = await open({ ...own, ca: "${env:TEST_CA}" }, { TEST_CA: server.caPem });
    expect((await deploySql(target, 1, { ALPHA: "test-alpha" })).doneNames).toEqual(["ALPHA"]);
  });
});
