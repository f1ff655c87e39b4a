import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateIdentity } from "../../../src/crypto/identity.ts";
import { postgresTarget } from "../../../src/deploy/targets/postgres.ts";
import { sequenceOf } from "../../../src/deploy/targets/sql-options.ts";
import { postgresMigrations } from "../../../src/deploy/targets/sql-postgres-tables.ts";
import { sqliteFailure } from "../../../src/deploy/targets/sql-sqlite.ts";
import { sqliteTarget } from "../../../src/deploy/targets/sqlite.ts";
import { loadTarget } from "../../../src/deploy/targets/registry.ts";
import { parseSecretName } from "../../../src/secret/address.ts";
import { readSqlBlocks } from "../../support/sql-blocks.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { targetFailure } from "../../support/target-contract.ts";

const classic = (await generateIdentity("x25519")).recipient.text;
const hybrid = (await generateIdentity("hybrid")).recipient.text;
const owner = { owner_type: "service", owner_id: "test-billing" };
const inPostgres = { ...owner, host: "db.example.com", database: "app", login: "${env:TEST}", key: "${env:KEY}" };
const inSqlite = { ...owner, file: "test.db", key: "${env:KEY}" };

/** The options with others in their place; `undefined` leaves one out. */
function change(options: Record<string, unknown>, own: Record<string, unknown>) {
  return Object.fromEntries(Object.entries({ ...options, ...own }).filter(([, value]) => value !== undefined));
}

describe("the options of postgres", () => {
  const parse = (own: Record<string, unknown>) => postgresTarget.options.safeParse(change(inPostgres, own));

  it("are a server, a login, an owner, and whom rows are sealed to", () => {
    expect(parse({}).data).toMatchObject({ port: 5432, schema: "sealtree", epoch: 0 });
    expect(parse({ key: undefined, recipients: [classic] }).success).toBe(true);
    expect(parse({ key: undefined, recipients: [hybrid], integrity_key: "${secret:prod/api/KEY}" }).success).toBe(true);
    expect(parse({ login: undefined, user: "test_writer", password: "${env:TEST}" }).success).toBe(true);
    expect(parse({ host: "127.0.0.1", tls: "off" }).success).toBe(true);
    expect(parse({ owner_id: "'; DROP TABLE x; --" }).success).toBe(true);
  });

  it.each([
    ["a key in place of a reference", { key: Buffer.alloc(32, 7).toString("base64") }],
    ["recipients and a key", { recipients: [classic] }],
    ["neither recipients nor a key", { key: undefined }],
    ["no recipient", { key: undefined, recipients: [] }],
    ["a recipient that is none", { key: undefined, recipients: [`${classic}x`] }],
    ["a private key for a recipient", { key: undefined, recipients: ["AGE-SECRET-KEY-1TEST"] }],
    [
      "a plugin's recipient",
      { key: undefined, recipients: ["age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h"] },
    ],
    ["classic and post-quantum recipients", { key: undefined, recipients: [classic, hybrid] }],
    ["an owner with a line break", { owner_id: "test\nid" }],
    ["an owner with NUL", { owner_id: "test\0id" }],
    ["an owner with half a character", { owner_id: "test\ud800" }],
    ["an empty owner", { owner_type: "" }],
    ["an owner of 201 characters", { owner_id: "x".repeat(201) }],
    ["a schema with a quote", { schema: 'x"; DROP' }],
    ["a schema of the server's own", { schema: "pg_catalog" }],
    ["a password in place of a reference", { login: "postgres://test:test@db.example.com/" }],
    ["two logins", { user: "test_writer" }],
    ["half a login", { login: undefined, user: "test_writer" }],
    ["no TLS to another machine", { tls: "off" }],
    ["a certificate where no TLS is", { host: "localhost", ca: "${env:TEST}" }],
    ["an epoch below zero", { epoch: -1 }],
    ["an option of another name", { hots: "x" }],
  ])("are refused with %s, which is not repeated", (_, own) => {
    const { success, error } = parse(own);
    expect(success).toBe(false);
    const words = error?.issues.map(({ message }) => message).join(" ") ?? "";
    for (const text of [classic, "AGE-SECRET", Buffer.alloc(32, 7).toString("base64"), "test:test"]) {
      expect(words).not.toContain(text);
    }
  });

  it("name their references", () => {
    const { data } = parse({ integrity_key: "${env:MORE}", ca: "${env:CA}" });
    if (data === undefined) throw new Error("the options are right");
    const names = postgresTarget.references(data).map((it) => (it.kind === "environment" ? it.name : ""));
    expect(new Set(names)).toEqual(new Set(["CA", "KEY", "MORE", "TEST"]));
    expect(postgresTarget.place(data)).toBe("db.example.com:5432/app, schema sealtree, service test-billing");
  });
});

describe("the options of sqlite", () => {
  const parse = (own: Record<string, unknown>) => sqliteTarget.options.safeParse(change(inSqlite, own));

  it.each(["test.db", "data/test.sqlite", "/var/lib/app/test.sqlite3", ".data/test.db"])("take the file %s", (file) => {
    expect(parse({ file }).success).toBe(true);
  });

  it.each([
    "",
    "test",
    "../test.db",
    ".git/test.db",
    "a/.git/test.db",
    "a/../test.db",
    "./test.db",
    "//host/test.db",
    "file:test.db?mode=ro",
    ":memory:",
    "te st.db",
    "test.db\0.db",
    "test.db\n",
  ])("refuse the file %j", (file) => {
    expect(parse({ file }).success).toBe(false);
  });
});

describe("the facts of a table", () => {
  const { data } = postgresTarget.options.safeParse(inPostgres);
  if (data === undefined) throw new Error("the options are right");
  const facts = postgresTarget.facts(data);

  it("say that values are read back with a key only", () => {
    const { key, ...others } = data;
    expect(key).toBeDefined();
    expect(facts).toMatchObject({ readsBack: true, keepsMarks: true, holdsBinary: true, ordersWriters: true });
    expect(postgresTarget.facts({ ...others, recipients: [classic] }).readsBack).toBe(false);
    expect(facts.maxValueBytes).toBe(1024 * 1024);
  });

  it("take every name of a secret as it is, and any other without control characters", () => {
    const { pattern } = facts.nameRule;
    expect(postgresTarget.toName(parseSecretName("A.b-c_D"), data)).toBe("A.b-c_D");
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/), (name) => pattern.test(name)));
    for (const name of ["", "a\0b", "a\nb", "\u001b[31m", "\ud800", "a\u2028b", "x".repeat(256)]) {
      expect(pattern.test(name)).toBe(false);
    }
    for (const name of ["'; DROP TABLE x; --", "é", "🦭", " ", "%"]) expect(pattern.test(name)).toBe(true);
  });
});

describe("the sequence of a deploy", () => {
  it("grows with the commit, and an epoch is above all commits of the one before", () => {
    const commits = fc.integer({ min: 1, max: 2 ** 40 - 1 });
    fc.assert(
      fc.property(fc.nat(4094), commits, commits, (epoch, one, two) => {
        const of = (at: number, commit: number) => sequenceOf({ ...owner, epoch: at }, commit);
        expect(Number.isSafeInteger(of(epoch + 1, two))).toBe(true);
        expect(of(epoch, one) < of(epoch, two)).toBe(one < two);
        expect(of(epoch, one)).toBeLessThan(of(epoch + 1, two));
      }),
    );
  });

  it.each([undefined, 0, -1, 0.5, Number.NaN])("needs the number of a commit, and %s is none", (commit) => {
    expect(() => sequenceOf({ ...owner, epoch: 0 }, commit)).toThrow(expect.objectContaining({ class: "rejected" }));
  });
});

describe("a table", () => {
  it("is a kind of target", async () => {
    expect(await loadTarget("postgres")).toBe(postgresTarget);
    expect(await loadTarget("sqlite")).toBe(sqliteTarget);
  });

  it.each(["", "test", "0".repeat(62)])("is not connected to with a key that is none: %j", async (key) => {
    const options = postgresTarget.options.parse({ ...inPostgres, host: "localhost" });
    const failure = await targetFailure(postgresTarget.open(options, providerAccess({ KEY: key, TEST: "test" })));
    expect(failure).toMatchObject({ class: "auth", message: "the key of a table is not 32 bytes" });
  });

  it("is made by the statements that the documentation has", () => {
    const [, tables = ""] = readSqlBlocks("docs/targets/postgres.md");
    const name = (table: string) => `sealtree.sealtree_${table}`;
    const names = {
      secret: name("secret"),
      owner: name("owner"),
      access: name("access"),
      migration: name("migration"),
    };
    const statements = postgresMigrations.flatMap((migration, at) => [
      ...migration(names),
      `INSERT INTO ${names.migration} (version) VALUES (${at + 1})`,
    ]);
    const all = ["BEGIN", "CREATE SCHEMA sealtree", ...statements, "COMMIT"];
    expect(tables).toBe(all.map((statement) => `${statement};\n`).join(""));
  });
});

describe("an error of SQLite", () => {
  it.each([
    [5, "transient"],
    [261, "transient"],
    [8, "auth"],
    [1032, "auth"],
    [13, "limit"],
    [14, "auth"],
    [10, "unknown"],
    [26, "rejected"],
    [1555, "rejected"],
  ])("with result code %d is %s, and none of its words are kept", (errcode, failureClass) => {
    const failure = sqliteFailure("write", Object.assign(new Error("test-words"), { errcode }));
    expect(failure.class).toBe(failureClass);
    expect([failure.message, ...failure.hints].join(" ")).not.toContain("test-words");
  });

  it("of the file system is said by its name", () => {
    const of = (code: string) => sqliteFailure("write", Object.assign(new Error("test-words"), { code })).class;
    expect([of("ENOENT"), of("EACCES"), of("ENOSPC"), of("test")]).toEqual(["auth", "auth", "limit", "unknown"]);
  });
});
