import { isSealtreeError } from "../../errors.ts";
import { isProviderFailure, ProviderFailure } from "../../net/provider-failure.ts";
import { readLoginUrl, usesTls, type Login } from "../../services/database-login.ts";
import {
  connectFailure,
  connectPostgres,
  endPostgres,
  queryFailure,
  serverError,
  type PostgresServer,
} from "../../services/postgres-client.ts";
import { postgresDatabase } from "../../services/postgres-database.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { RunSql, SqlDatabase } from "../../services/sql-database.ts";
import { sqlTables, type SqlTables } from "../../services/sql-tables.ts";
import { readAuthority } from "../../services/trusted-authority.ts";
import type { PostgresTargetOptions } from "./postgres.ts";
import { ownerOf, readLock, sequenceOf } from "./sql-options.ts";
import { postgresMigrations } from "./sql-postgres-tables.ts";
import { openSqlTarget } from "./sql-target.ts";
import type { OpenTarget } from "./target.ts";

const page = "docs/targets/postgres.md";

/** Connects as the writer. Throws ProviderFailure. */
export async function openPostgresTarget(options: PostgresTargetOptions, access: ServiceAccess): Promise<OpenTarget> {
  const server: PostgresServer = {
    host: options.host,
    port: options.port,
    database: options.database,
    page,
    tls: usesTls(options) ? { ca: readAuthority(options.ca, access) } : undefined,
    timeoutMs: access.timeoutMs,
  };
  const lock = readLock(options, access);
  const login = readLogin(options, access);
  const connect = async () => {
    const { client } = await connectPostgres(server, login).catch((error: unknown) => {
      throw connectFailure(server, error);
    });
    return postgresDatabase(client, async () => await endPostgres(client));
  };
  const [tables, owner] = [sqlTables("postgres", options.schema), ownerOf(options)];
  const failure = (what: string, error: unknown) => queryFailure(server, what, error);
  return openSqlTarget(
    {
      database: reconnecting(await connect(), connect),
      tables,
      migrations: postgresMigrations,
      owner,
      lock,
      sequence: (commitNumber) => sequenceOf(options, commitNumber),
      checkRights: async (run) => void (await checkRights(run, tables)),
      async prepare(run) {
        await checkEncoding(run);
        const [found] = await run("SELECT 1 WHERE pg_catalog.to_regnamespace($1) IS NOT NULL", [options.schema]);
        if (found === undefined) await run(`CREATE SCHEMA IF NOT EXISTS "${options.schema}"`);
      },
      async enter(run) {
        if ((await checkRights(run, tables)) === "given") return;
        await run(
          `INSERT INTO ${tables.access} (role, owner_type, owner_id, may_write) VALUES (current_user, $1, $2, true)
            ON CONFLICT (role, owner_type, owner_id) DO UPDATE SET may_write = true`,
          [owner.type, owner.id],
        );
      },
      failure,
    },
    access,
  );
}

/** Who logs in. Throws ProviderFailure `auth` when the policy does not say. */
export function readLogin(options: PostgresTargetOptions, access: ServiceAccess): Login {
  const { login, user, password } = options;
  if (login !== undefined) {
    return readLoginUrl(options, "the login's", login, ["postgres:", "postgresql:"], access);
  }
  if (user === undefined || password === undefined) throw new ProviderFailure("auth", "the policy names no login");
  return { user, password: access.read(password) };
}

/** A database that connects anew after a connection broke, or is in the middle of what nobody waits for any more. */
function reconnecting(first: SqlDatabase, connect: () => Promise<SqlDatabase>): SqlDatabase {
  let current: SqlDatabase | undefined = first;
  const end = async () => {
    const ended = current;
    current = undefined;
    await ended?.close();
  };
  return {
    dialect: "postgres",
    async transaction(mode, owner, work) {
      current ??= await connect();
      try {
        return await current.transaction(mode, owner, work);
      } catch (error) {
        const isOurs = isProviderFailure(error) || isSealtreeError(error);
        if (!isOurs && (serverError(error)?.isFatal ?? true)) await end();
        throw error;
      }
    },
    close: end,
  };
}

/** Whether the role was given the owner of the transaction, or may give it to itself. Throws `auth` when neither. */
async function checkRights(run: RunSql, { access, secret }: SqlTables): Promise<"given" | "owner of the tables"> {
  await checkEncoding(run);
  const [found] = await run(
    `SELECT pg_catalog.has_table_privilege($1, 'SELECT, INSERT, UPDATE') AS privileged,
      EXISTS (
        SELECT 1 FROM ${access} AS given JOIN pg_catalog.pg_roles ON pg_roles.rolname = given.role
        WHERE given.owner_type = pg_catalog.current_setting('sealtree.owner_type', true)
          AND given.owner_id = pg_catalog.current_setting('sealtree.owner_id', true)
          AND pg_catalog.pg_has_role(pg_roles.oid, 'USAGE') AND given.may_write
      ) AS given,
      (SELECT pg_catalog.pg_has_role(relowner, 'USAGE') FROM pg_catalog.pg_class
        WHERE oid = pg_catalog.to_regclass($1)) AS owns`,
    [secret],
  );
  if (found?.["privileged"] === true && found["given"] === true) return "given";
  if (found?.["owns"] === true) return "owner of the tables";
  throw new ProviderFailure("auth", "the role may not write rows of this owner", {
    hints: [`give it the owner with INSERT INTO ${access}: see the rights in ${page}`],
  });
}

async function checkEncoding(run: RunSql): Promise<void> {
  const [found] = await run("SELECT pg_catalog.current_setting('server_encoding') AS encoding");
  if (found?.["encoding"] === "UTF8") return;
  throw new ProviderFailure("rejected", "the database does not hold text as UTF-8", {
    hints: ["use a database that was made with ENCODING 'UTF8'"],
  });
}
