import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { openRuntime } from "../../src/runtime/open-repository.ts";
import { hasSqlite } from "../../src/services/sqlite-database.ts";
import { ManualClock } from "../runtime/fake-provider.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { startPostgres } from "../support/servers/postgres.ts";
import { readSqlBlocks } from "../support/sql-blocks.ts";

const owner = { owner_type: "service", owner_id: "billing" };

/** A repository that deploys two values to a table and reads them from there. */
async function createSqlTeam(target: Readonly<Record<string, unknown>>): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const identity = readFileSync(join(repository.home, ".config/sealtree/identity.txt"), "utf8");
  const recipient = /age1[a-z0-9]+/.exec(identity)?.[0] ?? "";
  const policy = {
    targets: { table: { ...owner, recipients: [recipient], scopes: ["prod/api"], ...target } },
    environments: { production: { sources: ["table"], cache: "60s" } },
  };
  repository.write("policies/deploy.yaml", stringify(policy));
  await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "first" });
  await repository.ok(["set", "prod/api/BLOB", "--stdin", "--binary"], { stdin: Uint8Array.of(0, 255) });
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "--message", "policy of the test");
  return repository;
}

async function expectRoundTrip(
  repository: TestRepository,
  writing: Record<string, string>,
  reading: Record<string, string>,
) {
  const deploy = async () => await repository.ok(["deploy", "table", "--yes"], { env: writing });
  await deploy();
  const env = { ...repository.env, ...reading };
  const runtime = await openRuntime({ directory: repository.root, environment: "production", env }, new ManualClock());
  onTestFinished(async () => await runtime.close());
  expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("first");
  expect([...(await runtime.getSecret("prod/api/BLOB")).revealBytes()]).toEqual([0, 255]);
  await expect(runtime.getSecret("prod/api/NONE")).rejects.toMatchObject({ code: "E_SECRET_NOT_FOUND" });
  await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "second" });
  await deploy();
  expect(await runtime.refresh()).toEqual(["prod/api/KEY"]);
  expect(runtime.health().status).toBe("ok");
  return runtime;
}

describe("the library over a table that deploy wrote", () => {
  it("reads rows of PostgreSQL with the rights of a reader, and refuses rows that were changed", async () => {
    const server = await startPostgres();
    onTestFinished(async () => await server.stop());
    const { host, port, database } = server;
    const urlOf = (user: string, password: string) => `postgres://${user}:${password}@${host}:${port}/`;
    const target = { kind: "postgres", host, port, database, tls: "off", login: "${env:PG_LOGIN}" };
    const repository = await createSqlTeam(target);
    const admin = new Client({ host, port, database, user: server.adminUser, password: server.adminPassword });
    await admin.connect();
    onTestFinished(async () => await admin.end());
    const [roles = "", tables = "", rights = "", readers = ""] = readSqlBlocks("docs/targets/postgres.md").map((sql) =>
      sql.replaceAll("'...'", "'test-role-password'").replaceAll("DATABASE app", `DATABASE ${database}`),
    );
    for (const sql of [roles, tables, rights, readers]) await admin.query(sql);
    const runtime = await expectRoundTrip(
      repository,
      { PG_LOGIN: urlOf(server.adminUser, server.adminPassword) },
      { PG_LOGIN: urlOf("billing_app", "test-role-password") },
    );
    await admin.query("UPDATE sealtree.sealtree_secret SET name = 'SWAPPED' WHERE name = 'KEY'");
    runtime.invalidate();
    await expect(runtime.getSecret("prod/api/BLOB")).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
  });
});

const sqlite = { kind: "sqlite", file: "app.sqlite" };

function describesSqlite(): void {
  it("reads rows of SQLite", async () => {
    await expectRoundTrip(await createSqlTeam(sqlite), {}, {});
  });
}

function describesItsLack(): void {
  it("says that this Node has no SQLite", async () => {
    const repository = await createSqlTeam(sqlite);
    const { root: directory, env } = repository;
    repository.write("app.sqlite", "");
    const runtime = await openRuntime({ directory, env, environment: "production" }, new ManualClock());
    await expect(runtime.getSecret("prod/api/KEY")).rejects.toThrow("this Node has no SQLite");
  });
}

const sqliteFacts = hasSqlite() ? describesSqlite : describesItsLack;
describe("the library over a file of SQLite", () => {
  sqliteFacts();
});
