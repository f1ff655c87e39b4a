import type { Client } from "pg";
import { ProviderFailure } from "../../net/provider-failure.ts";
import {
  chooseLogin,
  choosePassword,
  identifyLogin,
  isEnded,
  loginOf,
  nextUser,
  probeCredential,
  recallLogin,
  requireLogin,
} from "./database-credential.ts";
import { readAdministrator } from "./database-rule.ts";
import { usesTls, type Login } from "../../services/database-login.ts";
import type { PostgresOptions } from "./postgres.ts";
import {
  connectFailure,
  connectPostgres,
  endPostgres,
  queryFailure,
  serverError,
  type PostgresServer,
} from "../../services/postgres-client.ts";
import { inspectPostgres, readIterations } from "./postgres-preflight.ts";
import type { ChosenProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { makeScramVerifier } from "./scram-verifier.ts";
import { readAuthority } from "../../services/trusted-authority.ts";

/**
 * The roles of a rule. Each call has connections of its own, since the engine may take minutes
 * between two. Throws `auth` when the administrator's value does not fit the rule.
 */
export function openPostgres(rule: PostgresOptions, access: ServiceAccess): ChosenProvider {
  const { users } = rule;
  const server: PostgresServer = {
    host: rule.host,
    port: rule.port,
    database: rule.database,
    page: "docs/rotators/postgres.md",
    tls: usesTls(rule) ? { ca: readAuthority(rule.ca, access) } : undefined,
    timeoutMs: access.timeoutMs,
  };
  const administrator = readAdministrator(rule, ["postgres:", "postgresql:"], access);
  const asAdministrator = async <T>(what: string, work: (client: Client) => Promise<T>): Promise<T> =>
    await withClient(server, administrator, what, work);
  const probe = async (login: Login) => await probeLogin(server, login);

  return {
    kind: "chosen",
    async preflight(current) {
      const remarks = await asAdministrator(
        "allow a rotation",
        async (client) => await inspectPostgres(client, rule, access),
      );
      const tried = current === undefined ? undefined : loginOf(users, current);
      const login = tried ?? {
        user: nextUser(users, undefined),
        password: await choosePassword(rule.password, access),
      };
      if (await isLetInUnasked(server, login)) {
        throw new ProviderFailure("auth", `the server lets ${login.user} in from here without asking for a password`, {
          hints: ["no test here could tell a good password from a bad one: ask for scram-sha-256 in pg_hba.conf"],
        });
      }
      return remarks;
    },
    async identify(parts) {
      const exists = async (user: string) =>
        await asAdministrator("look for a role", async (client) => {
          const found = await client.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", [user]);
          return found.rowCount === 1;
        });
      return await identifyLogin(rule, parts, exists, probe);
    },
    choose: async (current) => await chooseLogin(rule, current, access),
    recall: async (earlier, current) => await recallLogin(rule, earlier, current),
    async apply(next, current) {
      const { user, password } = requireLogin(users, next);
      if (users.length > 1 && current !== undefined && loginOf(users, current)?.user === user) {
        throw new ProviderFailure("rejected", "the new credential is of the role that is in use");
      }
      await asAdministrator("change the password", async (client) => {
        const verifier = await makeScramVerifier(password, await readIterations(client), access.random);
        await client.query(`ALTER ROLE ${quoteRole(user)} PASSWORD '${verifier}'`);
      });
    },
    probe: async (credential) => await probeCredential(users, credential, probe),
    async revoke(credential) {
      const login = requireLogin(users, credential);
      if (await isEnded(login, probe)) return;
      await asAdministrator("end the password", async (client) => {
        await client.query("BEGIN");
        await client.query(`ALTER ROLE ${quoteRole(login.user)} PASSWORD NULL`);
        if (rule.terminate_sessions) await terminateSessions(client, login.user);
        await client.query("COMMIT");
        // Who came in between the two is here as well.
        if (rule.terminate_sessions) await terminateSessions(client, login.user);
      });
    },
    async close() {
      // Every call has ended its connections.
    },
  };
}

async function terminateSessions(client: Client, user: string): Promise<void> {
  await client.query(
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = $1",
    [user],
  );
}

/** Names of a rule have no quotes in them. */
function quoteRole(user: string): string {
  return `"${user}"`;
}

async function withClient<T>(
  server: PostgresServer,
  login: Login,
  what: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { client } = await connectPostgres(server, login).catch((error: unknown) => {
    throw connectFailure(server, error);
  });
  try {
    return await work(client);
  } catch (error) {
    throw error instanceof ProviderFailure ? error : queryFailure(server, what, error);
  } finally {
    // What was not committed is rolled back by the end of the connection.
    await endPostgres(client);
  }
}

async function probeLogin(server: PostgresServer, login: Login): Promise<Liveness> {
  try {
    const { client, wasAsked } = await connectPostgres(server, login);
    await endPostgres(client);
    return wasAsked ? "live" : "unknown";
  } catch (error) {
    return readRefusal(error);
  }
}

/**
 * Dead: a wrong password, one that has expired, no such role, or one that may not log in. All else
 * depends on where we ask from and on how busy the server is (`InitPostgres` in its source).
 */
function readRefusal(error: unknown): Liveness {
  const found = serverError(error);
  if (found?.state === "28P01") return "dead";
  return found?.state === "28000" && found.routine.startsWith("InitializeSessionUserId") ? "dead" : "unknown";
}

async function isLetInUnasked(server: PostgresServer, login: Login): Promise<boolean> {
  try {
    const { client, wasAsked } = await connectPostgres(server, login);
    await endPostgres(client);
    return !wasAsked;
  } catch {
    return false;
  }
}
