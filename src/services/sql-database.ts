import type { SqlOwner } from "./sql-row.ts";

export type SqlParameter = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs one statement, whose parameters are `$1`, `$2` and so on, and gives its rows. */
export type RunSql = (sql: string, parameters?: readonly SqlParameter[]) => Promise<readonly SqlRow[]>;

/** A connection to a database with our tables. What it throws is of the database. */
export interface SqlDatabase {
  readonly dialect: "postgres" | "sqlite";
  /**
   * A transaction of its own, one after the other: committed when `work` is done, rolled back when
   * it throws. `read` sees one state and writes nothing. `owner` is whose rows it is about, which
   * PostgreSQL shows no others than.
   */
  transaction<T>(mode: "read" | "write", owner: SqlOwner | undefined, work: (run: RunSql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Runs what it is given one after the other. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return await turn;
  };
}
