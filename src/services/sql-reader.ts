import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { digestRows, openRow, type RowOpener, type SqlOwner } from "./sql-row.ts";
import { readRows, sqlTables, type OwnerRows } from "./sql-tables.ts";

/** What a reader of an owner's rows is made of. */
export interface SqlReaderOptions {
  readonly owner: SqlOwner;
  /** Identities or keys, and the integrity key when the rows are written with one. */
  readonly keys: RowOpener;
  /** The schema of PostgreSQL; `sealtree` when left out. */
  readonly schema?: string;
  /** The greatest sequence that was seen before: a table that is behind it was put back, and is refused. */
  readonly minimumSequence?: number;
}

/** What was deployed last to an owner. */
export interface SqlValues {
  /** Of the deploy; to be kept for `minimumSequence`. */
  readonly sequence: number;
  readonly values: ReadonlyMap<string, Secret>;
}

/**
 * All values of an owner. Gives out nothing before every row, and which rows there are, passed.
 * Throws E_SECRET_NOT_FOUND when nothing was deployed yet, E_RECORD_INTEGRITY for rows that were
 * changed, renamed, swapped, removed, added or put back, E_RECORD_MALFORMED, E_NO_ACCESS, and what
 * the database throws. Keeps nothing.
 */
export async function readSqlValues(database: SqlDatabase, options: SqlReaderOptions): Promise<SqlValues> {
  const found = await load(database, options, "all");
  const sequence = await checkOwner(found, options);
  const values = new Map<string, Secret>();
  for (const row of found.rows) {
    const secret = await openRow(options.keys, row);
    if (row.kind === "value") values.set(row.name, secret);
  }
  return { sequence, values };
}

/** One value of an owner; undefined when there is none of that name. Checks and throws as {@link readSqlValues} does. */
export async function readSqlValue(
  database: SqlDatabase,
  name: string,
  options: SqlReaderOptions,
): Promise<Secret | undefined> {
  const found = await load(database, options, { only: name });
  await checkOwner(found, options);
  const row = found.rows.find((it) => it.name === name);
  const secret = row === undefined ? undefined : await openRow(options.keys, row);
  return row?.kind === "value" ? secret : undefined;
}

async function load(
  database: SqlDatabase,
  { owner, schema }: SqlReaderOptions,
  names: "all" | { readonly only: string },
): Promise<OwnerRows> {
  const tables = sqlTables(database.dialect, schema);
  return await database.transaction("read", owner, async (run) => await readRows(run, tables, owner, names));
}

/** Whether the rows are those of the last deploy. Gives its sequence. */
async function checkOwner({ owner, states }: OwnerRows, options: SqlReaderOptions): Promise<number> {
  if (owner === undefined) {
    // Without its own row, rows of an owner are not to be told from those of another day.
    if (states.length > 0) throw altered();
    throw new SealtreeError("E_SECRET_NOT_FOUND", "nothing was deployed for this owner", {
      hints: ["or the login may not see it: see the GRANTs in docs/targets/postgres.md"],
    });
  }
  const digest = await openRow(options.keys, owner);
  if (!digest.equals(digestRows(states))) throw altered();
  if (owner.sequence < (options.minimumSequence ?? 0)) throw altered();
  return owner.sequence;
}

function altered(): SealtreeError {
  return new SealtreeError("E_RECORD_INTEGRITY", "the rows of the owner are not those that were deployed last", {
    hints: ["one was put back, removed or added, or the whole table restored; deploy again"],
  });
}
