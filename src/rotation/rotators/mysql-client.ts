import type { Connection, RowDataPacket } from "mysql2/promise";
import { errnoOf } from "../../errors.ts";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import type { Login } from "../../services/database-login.ts";

/** Where a MySQL or MariaDB is and how it is spoken to. */
export interface MysqlServer {
  readonly host: string;
  readonly port: number;
  /** Undefined for a connection without TLS. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly timeoutMs: number;
}

/** One statement on an open connection: its rows. Throws what `mysql2` throws. */
export type Ask = (sql: string, values?: readonly string[]) => Promise<readonly RowDataPacket[]>;

/** Logs in. Throws what `mysql2` throws; `connectFailure` says what that means. */
export async function connectMysql(server: MysqlServer, { user, password }: Login): Promise<Connection> {
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection({
    host: server.host,
    port: server.port,
    user,
    password: password.revealText() ?? "",
    connectTimeout: server.timeoutMs,
    charset: "utf8mb4",
    multipleStatements: false,
    ...(server.tls === undefined ? {} : { ssl: secure(server.tls.ca) }),
  });
  // A connection that breaks between two statements is told here as well, and would end the process.
  connection.on("error", () => undefined);
  return connection;
}

function secure(ca: string | undefined) {
  return {
    rejectUnauthorized: true,
    verifyIdentity: true,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Runs statements on a connection of the login, and ends it. Throws ProviderFailure. */
export async function askMysql<T>(
  server: MysqlServer,
  login: Login,
  what: string,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const connection = await connectMysql(server, login).catch((error: unknown) => {
    throw connectFailure(server, error);
  });
  const ask: Ask = async (sql, values = []) => {
    const [rows] = await connection.query({ sql, timeout: server.timeoutMs }, [...values]);
    return Array.isArray(rows) ? (rows as RowDataPacket[]) : [];
  };
  try {
    return await work(ask);
  } catch (error) {
    throw error instanceof ProviderFailure ? error : queryFailure(server, what, error);
  } finally {
    connection.destroy();
  }
}

/** The number of an error that the server sent; undefined for any other. */
export function serverErrno(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const number: unknown = Reflect.get(error, "errno");
  const state: unknown = Reflect.get(error, "sqlState");
  return typeof number === "number" && number >= 1000 && typeof state === "string" ? number : undefined;
}

/** Too many connections, or a shutdown. */
const busy = [1040, 1053, 1129, 1203, 1226];

/** What it means that a login of the administrator failed. Nothing was done. */
function connectFailure(server: MysqlServer, error: unknown): ProviderFailure {
  const where = `the server at ${server.host}:${server.port}`;
  const number = serverErrno(error);
  if (number !== undefined) {
    if (busy.includes(number))
      return new ProviderFailure("transient", `${where} takes no connection now, error ${number}`);
    return new ProviderFailure("auth", `${where} does not let the administrator in, error ${number}`, {
      hints: ["try the administrator's login with mysql or mariadb, from this machine"],
    });
  }
  const code = errnoOf(error) ?? "";
  // `mysql2` puts this in the place of the code that says what is wrong with the certificate.
  if (code === "HANDSHAKE_SSL_ERROR") {
    return new ProviderFailure(
      "auth",
      `the certificate of ${where} cannot be trusted, or it speaks no TLS that is safe`,
      {
        hints: ["set ca in the rule to the certificate of who signed it, and host to a name in it"],
      },
    );
  }
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") return new ProviderFailure("auth", `${where} does not speak TLS`);
  const how = /^E[A-Z]+$/.test(code) ? `, ${code}` : "";
  return new ProviderFailure("transient", `${where} cannot be reached${how}`);
}

const classes: Readonly<Record<number, FailureClass>> = {
  1044: "auth",
  1045: "auth",
  1142: "auth",
  1143: "auth",
  1227: "auth",
  // The server is read-only, or takes no hashes since it checks passwords.
  1290: "auth",
  1836: "auth",
  // No such account, and a second password that cannot be kept.
  1396: "limit",
  3878: "limit",
  3894: "limit",
  3895: "limit",
  // A password that its own rules refuse.
  1372: "rejected",
  1819: "rejected",
  3638: "rejected",
  // A server that goes down and a connection that is ended, in the middle of a statement.
  1053: "unknown",
  1317: "unknown",
  1927: "unknown",
};

/** What it means that a statement failed: with an error of the server it did nothing, with any other nobody knows. */
function queryFailure(server: MysqlServer, what: string, error: unknown): ProviderFailure {
  const where = `the server at ${server.host}:${server.port}`;
  const number = serverErrno(error);
  if (number === undefined) return new ProviderFailure("unknown", `${where} did not say whether it could ${what}`);
  const failureClass = classes[number] ?? "transient";
  const hints = failureClass === "auth" ? ["see the rights in docs/rotators/mysql.md"] : [];
  return new ProviderFailure(failureClass, `${where} does not ${what}, error ${number}`, { hints });
}
