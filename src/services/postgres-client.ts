import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import type { Client, ClientConfig } from "pg";
import { errnoOf } from "../errors.ts";
import { isCertificateCode } from "../net/network-codes.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import type { Login } from "./database-login.ts";

const endPatienceMs = 2000;

/** Where a PostgreSQL is and how it is spoken to. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The page of the documentation with the rights that a login needs, for hints. */
  readonly page: string;
  /** Undefined for a connection without TLS. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly timeoutMs: number;
}

/** A connection, and whether the server asked for the password before it let us in. */
export interface PostgresConnection {
  readonly client: Client;
  readonly wasAsked: boolean;
}

/**
 * Logs in. Takes nothing from the environment or from files of the user. Throws what `pg` throws;
 * {@link connectFailure} says what that means.
 */
export async function connectPostgres(server: PostgresServer, { user, password }: Login): Promise<PostgresConnection> {
  const { default: pg } = await import("pg");
  let wasAsked = false;
  const client = new pg.Client({
    host: server.host,
    port: server.port,
    database: server.database,
    user,
    password: () => {
      wasAsked = true;
      return password.revealText() ?? "";
    },
    ssl: server.tls === undefined ? false : secure(server.host, server.tls.ca),
    application_name: "sealtree",
    options: "",
    connectionTimeoutMillis: server.timeoutMs,
    query_timeout: server.timeoutMs,
    enableChannelBinding: server.tls !== undefined,
  } satisfies ClientConfig & { enableChannelBinding: boolean });
  // A connection that breaks between two queries is told here as well, and would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await endPostgres(client);
    throw error;
  }
  return { client, wasAsked };
}

/** Ends a connection. One that the other end does not answer on any more is left to end by itself. */
export async function endPostgres(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, endPatienceMs);
  });
  await Promise.race([client.end().catch(() => undefined), patience]);
  clearTimeout(timer);
}

/** The name is checked here, since `pg` does not tell TLS which address it connects to. */
function secure(host: string, ca: string | undefined): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** The SQLSTATE of an error that the server sent, and the place in its source that sent it. */
export function serverError(error: unknown): { state: string; routine: string; isFatal: boolean } | undefined {
  const found = errnoOf(error);
  if (!(error instanceof Error) || found === undefined || !/^[0-9A-Z]{5}$/.test(found)) return undefined;
  const field = (name: string) => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === "string" ? value : "";
  };
  // System errors have longer codes; one of five letters, such as EPIPE, has no severity.
  if (field("severity") === "") return undefined;
  return { state: found, routine: field("routine"), isFatal: field("severity") !== "ERROR" };
}

/** What it means that a login failed. Nothing was done. */
export function connectFailure(server: PostgresServer, error: unknown): ProviderFailure {
  const where = `PostgreSQL at ${server.host}:${server.port}`;
  const found = serverError(error);
  if (found === undefined) return unreachable(where, server, error);
  if (/^(?:08|53|57|58|XX)/.test(found.state)) {
    return new ProviderFailure("transient", `${where} takes no connection now, SQLSTATE ${found.state}`);
  }
  return new ProviderFailure("auth", `${where} does not let us in, SQLSTATE ${found.state}`, {
    hints: [
      found.state === "3D000"
        ? "set database in the policy to one that is there"
        : "try the same login with psql, from this machine",
    ],
  });
}

function unreachable(where: string, server: PostgresServer, error: unknown): ProviderFailure {
  const code = errnoOf(error);
  if (code !== undefined && isCertificateCode(code)) {
    return new ProviderFailure("auth", `the certificate of ${where} cannot be trusted, ${code}`, {
      hints: ["set ca in the policy to the certificate of who signed it, and host to a name in it"],
    });
  }
  if (error instanceof Error && /does not support SSL/.test(error.message)) {
    return new ProviderFailure("auth", `${where} does not speak TLS`, { hints: ["set ssl = on in postgresql.conf"] });
  }
  const how = code !== undefined && /^E[A-Z]+$/.test(code) ? `, ${code}` : "";
  const what = server.tls === undefined ? "cannot be reached" : "cannot be reached with TLS";
  return new ProviderFailure("transient", `${where} ${what}${how}`);
}

/** What it means that a statement failed: with an error of the server it did nothing, with any other nobody knows. */
export function queryFailure(server: PostgresServer, what: string, error: unknown): ProviderFailure {
  const where = `PostgreSQL at ${server.host}:${server.port}`;
  const found = serverError(error);
  if (found === undefined || found.isFatal) {
    return new ProviderFailure("unknown", `${where} did not say whether it could ${what}`);
  }
  const { state } = found;
  const say = `${where} does not ${what}, SQLSTATE ${state}`;
  if (state === "42501") return new ProviderFailure("auth", say, { hints: [`see the rights in ${server.page}`] });
  if (state === "42704") return new ProviderFailure("limit", say, { hints: ["there is no such role: create it"] });
  if (state === "25006") {
    return new ProviderFailure("transient", say, { hints: ["this server is a standby: set host to the primary"] });
  }
  // What the server's own checks of passwords and of rows, and modules with more of them, raise.
  return new ProviderFailure(/^(?:22|23|28|P0)/.test(state) ? "rejected" : "transient", say);
}
