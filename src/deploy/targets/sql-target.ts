import { isSealtreeError } from "../../errors.ts";
import { isProviderFailure, ProviderFailure } from "../../net/provider-failure.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { RunSql, SqlDatabase } from "../../services/sql-database.ts";
import { openRow, type RowLock, type SealedRow, type SqlOwner } from "../../services/sql-row.ts";
import { readersId } from "../../services/sql-row-key.ts";
import { readRows, type OwnerRows, type RowState, type SqlTables } from "../../services/sql-tables.ts";
import { checkVersion, lockFor, migrate, readVersion, type Migration } from "./sql-migrations.ts";
import { ownerRevision, revisionOf, writeChange, type ChangeOutcome } from "./sql-write.ts";
import type { Found, OpenTarget, Progress } from "./target.ts";

/** A table that is connected, and what is done with it. */
export interface SqlTableTarget {
  readonly database: SqlDatabase;
  readonly tables: SqlTables;
  readonly migrations: readonly Migration[];
  readonly owner: SqlOwner;
  readonly lock: RowLock;
  /** The sequence of a deploy from the number of its commit. */
  sequence(commitNumber: number | undefined): number;
  /** Throws `auth` when the login may not write rows of the owner; the tables are there. */
  checkRights(run: RunSql): Promise<void>;
  /** Makes what must be there before the first migration. */
  prepare(run: RunSql): Promise<void>;
  /** Begins a transaction that writes: checks the login, and gives the owner of the tables its right. */
  enter(run: RunSql): Promise<void>;
  /** What an error of the database means. */
  failure(what: string, error: unknown): ProviderFailure;
}

/** In the place of a fingerprint, for a row that is to be written anew: changed by somebody, or sealed to others. */
const outdated = "0000000000000000";

const looking = "show the rows";

/** A table as a target: all rows of a deploy are there at once, or none. */
export function openSqlTarget(target: SqlTableTarget, access: Pick<ServiceAccess, "random" | "now">): OpenTarget {
  const { database, tables, owner, lock } = target;
  const guarded = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const failure = explain(target, what, error);
      // A look that nobody answered did nothing.
      const isLook = what === looking && failure.class === "unknown";
      throw isLook ? new ProviderFailure("transient", failure.message, { hints: failure.hints }) : failure;
    }
  };
  let planned: string | undefined;
  return {
    inspect: async (names) =>
      await guarded(looking, async () => {
        const rows = await database.transaction("read", owner, async (run) => {
          const version = await readVersion(run, database.dialect, tables);
          checkVersion(version, target.migrations.length);
          if (version === 0) return undefined;
          await target.checkRights(run);
          return await readRows(run, tables, owner, lock.readers.kind === "key" ? "all" : "none");
        });
        planned = ownerRevision(rows?.owner);
        return rows === undefined ? [] : await listFound(lock, rows, new Set(names));
      }),
    apply: async (change, progress) =>
      await guarded("write the rows", async () => {
        const sequence = target.sequence(change.sequence);
        await prepareTables(target);
        const outcome = await database.transaction("write", owner, async (run) => {
          await lockFor(run, database.dialect, JSON.stringify([tables.secret, owner.type, owner.id]));
          await target.enter(run);
          return await writeChange(run, { tables, owner, lock }, { change, sequence, planned, access });
        });
        planned = outcome.revision;
        tell(outcome, progress);
      }),
    close: async () => await database.close(),
  };
}

/** Tables of the newest version are left alone, so that a login that can only write rows is enough. */
async function prepareTables({ database, tables, migrations, ...target }: SqlTableTarget): Promise<void> {
  const read = async (run: RunSql) => await readVersion(run, database.dialect, tables);
  if ((await database.transaction("read", undefined, read)) === migrations.length) return;
  await database.transaction("write", undefined, async (run) => {
    await lockFor(run, database.dialect, tables.migration);
    await target.prepare(run);
  });
  await migrate(database, tables, migrations);
}

function tell({ done, late, newest }: ChangeOutcome, progress: Progress): void {
  for (const name of done) progress.done(name);
  for (const name of late) {
    progress.failed(
      name,
      new ProviderFailure("rejected", `a newer deploy was here before: ${newest}, and this one is late`, {
        hints: ["nothing is to be done, when the newer one went well; deploy the newest commit again to be sure"],
      }),
    );
  }
}

async function listFound(lock: RowLock, found: OwnerRows, names: ReadonlySet<string>): Promise<Found[]> {
  const foreign = found.foreign
    .filter(({ name }) => names.has(name))
    .map((state): Found => ({ name: state.name, revision: revisionOf(state) }));
  const whole = new Map(found.rows.map((row) => [row.name, row]));
  const ours = found.states
    .filter(({ kind }) => kind === "value")
    .map(async (state) => await describeRow(lock, state, whole.get(state.name)));
  return [...foreign, ...(await Promise.all(ours))];
}

/** A row of ours; opened when it is here as a whole and we have the key. */
async function describeRow(lock: RowLock, state: RowState, row: SealedRow | undefined): Promise<Found> {
  const { name, changedAtMs } = state;
  const address = state.mark?.address ?? "";
  const isForReaders = state.mark?.readers === readersId(lock.readers);
  const mark = { address, fingerprint: isForReaders ? (state.mark?.fingerprint ?? outdated) : outdated };
  const plain = { name, changedAtMs, revision: revisionOf(state), mark };
  if (lock.readers.kind === "recipients" || row === undefined) return plain;
  try {
    return { ...plain, value: await openRow({ keys: [lock.readers.key], integrityKey: lock.integrityKey }, row) };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { ...plain, mark: { address, fingerprint: outdated } };
  }
}

function explain(target: SqlTableTarget, what: string, error: unknown): ProviderFailure {
  if (isProviderFailure(error)) return error;
  if (isSealtreeError(error)) return new ProviderFailure("rejected", error.message, { hints: error.hints });
  return target.failure(what, error);
}
