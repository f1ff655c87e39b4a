import { isSealtreeError } from "../../errors.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { RunSql, SqlParameter } from "../../services/sql-database.ts";
import {
  digestRows,
  openRow,
  rowFormat,
  sealRow,
  type RowLock,
  type SealedRow,
  type SqlOwner,
} from "../../services/sql-row.ts";
import { readersId } from "../../services/sql-row-key.ts";
import { readRows, type OwnerRows, type RowState, type SqlTables } from "../../services/sql-tables.ts";
import type { Change, Found, Item } from "./target.ts";

/** Where rows are written, and whom they are sealed to. */
export interface WritePlace {
  readonly tables: SqlTables;
  readonly owner: SqlOwner;
  readonly lock: RowLock;
}

export interface WriteTask {
  readonly change: Change;
  /** Of this deploy. */
  readonly sequence: number;
  /** The revision of the owner's row when the change was planned, `none` without one; undefined when nobody looked. */
  readonly planned: string | undefined;
  readonly access: Pick<ServiceAccess, "random" | "now">;
}

/** What became of the items of a change, by name. */
export interface ChangeOutcome {
  readonly done: readonly string[];
  /** Not written, since a deploy with a greater sequence was there before. */
  readonly late: readonly string[];
  /** The greatest sequence that was there before. */
  readonly newest: number;
  /** The revision of the owner's row now. */
  readonly revision: string;
}

const columns =
  "owner_type, owner_id, name, kind, address, fingerprint, format, sequence, readers, changed_at_ms, wrapped_key, sealed, mac";
const ownerColumns = "owner_type, owner_id, format, sequence, readers, changed_at_ms, wrapped_key, sealed, mac";
const [maxBatchRows, maxBatchBytes] = [50, 4 * 1024 * 1024];

/** Tells one version of a row from all others. */
export function revisionOf({ mac }: Pick<RowState, "mac">): string {
  return Buffer.from(mac).toString("hex");
}

/** Tells one state of all rows of an owner from all others: each deploy that changes something writes that row anew. */
export function ownerRevision(row: SealedRow | undefined): string {
  return row === undefined ? "none" : revisionOf(row);
}

/**
 * Writes a change within a transaction that has the owner's lock: all of it, or nothing when a newer
 * deploy was there. Throws `transient` when anything changed since it was looked at, also what is to
 * stay as it is, and what the database throws; the transaction is then to be rolled back.
 */
export async function writeChange(run: RunSql, place: WritePlace, task: WriteTask): Promise<ChangeOutcome> {
  const { change, sequence } = task;
  const found = await readRows(run, place.tables, place.owner, "none");
  const states = new Map(found.states.map((state) => [state.name, state]));
  const present = new Map([...found.foreign, ...found.states].map((state) => [state.name, state]));
  const newest = Math.max(found.owner?.sequence ?? 0, ...found.states.map((state) => state.sequence));
  const names = [...change.writes, ...change.removes].map(({ name }) => name);
  const before = ownerRevision(found.owner);
  if (newest > sequence) return { done: [], late: names, newest, revision: before };
  if (task.planned !== undefined && task.planned !== before) throw changedMeanwhile();

  const seals = [
    ...change.writes.filter((item) => needsWrite(item, present.get(item.name), place, sequence)),
    ...change.removes.filter((gone) => needsRemoval(gone, present.get(gone.name))),
  ].map(async (item) => await seal(item, place, task));
  const rows = await Promise.all(seals);
  if (rows.length === 0 && newest === sequence && (await isRight(found, place.lock))) {
    return { done: names, late: [], newest, revision: before };
  }
  const written = await writeRows(run, place.tables, rows);
  // Without the lock somebody may have come in between: then nothing of this deploy may stay.
  if (written < rows.length) throw changedMeanwhile();
  for (const row of rows) states.set(row.name, { ...row, mark: row });
  const owner = await sealOwner([...states.values()], place, task);
  await writeOwner(run, place.tables, owner);
  return { done: names, late: [], newest, revision: revisionOf(owner) };
}

/** Whether the owner's row is for the readers and, where we can see it, of the rows that are there. */
async function isRight({ owner, states }: OwnerRows, { readers, integrityKey }: RowLock): Promise<boolean> {
  if (owner?.readers !== readersId(readers)) return false;
  if (readers.kind === "recipients") return true;
  try {
    return (await openRow({ keys: [readers.key], integrityKey }, owner)).equals(digestRows(states));
  } catch (error) {
    if (isSealtreeError(error)) return false;
    throw error;
  }
}

function needsWrite(item: Item, state: RowState | undefined, { lock }: WritePlace, sequence: number): boolean {
  const live = state?.kind === "value" ? state : undefined;
  if ((live === undefined ? undefined : revisionOf(live)) === item.found?.revision) return true;
  const isOurs =
    live?.sequence === sequence &&
    live.mark?.address === item.mark.address &&
    live.mark.fingerprint === item.mark.fingerprint &&
    live.mark.readers === readersId(lock.readers);
  if (isOurs) return false;
  throw changedMeanwhile();
}

function needsRemoval(gone: Found, state: RowState | undefined): boolean {
  if (state?.kind !== "value") return false;
  if (revisionOf(state) === gone.revision) return true;
  throw changedMeanwhile();
}

function changedMeanwhile(): ProviderFailure {
  return new ProviderFailure("transient", "rows changed since they were looked at, so none was written");
}

/** A value, or the trace that a removed one leaves, which keeps its mark. */
async function seal(
  item: Item | Found,
  { owner, lock }: WritePlace,
  { sequence, access }: WriteTask,
): Promise<SealedRow> {
  const isItem = "found" in item;
  const head = {
    owner,
    kind: isItem ? "value" : "deleted",
    name: item.name,
    sequence,
    address: item.mark?.address ?? "",
    fingerprint: item.mark?.fingerprint ?? "",
    changedAtMs: access.now().getTime(),
  } as const;
  const value = isItem ? item.value : Secret.of(new Uint8Array(0), "binary");
  return await sealRow(lock, head, value, access.random);
}

/** What tells readers that they see all rows of one deploy, and no others. */
async function sealOwner(states: readonly RowState[], { owner, lock }: WritePlace, { sequence, access }: WriteTask) {
  const changedAtMs = access.now().getTime();
  const head = { owner, kind: "owner", name: "", sequence, address: "", fingerprint: "", changedAtMs } as const;
  return await sealRow(lock, head, digestRows(states), access.random);
}

/** Writes rows that are not behind those that are there, and gives their number. */
async function writeRows(run: RunSql, { secret }: SqlTables, rows: readonly SealedRow[]): Promise<number> {
  let written = 0;
  for (const batch of batchesOf(rows)) {
    const parameters = batch.flatMap((row): SqlParameter[] => [
      row.owner.type,
      row.owner.id,
      row.name,
      row.kind,
      row.address,
      row.fingerprint,
      ...sealedColumns(row),
    ]);
    const done = await run(
      `INSERT INTO ${secret} AS present (${columns}) VALUES ${placeholders(batch.length, 13)}
        ON CONFLICT (owner_type, owner_id, name) DO UPDATE SET kind = excluded.kind, address = excluded.address,
          fingerprint = excluded.fingerprint, ${setSealed} WHERE present.sequence <= excluded.sequence RETURNING name`,
      parameters,
    );
    written += done.length;
  }
  return written;
}

async function writeOwner(run: RunSql, { owner }: SqlTables, row: SealedRow): Promise<void> {
  const done = await run(
    `INSERT INTO ${owner} AS present (${ownerColumns}) VALUES ${placeholders(1, 9)}
      ON CONFLICT (owner_type, owner_id) DO UPDATE SET ${setSealed}
        WHERE present.sequence <= excluded.sequence RETURNING sequence`,
    [row.owner.type, row.owner.id, ...sealedColumns(row)],
  );
  if (done.length === 0) throw changedMeanwhile();
}

/** The same commit may write again, to mend a row; it has the same values. One that is older may not. */
const setSealed = ["format", "sequence", "readers", "changed_at_ms", "wrapped_key", "sealed", "mac"]
  .map((column) => `${column} = excluded.${column}`)
  .join(", ");

function sealedColumns(row: SealedRow): SqlParameter[] {
  return [rowFormat, row.sequence, row.readers, row.changedAtMs, row.wrappedKey, row.sealed, row.mac];
}

function placeholders(rows: number, width: number): string {
  const row = (index: number) => Array.from({ length: width }, (_, at) => `$${index * width + at + 1}`).join(", ");
  return Array.from({ length: rows }, (_, index) => `(${row(index)})`).join(", ");
}

function* batchesOf(rows: readonly SealedRow[]): Generator<readonly SealedRow[]> {
  let batch: SealedRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = row.sealed.length + row.wrappedKey.length;
    if (batch.length > 0 && (batch.length >= maxBatchRows || bytes + size > maxBatchBytes)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
