import { setTimeout } from "node:timers/promises";
import { SealtreeError } from "../errors.ts";
import { createTurns, type RunSql, type SqlDatabase, type SqlParameter } from "./sql-database.ts";

/** What is used of node:sqlite, whose types are those of a later Node than the oldest that we run on. */
interface SqliteModule {
  readonly DatabaseSync: new (path: string, options: { readonly readOnly: boolean }) => SqliteHandle;
}
interface SqliteHandle {
  readonly isOpen: boolean;
  exec(sql: string): void;
  prepare(sql: string): { all(...parameters: SqlParameter[]): Record<string, unknown>[] };
  close(): void;
}

export interface SqliteOptions {
  /** Refuses to make the file, and to write. */
  readonly readOnly?: boolean;
  /** How long to wait for another writer, in milliseconds. */
  readonly patienceMs?: number;
}

const usualPatienceMs = 5000;
const maxPauseMs = 50;
/** SQLITE_BUSY, in the low byte of a result code. */
const busyCode = 5;

/** Whether this Node has SQLite in it: 22.13 and later. */
export function hasSqlite(): boolean {
  return findModule() !== undefined;
}

/**
 * A SQLite file as a database. Throws E_INPUT_INVALID on a Node without SQLite, and what node:sqlite
 * throws. Functions with effects do not run from the file's own views and triggers.
 */
export function openSqlite(file: string, options: SqliteOptions = {}): SqlDatabase {
  const sqlite = findModule();
  if (sqlite === undefined) {
    throw new SealtreeError("E_INPUT_INVALID", "this Node has no SQLite", { hints: ["use Node 22.13 or later"] });
  }
  const handle = new sqlite.DatabaseSync(file, { readOnly: options.readOnly ?? false });
  try {
    handle.exec("PRAGMA busy_timeout = 0");
    handle.exec("PRAGMA trusted_schema = OFF");
    handle.exec("PRAGMA secure_delete = ON");
  } catch (error) {
    handle.close();
    throw error;
  }
  const inTurn = createTurns();
  const patienceMs = options.patienceMs ?? usualPatienceMs;
  const run: RunSql = async (sql, parameters = []) => {
    const statement = handle.prepare(sql.replaceAll(/\$(\d+)/g, "?$1"));
    return await waitForOthers(() => statement.all(...parameters), patienceMs);
  };
  return {
    dialect: "sqlite",
    transaction: async (mode, _owner, work) =>
      await inTurn(async () => {
        await waitForOthers(() => handle.exec(mode === "read" ? "BEGIN" : "BEGIN IMMEDIATE"), patienceMs);
        try {
          const result = await work(run);
          await waitForOthers(() => handle.exec("COMMIT"), patienceMs);
          return result;
        } catch (error) {
          rollBack(handle);
          throw error;
        }
      }),
    async close() {
      if (handle.isOpen) handle.close();
    },
  };
}

/**
 * Tries again while another connection has the file. SQLite's own way to wait would stop this
 * process, and with it the connection that is waited for, when it is of this process too.
 */
async function waitForOthers<T>(call: () => T, patienceMs: number): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    try {
      return call();
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, "errcode") : undefined;
      if (typeof code !== "number" || (code & 0xff) !== busyCode || performance.now() > end) throw error;
      await setTimeout(pauseMs);
    }
  }
}

function rollBack(handle: SqliteHandle): void {
  try {
    handle.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, as it does when the disk is full.
  }
}

/** Node says that it is an experiment when it is loaded; what is used of it has not changed since 22.13. */
function findModule(): SqliteModule | undefined {
  const kept = Object.getOwnPropertyDescriptor(process, "emitWarning") ?? {};
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:sqlite") as unknown as SqliteModule | undefined;
  } finally {
    Object.defineProperty(process, "emitWarning", kept);
  }
}
