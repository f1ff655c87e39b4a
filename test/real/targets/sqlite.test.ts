import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteMigrations } from "../../../src/deploy/targets/sql-sqlite-tables.ts";
import { sqliteTarget } from "../../../src/deploy/targets/sqlite.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { hasSqlite, openSqlite } from "../../../src/services/sqlite-database.ts";
import { readSqlValues } from "../../../src/services/sql-reader.ts";
import { parseRowKey } from "../../../src/services/sql-row-key.ts";
import { sqlTables } from "../../../src/services/sql-tables.ts";
import { findCanaries } from "../../support/canary.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { createSealedRepository } from "../../support/repository.ts";
import { deploySql, describesSqlTable, sqlItem, testKey } from "../../support/sql-table-contract.ts";
import { recordProgress, targetFailure } from "../../support/target-contract.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const here = fileURLToPath(import.meta.url);
const canary = "contract-canary-5v1t";
const makeFile = () => join(makeThrowAway("sealtree-test-sqlite-"), "test.db");

async function open(file: string, timeoutMs = 10_000, directory?: string) {
  const options = sqliteTarget.options.parse({
    owner_type: "service",
    owner_id: "test-billing",
    key: "${env:TEST_KEY}",
    file,
  });
  const access = providerAccess({ TEST_KEY: testKey }, timeoutMs);
  const target = await sqliteTarget.open(options, directory === undefined ? access : { ...access, directory });
  onTestFinished(async () => await target.close());
  return target;
}

async function write(file: string, timeoutMs?: number) {
  const writes = [sqlItem("ALPHA", canary)];
  await (await open(file, timeoutMs)).apply({ writes, removes: [], wanted: writes, sequence: 1 }, recordProgress());
}

function describesSqlite(): void {
  describesSqlTable(async () => {
    const file = makeFile();
    return {
      target: sqliteTarget,
      options: { file },
      tables: sqlTables("sqlite"),
      migrations: sqliteMigrations,
      admin: async () => openSqlite(file),
    };
  });

  it("is in a file that only its owner reads, with ciphertext in it, and no file before the first write", async () => {
    const file = makeFile();
    const target = await open(basename(file), 10_000, dirname(file));
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    expect(readdirSync(dirname(file))).toEqual([]);
    await deploySql(target, 1, { ALPHA: canary });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(findCanaries(readFileSync(file), [canary])).toEqual([]);
    expect(readFileSync(file, "latin1")).toContain("ALPHA");
  });

  it("leaves alone a file that is not of SQLite", async () => {
    const file = makeFile();
    writeFileSync(file, "test text, and no database".repeat(100));
    expect((await targetFailure(write(file))).class).toBe("rejected");
    expect(readFileSync(file, "utf8")).toBe("test text, and no database".repeat(100));
  });

  it("needs a folder that is there", async () => {
    const file = join(dirname(makeFile()), "none", "test.db");
    expect((await targetFailure(write(file))).class).toBe("auth");
    expect(existsSync(dirname(file))).toBe(false);
  });

  it("waits for another program that writes, and says when that takes too long", async () => {
    const file = makeFile();
    await write(file);
    const program = `const db = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(file)});
      db.exec("BEGIN IMMEDIATE"); console.log("locked"); process.stdin.on("data", () => { db.exec("COMMIT"); process.exit(); });`;
    const other = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "ignore"] });
    onTestFinished(() => void other.kill("SIGKILL"));
    await new Promise((resolve) => other.stdout.once("data", resolve));
    const target = await open(file, 50);
    const late = deploySql(target, 2, { ALPHA: `${canary}-new` });
    expect(await targetFailure(late)).toMatchObject({ class: "transient", message: expect.stringContaining("code 5") });
    const patient = deploySql(await open(file), 2, { ALPHA: `${canary}-new` });
    other.stdin.write("go\n");
    expect((await patient).doneNames).toEqual(["ALPHA"]);
  });

  it("of a damaged file is not written", async () => {
    const file = makeFile();
    await write(file);
    const bytes = readFileSync(file);
    bytes.fill(0xff, 100, 4096);
    writeFileSync(file, bytes);
    expect((await targetFailure(write(file))).class).toBe("rejected");
  });

  it("is deployed to by the command: values, a removal, a late checkout, and what somebody changed", async () => {
    const repository = await createSealedRepository();
    const file = join(repository.root, "test.db");
    const values = JSON.stringify({ ALPHA: canary, BETA: `${canary}-two` });
    await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: values });
    const target = `{kind: sqlite, required: true, scopes: [prod/api], file: test.db, owner_type: service, owner_id: api, key: "\${env:TEST_KEY}"}`;
    repository.write("policies/deploy.yaml", `targets:\n  table: ${target}\n`);
    repository.write(".gitignore", "test.db*\n");
    repository.git("add", "--all", ".");
    repository.git("commit", "--quiet", "-m", "targets");
    const env = { TEST_KEY: testKey };
    const database = openSqlite(file);
    onTestFinished(async () => await database.close());
    const read = async () => {
      const keys = { keys: [parseRowKey(Secret.text(testKey))] };
      const { values: found } = await readSqlValues(database, { owner: { type: "service", id: "api" }, keys });
      return Object.fromEntries([...found].map(([name, value]) => [name, value.revealText()]));
    };
    const outputs = [await repository.ok(["deploy", "--yes"], { env })];
    expect(await read()).toEqual({ ALPHA: canary, BETA: `${canary}-two` });
    const old = repository.git("rev-parse", "HEAD").trim();

    await repository.ok(["set", "prod/api/ALPHA", "--stdin"], { stdin: `${canary}-new` });
    await repository.ok(["unset", "prod/api/BETA", "--yes"]);
    outputs.push(await repository.ok(["deploy", "--yes", "--prune"], { env }));
    expect(await read()).toEqual({ ALPHA: `${canary}-new` });

    const late = await repository.run(["deploy", "--yes", "--at", old], { env });
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain("late");
    expect(await read()).toEqual({ ALPHA: `${canary}-new` });

    outputs.push(late, await repository.ok(["drift"], { env }));
    await database.transaction("write", undefined, async (run) => {
      await run("UPDATE sealtree_secret SET changed_at_ms = 1 WHERE name = 'ALPHA'");
    });
    const drifted = await repository.run(["drift"], { env });
    expect(drifted.code).not.toBe(0);
    outputs.push(drifted, await repository.ok(["deploy", "--yes"], { env }));
    expect(await read()).toEqual({ ALPHA: `${canary}-new` });
    expect(findCanaries(outputs.map(({ stdout, stderr }) => stdout + stderr).join("\n"), [canary, testKey])).toEqual(
      [],
    );
  });
}

function describesItsLack(): void {
  it("says which Node has it, before anything is read", async () => {
    const failure = await targetFailure(open(makeFile()));
    expect(failure).toMatchObject({ class: "rejected", hints: ["use Node 22.13 or later"] });
  });

  it("is not what these tests are for: they pass on Node 24", { timeout: 240_000 }, async () => {
    const root = join(dirname(here), "../../..");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const args = [vitest, "run", "--config", join(root, "vitest.real.config.ts"), here];
    const { stdout } = await promisify(execFile)("node24", args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", TEST_BUILT: "1" },
    });
    expect(stdout).toMatch(/Tests\s+\d+ passed/);
  });
}

const facts = hasSqlite() ? describesSqlite : describesItsLack;
describe(`the target on Node ${process.versions.node.split(".")[0] ?? ""}`, () => {
  facts();
});
