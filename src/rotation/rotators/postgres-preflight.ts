import type { Client } from "pg";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { choosePassword } from "./database-credential.ts";
import type { PostgresOptions } from "./postgres.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { makeScramVerifier } from "./scram-verifier.ts";

/** PostgreSQL's own number before version 16 let people set it, and the least that RFC 7677 allows. */
const usualIterations = 4096;
const mostIterations = 1_000_000;

interface Role {
  readonly name: string;
  readonly mayLogIn: boolean;
  readonly hasExpired: boolean;
  readonly mayConnect: boolean;
  readonly memberOf: readonly string[];
}

/**
 * Whether the roles of the rule can be rotated; gives remarks. The right to change them is tried
 * for real, in a transaction that is rolled back. Throws ProviderFailure, and what `pg` throws.
 */
export async function inspectPostgres(
  client: Client,
  rule: PostgresOptions,
  access: ServiceAccess,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ version: string; encryption: string; standby: boolean }>(
    `SELECT current_setting('server_version') AS version, current_setting('password_encryption') AS encryption,
      pg_catalog.pg_is_in_recovery() AS standby`,
  );
  const [about] = rows;
  if (about?.standby === true) {
    throw new ProviderFailure("transient", "the server is a standby, which takes no changes", {
      hints: ["set host in the rule to the primary"],
    });
  }
  const roles = await readRoles(client, rule.users);
  for (const user of rule.users) checkRole(user, roles.get(user), rule.database);
  await tryRights(client, rule, access);
  const version = about?.version.split(" ")[0] ?? "";
  const [first, second] = rule.users.map((user) => roles.get(user)?.memberOf.join(", ") ?? "");
  return [
    `PostgreSQL ${version}`,
    ...(about?.encryption === "scram-sha-256"
      ? []
      : ["the server makes MD5 passwords; the new one is for SCRAM, which clients from before 2017 do not speak"]),
    ...(second === undefined || first === second
      ? []
      : [`${rule.users[0] ?? ""} and ${rule.users[1] ?? ""} are not members of the same roles`]),
  ];
}

/** How often the server wants a password to be hashed (`scram_iterations`, PostgreSQL 16). */
export async function readIterations(client: Client): Promise<number> {
  const { rows } = await client.query<{ iterations: string | null }>(
    "SELECT current_setting('scram_iterations', true) AS iterations",
  );
  const asked = Number(rows[0]?.iterations ?? usualIterations);
  return Math.min(Math.max(Number.isInteger(asked) ? asked : 0, usualIterations), mostIterations);
}

async function readRoles(client: Client, users: readonly string[]): Promise<ReadonlyMap<string, Role>> {
  const { rows } = await client.query<Role>(
    `SELECT r.rolname AS name, r.rolcanlogin AS "mayLogIn",
      coalesce(r.rolvaliduntil <= now(), false) AS "hasExpired",
      pg_catalog.has_database_privilege(r.oid, current_database(), 'CONNECT') AS "mayConnect",
      ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE m.member = r.oid ORDER BY 1) AS "memberOf"
      FROM pg_catalog.pg_roles r WHERE r.rolname = ANY($1)`,
    [users],
  );
  return new Map(rows.map((role) => [role.name, role]));
}

function checkRole(user: string, role: Role | undefined, database: string): void {
  const fail = (message: string, hint: string): never => {
    throw new ProviderFailure("limit", message, { hints: [hint] });
  };
  if (role === undefined)
    return fail(`there is no role ${user}`, `CREATE ROLE "${user}" LOGIN; then give it its rights`);
  if (!role.mayLogIn) fail(`the role ${user} may not log in`, `ALTER ROLE "${user}" LOGIN`);
  if (role.hasExpired) fail(`the role ${user} has expired`, `ALTER ROLE "${user}" VALID UNTIL 'infinity'`);
  if (!role.mayConnect) {
    fail(`the role ${user} may not connect to ${database}`, `GRANT CONNECT ON DATABASE "${database}" TO "${user}"`);
  }
}

/** The verifier is of a password that nobody keeps, and the end is always a rollback. */
async function tryRights(client: Client, rule: PostgresOptions, access: ServiceAccess): Promise<void> {
  const password = await choosePassword(rule.password, access);
  const verifier = await makeScramVerifier(password, usualIterations, access.random);
  await client.query("BEGIN");
  try {
    for (const user of rule.users) await client.query(`ALTER ROLE "${user}" PASSWORD '${verifier}'`);
  } finally {
    await client.query("ROLLBACK");
  }
  if (!rule.terminate_sessions) return;
  const { rows } = await client.query<{ may: boolean }>(
    `SELECT rolsuper OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AS may
      FROM pg_catalog.pg_roles WHERE rolname = current_user`,
  );
  if (rows[0]?.may === true) return;
  throw new ProviderFailure("auth", "the administrator may not end the connections of other roles", {
    hints: ["GRANT pg_signal_backend TO it, or set terminate_sessions: false"],
  });
}
