import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrate, type Migration } from "../../src/deploy/targets/sql-migrations.ts";
import type { Found, Item, OpenTarget, Target } from "../../src/deploy/targets/target.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { Secret } from "../../src/secret/secret.ts";
import type { SqlDatabase, SqlParameter } from "../../src/services/sql-database.ts";
import { readSqlValue, readSqlValues, type SqlReaderOptions } from "../../src/services/sql-reader.ts";
import type { RowOpener, SqlOwner } from "../../src/services/sql-row.ts";
import { parseRowKey } from "../../src/services/sql-row-key.ts";
import type { SqlTables } from "../../src/services/sql-tables.ts";
import { providerAccess } from "./provider-access.ts";
import { nastyValues } from "./nasty-values.ts";
import { describesTarget, recordProgress, targetFailure } from "./target-contract.ts";

/** Tables of their own, for one test. They are not made yet. */
export interface SqlTableSubject<Options> {
  readonly target: Target<Options>;
  /** What says where the tables are, and what its references stand for. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, string>>;
  readonly tables: SqlTables;
  readonly migrations: readonly Migration[];
  readonly schema?: string;
  /** A connection that sees and changes every row. */
  admin(): Promise<SqlDatabase>;
  /** The same place where nothing is. */
  readonly away?: Readonly<Record<string, unknown>>;
}

export const testKey = Buffer.alloc(32, 7).toString("base64");
const testIntegrityKey = Buffer.alloc(32, 9).toString("hex");
const owner: SqlOwner = { type: "service", id: "test-billing" };
const canary = "contract-canary-5v1t";

/** Deploys as the engine does: what has another mark is written, what is ours and not wanted goes. */
export async function deploySql(
  target: OpenTarget,
  sequence: number,
  wanted: Readonly<Record<string, string | Secret>>,
) {
  const found = new Map((await target.inspect(Object.keys(wanted))).map((it) => [it.name, it]));
  const items = Object.entries(wanted).map(([name, value]) => sqlItem(name, value, found.get(name)));
  const writes = items.filter((item) => item.found?.mark?.fingerprint !== item.mark.fingerprint);
  const removes = [...found.values()].filter((it) => it.mark !== undefined && !Object.hasOwn(wanted, it.name));
  const progress = recordProgress();
  await target.apply({ writes, removes, wanted: items, sequence }, progress);
  return progress;
}

export function sqlItem(name: string, value: string | Secret, found?: Found): Item {
  const secret = typeof value === "string" ? Secret.text(value) : value;
  const fingerprint = Buffer.from(secret.reveal()).subarray(-8).toString("hex").padStart(16, "f");
  return { name, value: secret, mark: { address: `prod/api/NAME_${name.length}`, fingerprint }, found };
}

/** The promises of a table, as tests: those of all targets, and its own. */
export function describesSqlTable<Options>(make: () => Promise<SqlTableSubject<Options>>): void {
  const begin = async (sealedTo: Sealing = "key") => {
    const subject = await make();
    const { own, keys } = await sealingOf(sealedTo);
    const connect = async (more: Readonly<Record<string, unknown>> = {}) => {
      const given = { owner_type: owner.type, owner_id: owner.id, ...subject.options, ...own, ...more };
      const values = { TEST_KEY: testKey, TEST_INTEGRITY: testIntegrityKey, ...subject.values };
      const opened = await subject.target.open(subject.target.options.parse(given), providerAccess(values));
      onTestFinished(async () => await opened.close());
      return opened;
    };
    const makeAdmin = async () => {
      const made = await subject.admin();
      onTestFinished(async () => await made.close());
      return made;
    };
    const admin = await makeAdmin();
    const reading = (more: Partial<SqlReaderOptions> = {}): SqlReaderOptions => ({
      owner,
      keys,
      ...(subject.schema === undefined ? {} : { schema: subject.schema }),
      ...more,
    });
    const readAll = async (more: Partial<SqlReaderOptions> = {}) => {
      const { values } = await readSqlValues(admin, reading(more));
      return Object.fromEntries([...values].map(([name, value]) => [name, value.revealText()]));
    };
    const change = async (sql: string, parameters: readonly SqlParameter[] = [], whose: SqlOwner = owner) =>
      await admin.transaction("write", whose, async (run) => await run(sql, parameters));
    return { ...subject, connect, admin, makeAdmin, reading, readAll, change, keys };
  };
  type Begun = Awaited<ReturnType<typeof begin>>;

  for (const sealedTo of ["key", "recipients"] as const) {
    describe(`sealed to ${sealedTo === "key" ? "a key" : "recipients"}`, () => {
      describesTarget(async () => {
        const { connect, target, options, change, tables, away } = await begin(sealedTo);
        const { own } = await sealingOf(sealedTo);
        const given = { owner_type: owner.type, owner_id: owner.id, ...options, ...own };
        const started = await connect();
        await deploySql(started, 1, {});
        return {
          facts: target.facts(target.options.parse(given)),
          hidesForeign: true,
          open: async () => await connect(),
          putForeign: async (name) =>
            void (await change(
              `INSERT INTO ${tables.secret} (owner_type, owner_id, name, kind, format, sequence, readers, changed_at_ms,
                wrapped_key, sealed, mac) VALUES ($1, $2, $3, 'value', 1, 1, 'else', 1, $4, $4, $4)`,
              [owner.type, owner.id, name, Buffer.from("foreign-value")],
            )),
          ...(away === undefined ? {} : { unreachable: async () => await lateOpen(connect(away)) }),
        };
      });
    });
  }

  describe("what a program reads", () => {
    it.each(["key", "recipients", "integrity"] as const)("is what was deployed, byte by byte: %s", async (sealedTo) => {
      const { connect, admin, reading, readAll } = await begin(sealedTo);
      const target = await connect();
      const large = Secret.of(Buffer.alloc(1024 * 1024, 0xa5), "binary");
      const wanted = { ALPHA: "test-alpha", EMPTY: "", BINARY: Secret.of(Buffer.from([0, 255, 0]), "binary") };
      await deploySql(target, 1, { ...wanted, LARGE: large });
      await expect(readSqlValue(admin, "LARGE", reading())).resolves.toMatchObject({ kind: "binary" });
      expect((await readSqlValue(admin, "LARGE", reading()))?.equals(large)).toBe(true);
      expect((await readSqlValue(admin, "BINARY", reading()))?.reveal()).toEqual(Buffer.from([0, 255, 0]));
      expect(await readSqlValue(admin, "NONE", reading())).toBeUndefined();
      await deploySql(target, 2, { ALPHA: "test-alpha" });
      expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
      expect(await readSqlValue(admin, "LARGE", reading())).toBeUndefined();
    });

    it("keeps nasty values, names and owners apart, and as they are", async () => {
      const { connect, admin, readAll, reading } = await begin();
      const target = await connect();
      const values = Object.fromEntries(
        Object.entries(nastyValues).map(([name, value]) => [name, Secret.fromBytes(value)]),
      );
      await deploySql(target, 1, values);
      const read = await readSqlValues(admin, reading());
      expect(
        Object.keys(values).filter((name) => read.values.get(name)?.equals(values[name] as Secret) !== true),
      ).toEqual([]);
      const hostile = [
        "'; DROP TABLE sealtree_secret; --",
        '"',
        "%",
        "_",
        "\\",
        "$1",
        "é",
        "e\u0301",
        "Ü".repeat(200),
        " x",
        "NULL",
        "🦭",
      ];
      for (const [at, id] of hostile.entries()) {
        const other = await connect({ owner_id: id, owner_type: hostile.at(-1 - at) });
        await deploySql(other, 1, { [id]: `test-${at}`, ALPHA: `test-alpha-${at}` });
      }
      for (const [at, id] of hostile.entries()) {
        const type = hostile.at(-1 - at) ?? "";
        expect(await readAll({ owner: { type, id } })).toEqual({ [id]: `test-${at}`, ALPHA: `test-alpha-${at}` });
      }
      await expect(readAll({ owner: { type: "service", id: "é" } })).rejects.toMatchObject({
        code: "E_SECRET_NOT_FOUND",
      });
    });

    it("opens with no other key, and with no other integrity key", async () => {
      const { connect, readAll } = await begin("integrity");
      await deploySql(await connect(), 1, { ALPHA: "test-alpha" });
      const [stranger] = parseIdentities((await generateIdentity("x25519")).identity);
      await expect(readAll({ keys: { identities: [stranger as never] } })).rejects.toMatchObject({
        code: "E_NO_ACCESS",
      });
      const { keys } = await sealingOf("recipients");
      await expect(readAll({ keys })).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
    });
  });

  describe("somebody who writes in the table", () => {
    const refused: unknown = expect.stringMatching(/^(?:E_RECORD_(?:INTEGRITY|MALFORMED)|E_NO_ACCESS)$/);
    const expectRefused = async (
      how: (begun: Begun, tables: SqlTables) => Promise<unknown>,
      names = ["ALPHA", "BETA"],
    ) => {
      const begun = await begin();
      const { connect, admin, tables, reading, readAll } = begun;
      const target = await connect();
      await deploySql(target, 1, { ALPHA: "test-alpha", BETA: "test-beta", GONE: "test-gone" });
      await deploySql(target, 2, { ALPHA: "test-alpha", BETA: "test-beta-new" });
      await how(begun, tables);
      await expect(readAll()).rejects.toMatchObject({ code: refused });
      for (const name of names)
        await expect(readSqlValue(admin, name, reading())).rejects.toMatchObject({ code: refused });
      // The next deploy mends it.
      await deploySql(target, 3, { ALPHA: "test-alpha", BETA: "test-beta-new" });
      expect(await readAll()).toEqual({ ALPHA: "test-alpha", BETA: "test-beta-new" });
    };
    const sealedColumns =
      "kind, address, fingerprint, format, sequence, readers, changed_at_ms, wrapped_key, sealed, mac";

    it("cannot swap two rows", async () => {
      await expectRefused(async ({ change }, { secret }) => {
        await change(`UPDATE ${secret} SET name = 'SPARE' WHERE name = 'ALPHA'`);
        await change(`UPDATE ${secret} SET name = 'ALPHA' WHERE name = 'BETA'`);
        await change(`UPDATE ${secret} SET name = 'BETA' WHERE name = 'SPARE'`);
      });
    });

    it("cannot put an older row of the same name back", async () => {
      const begun = await begin();
      const { connect, change, tables, readAll, admin, reading } = begun;
      const target = await connect();
      await deploySql(target, 1, { ALPHA: "test-old", BETA: "test-beta" });
      const [old] = await change(`SELECT ${sealedColumns} FROM ${tables.secret} WHERE name = 'ALPHA'`);
      await deploySql(target, 2, { ALPHA: "test-new", BETA: "test-beta" });
      const set = sealedColumns.split(", ").map((column, at) => `${column} = $${at + 1}`);
      await change(
        `UPDATE ${tables.secret} SET ${set.join(", ")} WHERE name = 'ALPHA'`,
        Object.values(old ?? {}) as SqlParameter[],
      );
      await expect(readAll()).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
      await expect(readSqlValue(admin, "BETA", reading())).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
      await deploySql(target, 3, { ALPHA: "test-new", BETA: "test-beta" });
      expect(await readAll()).toEqual({ ALPHA: "test-new", BETA: "test-beta" });
    });

    it("cannot put all of yesterday back for a reader that knows today's sequence", async () => {
      const { connect, change, tables, readAll } = await begin();
      const target = await connect();
      await deploySql(target, 5, { ALPHA: "test-old" });
      const both = [tables.secret, tables.owner];
      const kept = await Promise.all(both.map(async (table) => (await change(`SELECT * FROM ${table}`))[0] ?? {}));
      await deploySql(target, 6, { ALPHA: "test-new" });
      for (const [at, table] of both.entries()) {
        const row = kept[at] ?? {};
        const set = Object.keys(row).map((column, index) => `${column} = $${index + 1}`);
        await change(`UPDATE ${table} SET ${set.join(", ")}`, Object.values(row) as SqlParameter[]);
      }
      expect(await readAll()).toEqual({ ALPHA: "test-old" });
      await expect(readAll({ minimumSequence: 6 })).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
    });

    it.each([
      ["take a row away", "DELETE FROM $secret WHERE name = 'ALPHA'"],
      ["take the trace of a removed one away", "DELETE FROM $secret WHERE name = 'GONE'"],
      ["take the row of the owner away", "DELETE FROM $owner"],
      ["rename a row", "UPDATE $secret SET name = 'OTHER' WHERE name = 'ALPHA'"],
      ["make a removed value of a present one", "UPDATE $secret SET kind = 'deleted' WHERE name = 'ALPHA'"],
      ["make a present value of a removed one", "UPDATE $secret SET kind = 'value' WHERE name = 'GONE'"],
      ["change a sequence", "UPDATE $secret SET sequence = sequence - 1 WHERE name = 'ALPHA'"],
      ["change the owner's sequence", "UPDATE $owner SET sequence = sequence - 1"],
      ["disown a row", "UPDATE $secret SET address = NULL, fingerprint = NULL WHERE name = 'ALPHA'"],
    ])("cannot %s", async (_, sql) => {
      await expectRefused(
        async ({ change }, { secret, owner: owners }) => {
          await change(sql.replace("$secret", secret).replace("$owner", owners));
        },
        ["BETA"],
      );
    });

    it.each(["address", "fingerprint", "readers", "changed_at_ms", "wrapped_key", "sealed", "mac"])(
      "cannot change the column %s",
      async (column) => {
        await expectRefused(
          async ({ change }, { secret }) => {
            const [row] = await change(`SELECT ${column} AS was FROM ${secret} WHERE name = 'ALPHA'`);
            const was = row?.["was"];
            const next =
              was instanceof Uint8Array
                ? Buffer.from(was.map((byte, at) => (at === 40 || was.length === 32 ? byte ^ 1 : byte)))
                : column === "changed_at_ms"
                  ? 1
                  : `${String(was)}0`;
            await change(`UPDATE ${secret} SET ${column} = $1 WHERE name = 'ALPHA'`, [next]);
          },
          ["ALPHA"],
        );
      },
    );

    it.each(["mac", "sealed", "readers"])(
      "cannot spoil the row of the owner for longer than to the next deploy of the same commit: %s",
      async (column) => {
        const { connect, change, tables, readAll } = await begin();
        const target = await connect();
        await deploySql(target, 1, { ALPHA: "test-alpha" });
        const spoilt = column === "readers" ? "else" : Buffer.alloc(column === "mac" ? 32 : 92, 5);
        await change(`UPDATE ${tables.owner} SET ${column} = $1`, [spoilt]);
        await expect(readAll()).rejects.toMatchObject({ code: "E_RECORD_INTEGRITY" });
        await deploySql(target, 1, { ALPHA: "test-alpha" });
        expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
      },
    );

    it("cannot bring a row of another owner", async () => {
      await expectRefused(async ({ change, connect }, { secret }) => {
        await deploySql(await connect({ owner_id: "test-other" }), 2, { ALPHA: "test-of-another" });
        await change(`DELETE FROM ${secret} WHERE name = 'ALPHA' AND owner_id = $1`, [owner.id]);
        await change(`UPDATE ${secret} SET owner_id = $1 WHERE name = 'ALPHA'`, [owner.id]);
      });
    });
  });

  describe("writers", () => {
    it("of an older commit are told that they are late, and change nothing", async () => {
      const { connect, readAll } = await begin();
      const [early, late] = [await connect(), await connect()];
      await deploySql(early, 10, { ALPHA: "test-new", BETA: "test-beta" });
      const { doneNames, failures } = await deploySql(late, 9, { ALPHA: "test-old", GAMMA: "test-gamma" });
      expect(doneNames).toEqual([]);
      expect([...failures.keys()].toSorted()).toEqual(["ALPHA", "BETA", "GAMMA"]);
      expect(failures.get("ALPHA")).toMatchObject({ class: "rejected", message: expect.stringContaining("late") });
      expect(await readAll()).toEqual({ ALPHA: "test-new", BETA: "test-beta" });
    });

    it("of an older commit cannot bring a removed value back", async () => {
      const { connect, readAll } = await begin();
      const target = await connect();
      await deploySql(target, 1, { ALPHA: "test-alpha", BETA: "test-beta" });
      await deploySql(target, 3, { ALPHA: "test-alpha" });
      expect((await deploySql(target, 2, { ALPHA: "test-alpha", BETA: "test-beta" })).failures.has("BETA")).toBe(true);
      expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
      await deploySql(target, 4, { ALPHA: "test-alpha", BETA: "test-beta" });
      expect(await readAll()).toEqual({ ALPHA: "test-alpha", BETA: "test-beta" });
    });

    it("of an older commit are late also when the newer one had nothing to write", async () => {
      const { connect, readAll } = await begin();
      const [target, stuck] = [await connect(), await connect()];
      await deploySql(target, 1, { ALPHA: "test-good" });
      // The commit with the mistake is stuck, and the one that reverts it finds all as it should be.
      const found = await stuck.inspect(["ALPHA"]);
      await deploySql(target, 3, { ALPHA: "test-good" });
      const writes = [sqlItem("ALPHA", "test-mistake", found[0])];
      const progress = recordProgress();
      await stuck.apply({ writes, removes: [], wanted: writes, sequence: 2 }, progress);
      expect(progress.failures.get("ALPHA")?.class).toBe("rejected");
      expect(await readAll()).toEqual({ ALPHA: "test-good" });
    });

    it("in any order, and at once, leave the newest commit's values", { timeout: 120_000 }, async () => {
      const { connect, readAll } = await begin();
      const runners = await Promise.all(Array.from({ length: 4 }, async () => await connect()));
      const values = fc.dictionary(fc.constantFrom("ALPHA", "BETA", "GAMMA"), fc.constantFrom("v1", "v2", "v3"), {
        noNullPrototype: true,
      });
      let base = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(values, { minLength: 2, maxLength: 6 }),
          fc.infiniteStream(fc.nat(3)),
          async (commits, picks) => {
            const jobs = commits.map((wanted, at) => ({
              wanted,
              sequence: base + at + 1,
              runner: picks.next().value as number,
            }));
            base += commits.length;
            const last = jobs.at(-1);
            let failures: number | undefined;
            // A connection is one job's at a time, and each has its newest first.
            await Promise.all(
              runners.map(async (runner, at) => {
                for (const job of jobs.toReversed().filter((each) => each.runner === at)) {
                  const outcome = await persist(runner, job.sequence, job.wanted);
                  if (job === last) failures = outcome.failures.size;
                }
              }),
            );
            expect(failures).toBe(0);
            expect(await readAll()).toEqual(last?.wanted);
          },
        ),
        { numRuns: 40 },
      );
    });

    it("do not write over what changed since they looked, and write it when they look again", async () => {
      const { connect, readAll } = await begin();
      const [one, two] = [await connect(), await connect()];
      await deploySql(one, 1, { ALPHA: "test-one" });
      const [found] = await two.inspect(["ALPHA"]);
      await deploySql(one, 2, { ALPHA: "test-two" });
      const writes = [sqlItem("ALPHA", "test-three", found), sqlItem("BETA", "test-beta")];
      const failure = await targetFailure(
        two.apply({ writes, removes: [], wanted: writes, sequence: 3 }, recordProgress()),
      );
      expect(failure.class).toBe("transient");
      expect(await readAll()).toEqual({ ALPHA: "test-two" });
      await deploySql(two, 3, { ALPHA: "test-three", BETA: "test-beta" });
      expect(await readAll()).toEqual({ ALPHA: "test-three", BETA: "test-beta" });
    });

    it("write nothing when 500 rows are right already, and one row when the commit is newer", async () => {
      const { connect, change, tables } = await begin();
      const target = await connect();
      const wanted = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`NAME_${at}`, `test-${at}-${canary}`]));
      expect((await deploySql(target, 1, wanted)).doneNames).toHaveLength(500);
      const rows = async () => JSON.stringify(await change(`SELECT * FROM ${tables.secret} ORDER BY name`));
      const owners = async () => JSON.stringify(await change(`SELECT * FROM ${tables.owner}`));
      const [before, ownerBefore] = [await rows(), await owners()];
      await deploySql(target, 1, wanted);
      expect([await rows(), await owners()]).toEqual([before, ownerBefore]);
      await deploySql(target, 2, wanted);
      expect(await rows()).toBe(before);
      expect(await owners()).not.toBe(ownerBefore);
    });

    it("seal rows anew when they are to be for others", async () => {
      const { connect, readAll, keys } = await begin("recipients");
      await deploySql(await connect(), 1, { ALPHA: "test-alpha" });
      const next = await generateIdentity("hybrid");
      const target = await connect({ recipients: [next.recipient.text] });
      expect((await deploySql(target, 2, { ALPHA: "test-alpha" })).doneNames).toEqual(["ALPHA"]);
      await expect(readAll({ keys })).rejects.toMatchObject({ code: "E_NO_ACCESS" });
      expect(await readAll({ keys: { identities: parseIdentities(next.identity) } })).toEqual({ ALPHA: "test-alpha" });
    });

    it("begin again after an epoch, whatever the numbers of commits are", async () => {
      const { connect, readAll } = await begin();
      await deploySql(await connect(), 900, { ALPHA: "test-before" });
      await deploySql(await connect({ epoch: 1 }), 2, { ALPHA: "test-after" });
      expect(await readAll()).toEqual({ ALPHA: "test-after" });
    });

    it("need to know which commit they are of", async () => {
      const { connect } = await begin();
      const change = { writes: [], removes: [], wanted: [] };
      expect((await targetFailure((await connect()).apply(change, recordProgress()))).class).toBe("rejected");
    });
  });

  describe("the tables", () => {
    it("are not there after a look, and are made once by many at a time", async () => {
      const { connect, change, tables, readAll } = await begin();
      const runners = await Promise.all(Array.from({ length: 4 }, async () => await connect()));
      expect(await runners[0]?.inspect(["ALPHA"])).toEqual([]);
      await expect(change(`SELECT 1 FROM ${tables.migration}`)).rejects.toThrow(/no such table|does not exist/);
      await Promise.all(runners.map(async (runner) => await persist(runner, 1, { ALPHA: "test-alpha" })));
      expect((await change(`SELECT version FROM ${tables.migration}`)).map((row) => Number(row["version"]))).toEqual([
        1,
      ]);
      expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
    });

    it("are brought forward from where they are, all the way or not at all", async () => {
      const { connect, admin, makeAdmin, change, tables, migrations, readAll } = await begin();
      await deploySql(await connect(), 1, { ALPHA: "test-alpha" });
      const column = async (name: string) => await change(`SELECT ${name} FROM ${tables.migration}`);
      const add = (name: string) => `ALTER TABLE ${tables.migration} ADD COLUMN ${name} integer`;
      const broken = [...migrations, () => [add("second"), "SELECT * FROM test_no_such_table"]];
      await expect(migrate(admin, tables, broken)).rejects.toThrow(/no such table|does not exist/);
      await expect(column("second")).rejects.toThrow(/no such column|does not exist/);
      const later = [...migrations, () => [add("second")], () => [add("third")]];
      await Promise.all([migrate(admin, tables, later), migrate(await makeAdmin(), tables, later)]);
      expect((await column("second, third, version")).map((row) => Number(row["version"]))).toEqual([1, 2, 3]);
      await migrate(admin, tables, later);
      await expect(migrate(admin, tables, migrations)).rejects.toMatchObject({ class: "rejected" });
      expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
    });

    it("of a newer version are left alone", async () => {
      const { connect, change, tables, readAll } = await begin();
      const target = await connect();
      await deploySql(target, 1, { ALPHA: "test-alpha" });
      await change(`INSERT INTO ${tables.migration} (version) VALUES (99)`);
      expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
      const writes = [sqlItem("BETA", canary)];
      const applied = target.apply({ writes, removes: [], wanted: writes, sequence: 2 }, recordProgress());
      expect(await targetFailure(applied)).toMatchObject({ class: "rejected", message: expect.stringContaining("99") });
      expect(await readAll()).toEqual({ ALPHA: "test-alpha" });
    });

    it("hold rows of a newer format for newer programs only", async () => {
      const { connect, change, tables, readAll } = await begin();
      const target = await connect();
      await deploySql(target, 1, { ALPHA: "test-alpha" });
      await change(`UPDATE ${tables.secret} SET format = 2`);
      await expect(readAll()).rejects.toMatchObject({ code: "E_RECORD_MALFORMED" });
      expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
    });
  });
}

type Sealing = "key" | "recipients" | "integrity";
let identity: ReturnType<typeof generateIdentity> | undefined;

/** Options that say whom rows are sealed to, and what they are opened with. */
async function sealingOf(sealing: Sealing): Promise<{ own: Record<string, unknown>; keys: RowOpener }> {
  if (sealing === "key") {
    return { own: { key: "${env:TEST_KEY}" }, keys: { keys: [parseRowKey(Secret.text(testKey))] } };
  }
  identity ??= generateIdentity("x25519");
  const pair = await identity;
  const own = { recipients: [pair.recipient.text] };
  const keys = { identities: parseIdentities(pair.identity) };
  if (sealing === "recipients") return { own, keys };
  return {
    own: { ...own, integrity_key: "${env:TEST_INTEGRITY}" },
    keys: { ...keys, integrityKey: parseRowKey(Secret.text(testIntegrityKey)) },
  };
}

/** Deploys again after a failure that passes, as the engine does. */
async function persist(target: OpenTarget, sequence: number, wanted: Readonly<Record<string, string>>) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await deploySql(target, sequence, wanted);
    } catch (error) {
      if (attempt > 50 || !(error instanceof Error) || Reflect.get(error, "class") !== "transient") throw error;
    }
  }
}

/** A target that fails when it is used, in the place of one that fails when it is opened. */
async function lateOpen(opening: Promise<OpenTarget>): Promise<OpenTarget> {
  const failure = await targetFailure(opening);
  const fail = async (): Promise<never> => {
    throw failure;
  };
  return { inspect: fail, apply: fail, close: async () => undefined };
}
