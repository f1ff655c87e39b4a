import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { postgresTarget } from "../deploy/targets/postgres.ts";
import { ownerOf, readLock, type SqlOptions } from "../deploy/targets/sql-options.ts";
import { readLogin } from "../deploy/targets/sql-postgres.ts";
import { sqliteTarget } from "../deploy/targets/sqlite.ts";
import { hasCode, isSealtreeError } from "../errors.ts";
import type { ProviderFailure } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { usesTls } from "../services/database-login.ts";
import { connectFailure, connectPostgres, endPostgres, queryFailure } from "../services/postgres-client.ts";
import { postgresDatabase } from "../services/postgres-database.ts";
import type { SqlDatabase } from "../services/sql-database.ts";
import { readSqlValues } from "../services/sql-reader.ts";
import { openSqlite } from "../services/sqlite-database.ts";
import { readAuthority } from "../services/trusted-authority.ts";
import type { OpenTargetReader, ReaderAccess, TargetReader } from "./target-reader.ts";

/** Rows of a table in SQLite. Needs the file, and an identity that the rows are sealed to, or the key. */
export const openSqliteReader: OpenTargetReader = async (written, access) => {
  const options = sqliteTarget.options.parse(written);
  const file = resolve(access.directory ?? ".", options.file);
  return await openTable(options, access, {
    // Reading a file that is not there must not make it.
    open: () => Promise.resolve(existsSync(file) ? openSqlite(file, { readOnly: true }) : undefined),
  });
};

/** Rows of a table in PostgreSQL. Needs a login that may select rows of the owner, and an identity or the key. */
export const openPostgresReader: OpenTargetReader = async (written, access) => {
  const options = postgresTarget.options.parse(written);
  const { host, port, database, schema, ca } = options;
  const tls = usesTls(options) ? { ca: readAuthority(ca, access) } : undefined;
  const server = { host, port, database, page: "docs/targets/postgres.md", tls, timeoutMs: access.timeoutMs };
  return await openTable(options, access, {
    schema,
    async open() {
      const { client } = await connectPostgres(server, readLogin(options, access)).catch((error: unknown) => {
        throw connectFailure(server, error);
      });
      return postgresDatabase(client, async () => await endPostgres(client));
    },
    explain: (error) => queryFailure(server, "show the rows", error),
  });
};

/** How a table is reached. */
interface TablePlace {
  readonly schema?: string;
  /** A connection for one read; undefined when there is no table. */
  open(): Promise<SqlDatabase | undefined>;
  explain?(error: unknown): ProviderFailure;
}

/** All rows are read together, since only together they show that none was removed or put back. */
async function openTable(options: SqlOptions, access: ReaderAccess, place: TablePlace): Promise<TargetReader> {
  const { readers, integrityKey } = readLock(options, access);
  const keys = readers.kind === "key" ? { keys: [readers.key] } : { identities: await access.identities() };
  const reading = { owner: ownerOf(options), keys: { ...keys, integrityKey } };
  const schema = place.schema === undefined ? {} : { schema: place.schema };
  let minimumSequence = 0;
  return {
    async read(names) {
      const database = await place.open();
      if (database === undefined) return new Map();
      try {
        const { sequence, values } = await readSqlValues(database, { ...reading, ...schema, minimumSequence });
        minimumSequence = Math.max(minimumSequence, sequence);
        const wanted = new Set(names);
        return new Map([...values].filter(([name]) => wanted.has(name)));
      } catch (error) {
        return emptyOrThrow(error, place);
      } finally {
        await database.close();
      }
    },
  };
}

function emptyOrThrow(error: unknown, place: TablePlace): ReadonlyMap<string, Secret> {
  // Nothing was deployed for the owner yet.
  if (hasCode(error, "E_SECRET_NOT_FOUND")) return new Map();
  throw isSealtreeError(error) || place.explain === undefined ? error : place.explain(error);
}
