import { ProviderFailure } from "../../net/provider-failure.ts";
import type { RunSql, SqlDatabase } from "../../services/sql-database.ts";
import type { SqlTables } from "../../services/sql-tables.ts";

/** The statements that bring tables from the version before to this one. Never changed once released. */
export type Migration = (tables: SqlTables) => readonly string[];

/** One number for all of sealtree's advisory locks in PostgreSQL: `seal` in ASCII. */
const lockClass = 0x7365616c;

/** The version of the tables; 0 when there are none. */
export async function readVersion(run: RunSql, dialect: SqlDatabase["dialect"], tables: SqlTables): Promise<number> {
  const [found] =
    dialect === "postgres"
      ? await run("SELECT 1 WHERE pg_catalog.to_regclass($1) IS NOT NULL", [tables.migration])
      : await run("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1", [tables.migration]);
  if (found === undefined) return 0;
  const [row] = await run(`SELECT max(version) AS version FROM ${tables.migration}`);
  return Number(row?.["version"] ?? 0);
}

/** Throws `rejected` when a newer program made the tables. */
export function checkVersion(version: number, known: number): void {
  if (version <= known) return;
  throw new ProviderFailure("rejected", `the tables are of version ${version}, and this program knows ${known}`, {
    hints: ["use a newer sealtree: tables are never taken back to an older version"],
  });
}

/**
 * Brings the tables to the newest version, in one transaction which only one program is in at a time.
 * Does nothing when they are there. Throws `rejected` for tables of a newer version, which stay as
 * they are, and what the database throws.
 */
export async function migrate(
  database: SqlDatabase,
  tables: SqlTables,
  migrations: readonly Migration[],
): Promise<void> {
  const { dialect } = database;
  const before = await database.transaction("read", undefined, async (run) => await readVersion(run, dialect, tables));
  checkVersion(before, migrations.length);
  if (before === migrations.length) return;
  await database.transaction("write", undefined, async (run) => {
    await lockFor(run, dialect, tables.migration);
    const version = await readVersion(run, dialect, tables);
    checkVersion(version, migrations.length);
    for (const [index, migration] of migrations.entries()) {
      if (index < version) continue;
      for (const statement of migration(tables)) await run(statement);
      await run(`INSERT INTO ${tables.migration} (version) VALUES ($1)`, [index + 1]);
    }
  });
}

/** Waits until no other transaction holds the lock of that name. SQLite has one writer at a time anyway. */
export async function lockFor(run: RunSql, dialect: SqlDatabase["dialect"], name: string): Promise<void> {
  if (dialect === "postgres") {
    await run("SELECT pg_catalog.pg_advisory_xact_lock($1, pg_catalog.hashtext($2))", [lockClass, name]);
  }
}
