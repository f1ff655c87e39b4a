import { SealtreeError } from "../errors.ts";
import type { RunSql, SqlDatabase, SqlRow } from "./sql-database.ts";
import { rowFormat, type RowKind, type SealedRow, type SqlOwner } from "./sql-row.ts";

/** The names of the tables, ready to stand in a statement. */
export interface SqlTables {
  readonly secret: string;
  readonly owner: string;
  readonly access: string;
  readonly migration: string;
}

/** The schema of PostgreSQL that the tables are in, when nothing else is said. */
const usualSchema = "sealtree";

/** The tables; those of SQLite are in no schema. Throws E_INPUT_INVALID for a schema that is no plain name. */
export function sqlTables(dialect: SqlDatabase["dialect"], schema: string = usualSchema): SqlTables {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new SealtreeError("E_INPUT_INVALID", "a schema is 1 to 63 of a-z, 0-9 and _");
  }
  const name = (table: string) => (dialect === "postgres" ? `"${schema}".sealtree_${table}` : `sealtree_${table}`);
  return { secret: name("secret"), owner: name("owner"), access: name("access"), migration: name("migration") };
}

/** The clear columns that tell one version of a row from another, and where they stand. */
export interface RowState {
  readonly name: string;
  readonly kind: RowKind;
  readonly sequence: number;
  readonly changedAtMs: number;
  readonly mac: Uint8Array;
  /** Undefined in a row that somebody else made. */
  readonly mark: RowMark | undefined;
}

/** What sealtree says of a row in the clear. */
export interface RowMark {
  readonly address: string;
  readonly fingerprint: string;
  readonly readers: string;
}

/** The rows of an owner in one state of the table. */
export interface OwnerRows {
  /** Undefined before the first deploy. */
  readonly owner: SealedRow | undefined;
  /** All rows with a mark of ours, removed ones too. */
  readonly states: readonly RowState[];
  /** Those of them that were asked for, whole. */
  readonly rows: readonly SealedRow[];
  /** Rows that somebody else made. */
  readonly foreign: readonly RowState[];
}

/**
 * Reads the rows of an owner with one statement: whole those in `names`, or all. Throws
 * E_RECORD_MALFORMED for rows that no writer of this format makes.
 */
export async function readRows(
  run: RunSql,
  tables: SqlTables,
  owner: SqlOwner,
  names: "all" | "none" | { readonly only: string },
): Promise<OwnerRows> {
  const whole = names === "all" ? "1 = 1" : names === "none" ? "1 = 0" : "name = $3";
  const large = ["wrapped_key", "sealed"].map((column) => `CASE WHEN ${whole} THEN ${column} END AS ${column}`);
  const clear = "format, sequence, readers, changed_at_ms, mac";
  const found = await run(
    `SELECT name, kind, address, fingerprint, ${clear}, ${large.join(", ")} FROM ${tables.secret}
      WHERE owner_type = $1 AND owner_id = $2
    UNION ALL SELECT '', 'owner', '', '', ${clear}, wrapped_key, sealed FROM ${tables.owner}
      WHERE owner_type = $1 AND owner_id = $2`,
    [owner.type, owner.id, ...(typeof names === "object" ? [names.only] : [])],
  );
  const ours = found.filter((row) => row["address"] !== null);
  for (const row of ours) checkFormat(row);
  const secrets = ours.filter((row) => row["kind"] !== "owner");
  const ownerRow = ours.find((row) => row["kind"] === "owner");
  return {
    owner: ownerRow === undefined ? undefined : parseRow(owner, ownerRow),
    states: secrets.map(parseState),
    rows: secrets.filter((row) => row["sealed"] !== null).map((row) => parseRow(owner, row)),
    foreign: found.filter((row) => row["address"] === null).map(parseState),
  };
}

function checkFormat(row: SqlRow): void {
  const format = numberOf(row, "format");
  if (format === rowFormat) return;
  throw new SealtreeError("E_RECORD_MALFORMED", `a row of the table is of format ${format}, which is not known here`, {
    hints: ["use a newer sealtree"],
  });
}

function parseState(row: SqlRow): RowState {
  const kind = row["kind"];
  if (kind !== "value" && kind !== "deleted" && kind !== "owner") throw malformed();
  return {
    name: textOf(row, "name"),
    kind,
    sequence: numberOf(row, "sequence"),
    changedAtMs: numberOf(row, "changed_at_ms"),
    mac: bytesOf(row, "mac"),
    mark: row["address"] === null ? undefined : parseMark(row),
  };
}

function parseMark(row: SqlRow): RowMark {
  return {
    address: textOf(row, "address"),
    fingerprint: textOf(row, "fingerprint"),
    readers: textOf(row, "readers"),
  };
}

function parseRow(owner: SqlOwner, row: SqlRow): SealedRow {
  const { name, kind, sequence, changedAtMs, mac } = parseState(row);
  return {
    ...parseMark(row),
    owner,
    name,
    kind,
    sequence,
    mac,
    changedAtMs,
    wrappedKey: bytesOf(row, "wrapped_key"),
    sealed: bytesOf(row, "sealed"),
  };
}

function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw malformed();
  return value;
}

/** PostgreSQL gives numbers of 64 bits as text. */
function numberOf(row: SqlRow, column: string): number {
  const value = row[column];
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0) throw malformed();
  return number;
}

function bytesOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw malformed();
  return value;
}

function malformed(): SealtreeError {
  return new SealtreeError("E_RECORD_MALFORMED", "a row of the table is malformed");
}
