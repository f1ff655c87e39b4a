import { createTurns, type RunSql, type SqlDatabase } from "./sql-database.ts";

/** What is needed of a client of `pg`: one connection, not a pool. */
export interface PostgresQueries {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** The longest that a transaction waits for another one, in milliseconds. */
const lockPatienceMs = 10_000;

/**
 * A connected client of `pg` as a database. `close` is what ends the connection. Settings are made
 * for one transaction each, so that a pooler in front of the server does no harm.
 */
export function postgresDatabase(client: PostgresQueries, close: () => Promise<void>): SqlDatabase {
  const inTurn = createTurns();
  const run: RunSql = async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows;
  return {
    dialect: "postgres",
    transaction: async (mode, owner, work) =>
      await inTurn(async () => {
        await client.query(
          mode === "read" ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL READ COMMITTED",
        );
        try {
          await client.query(
            `SELECT pg_catalog.set_config('sealtree.owner_type', $1, true),
              pg_catalog.set_config('sealtree.owner_id', $2, true),
              pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
              pg_catalog.set_config('lock_timeout', $3, true)`,
            [owner?.type ?? "", owner?.id ?? "", String(lockPatienceMs)],
          );
          const result = await work(run);
          await client.query("COMMIT");
          return result;
        } catch (error) {
          await client.query("ROLLBACK").catch(() => undefined);
          throw error;
        }
      }),
    close,
  };
}
