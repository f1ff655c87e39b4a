import { closeSync, existsSync, openSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { errnoOf, isSealtreeError } from "../../errors.ts";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { SqlDatabase } from "../../services/sql-database.ts";
import { sqlTables } from "../../services/sql-tables.ts";
import { openSqlite } from "../../services/sqlite-database.ts";
import { ownerOf, readLock, sequenceOf } from "./sql-options.ts";
import { sqliteMigrations } from "./sql-sqlite-tables.ts";
import { openSqlTarget } from "./sql-target.ts";
import type { SqliteTargetOptions } from "./sqlite.ts";
import type { OpenTarget } from "./target.ts";

/**
 * Opens the file, a path from the work tree when it does not begin with a slash. One that is not
 * there is made with the first write, readable by its owner only. Throws ProviderFailure.
 */
export async function openSqliteTarget(options: SqliteTargetOptions, access: ServiceAccess): Promise<OpenTarget> {
  const path = isAbsolute(options.file) ? options.file : join(access.directory ?? process.cwd(), options.file);
  const lock = readLock(options, access);
  return openSqlTarget(
    {
      database: openLate(path, access.timeoutMs),
      tables: sqlTables("sqlite"),
      migrations: sqliteMigrations,
      owner: ownerOf(options),
      lock,
      sequence: (commitNumber) => sequenceOf(options, commitNumber),
      checkRights: async () => undefined,
      prepare: async () => undefined,
      enter: async () => undefined,
      failure: sqliteFailure,
    },
    access,
  );
}

/** A database that is opened when it is first used: looking at a file that is not there must not make it. */
function openLate(path: string, patienceMs: number): SqlDatabase {
  // Told at once, and not after a plan was made: this Node may have no SQLite.
  const empty = guarded(() => openSqlite(":memory:"));
  let open: SqlDatabase | undefined;
  return {
    dialect: "sqlite",
    async transaction(mode, owner, work) {
      if (open === undefined && mode === "read" && !existsSync(path)) return await empty.transaction(mode, owner, work);
      open ??= guarded(() => openFile(path, patienceMs));
      return await open.transaction(mode, owner, work);
    },
    async close() {
      await empty.close();
      await open?.close();
    },
  };
}

function openFile(path: string, patienceMs: number): SqlDatabase {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  return openSqlite(path, { patienceMs });
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw sqliteFailure("open it", error);
  }
}

/** Result codes of SQLite (sqlite.org/rescode.html) that say more than that it did nothing. */
const classes: Readonly<Record<number, FailureClass>> = {
  3: "auth",
  8: "auth",
  10: "unknown",
  11: "rejected",
  13: "limit",
  14: "auth",
  19: "rejected",
  23: "auth",
  26: "rejected",
};

const hints: Readonly<Record<number, string>> = {
  5: "another program is writing; it is tried again",
  8: "the file or its folder cannot be written by this user",
  11: "the file is damaged: restore it, or deploy to a new one",
  13: "the disk is full",
  14: "the folder of the file must be there, and this user must be able to write in it",
  26: "the file is not of SQLite: name another one",
};

/** What an error of node:sqlite, or of a file, means. */
export function sqliteFailure(what: string, error: unknown): ProviderFailure {
  if (isSealtreeError(error)) return new ProviderFailure("rejected", error.message, { hints: error.hints });
  const code: unknown = error instanceof Error ? Reflect.get(error, "errcode") : undefined;
  if (typeof code === "number") {
    // The low byte is the kind, the rest tells more.
    const kind = code & 0xff;
    const hint = hints[kind];
    return new ProviderFailure(classes[kind] ?? "transient", `SQLite does not ${what}, result code ${code}`, {
      hints: hint === undefined ? [] : [hint],
    });
  }
  const errno = errnoOf(error);
  if (errno === undefined || !/^E[A-Z]+$/.test(errno)) return new ProviderFailure("unknown", `SQLite did not ${what}`);
  const isFull = errno === "ENOSPC" || errno === "EDQUOT";
  return new ProviderFailure(isFull ? "limit" : "auth", `the file of SQLite cannot be made, ${errno}`, {
    hints: ["the folder of the file must be there, and this user must be able to write in it"],
  });
}
