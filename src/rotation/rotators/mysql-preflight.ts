import { ProviderFailure } from "../../net/provider-failure.ts";
import type { MysqlOptions } from "./mysql.ts";
import type { Ask } from "./mysql-client.ts";
import { attributeName, rightsStatement, type Account, type MysqlWay } from "./mysql-statements.ts";

/** The oldest that have what is used here: JSON accounts, and attributes of users. */
const oldest = { mariadb: [10, 4, 2], mysql: [8, 0, 21] } as const;

/** Which server it is and how the rule uses it. Throws `limit` for one that cannot do what the rule says. */
export async function findWay(ask: Ask, rule: MysqlOptions): Promise<MysqlWay> {
  return readWay(await readVersion(ask), rule);
}

/** The same, from what `VERSION()` says. */
export function readWay(version: string, rule: Pick<MysqlOptions, "users" | "outage">): MysqlWay {
  const product = /mariadb/i.test(version) ? "mariadb" : "mysql";
  const isDual = rule.users.length === 1 && rule.outage === undefined;
  if (isOlder(version, oldest[product])) {
    throw new ProviderFailure("limit", `the server is older than ${oldest[product].join(".")}`, {
      hints: ["MariaDB 10.4.2 and MySQL 8.0.21 are the oldest that this rotator knows"],
    });
  }
  if (product === "mysql") return isDual ? "mysql-dual" : "mysql";
  if (!isDual) return "mariadb";
  throw new ProviderFailure("limit", "MariaDB has one password a user", {
    hints: ["name two users that take turns, or write outage: accept"],
  });
}

function isOlder(version: string, than: readonly number[]): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0];
  const at = than.findIndex((number, index) => numbers[index] !== number);
  return at >= 0 && (numbers[at] ?? 0) < (than[at] ?? 0);
}

/** What an account of MySQL notes: the id of its first password, where we noted it, and whether it has a second. */
export async function readAccount(
  ask: Ask,
  { user, host }: Account,
): Promise<{ first: string | undefined; hasSecond: boolean }> {
  const [account] = await ask(
    "SELECT JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password') AS has_second FROM mysql.user WHERE User = ? AND Host = ?",
    [user, host],
  );
  const [noted] = await ask(
    `SELECT JSON_UNQUOTE(JSON_EXTRACT(ATTRIBUTE, '$.${attributeName}')) AS first_id FROM information_schema.USER_ATTRIBUTES WHERE USER = ? AND HOST = ?`,
    [user, host],
  );
  const first: unknown = noted?.["first_id"];
  return {
    first: typeof first === "string" ? first : undefined,
    hasSecond: Number(account?.["has_second"] ?? 0) === 1,
  };
}

/** Whether the accounts of the rule can be rotated; gives remarks. Throws ProviderFailure, and what `mysql2` throws. */
export async function inspectMysql(ask: Ask, rule: MysqlOptions): Promise<readonly string[]> {
  const version = await readVersion(ask);
  const way = readWay(version, rule);
  const [state] = await ask("SELECT @@global.read_only AS read_only");
  if (Number(state?.["read_only"] ?? 0) !== 0) {
    throw new ProviderFailure("transient", "the server is read-only, as a replica is", {
      hints: ["set host in the rule to the primary"],
    });
  }
  const remarks: string[] = [];
  for (const user of rule.users) remarks.push(...(await inspectAccount(ask, way, { user, host: rule.account_host })));
  await ask(rightsStatement);
  if (way === "mariadb") await checkHashes(ask);
  if (rule.terminate_sessions) await checkKill(ask);
  return [`${way === "mariadb" ? "MariaDB" : "MySQL"} ${/^[\d.]+/.exec(version)?.[0] ?? ""}`, ...remarks];
}

async function inspectAccount(ask: Ask, way: MysqlWay, account: Account): Promise<string[]> {
  const { user, host } = account;
  const rows = await ask("SELECT Host AS host, plugin FROM mysql.user WHERE User = ?", [user]);
  const own = rows.find((row) => row["host"] === host);
  const name = `'${user}'@'${host}'`;
  if (own === undefined) {
    throw new ProviderFailure("limit", `there is no account ${name}`, {
      hints: [`CREATE USER ${name}; then give it its rights`],
    });
  }
  const plugins = way === "mariadb" ? ["mysql_native_password"] : ["caching_sha2_password", "mysql_native_password"];
  if (!plugins.includes(String(own["plugin"]))) {
    throw new ProviderFailure("limit", `the account ${name} does not log in with ${plugins.join(" or ")}`, {
      hints: ["a rotation would change how it logs in: change the account by hand first"],
    });
  }
  if (await isLocked(ask, way, account)) {
    throw new ProviderFailure("limit", `the account ${name} is locked`, {
      hints: [`ALTER USER ${name} ACCOUNT UNLOCK`],
    });
  }
  if (way === "mysql-dual" && (await readAccount(ask, account)).hasSecond) {
    throw new ProviderFailure("limit", `${name} has two passwords already, and MySQL keeps no third`, {
      hints: [`when no program uses the older one: ALTER USER ${name} DISCARD OLD PASSWORD`],
    });
  }
  return rows.length === 1 ? [] : [`${user} has other accounts than ${name}, which keep their passwords`];
}

async function isLocked(ask: Ask, way: MysqlWay, { user, host }: Account): Promise<boolean> {
  const sql =
    way === "mariadb"
      ? "SELECT JSON_VALUE(Priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE User = ? AND Host = ?"
      : "SELECT account_locked AS locked FROM mysql.user WHERE User = ? AND Host = ?";
  const [row] = await ask(sql, [user, host]);
  return ["1", "Y", "true"].includes(String(row?.["locked"]));
}

/** A server with a plug-in that checks passwords takes no hashes, unless it is told to. */
async function checkHashes(ask: Ask): Promise<void> {
  const [row] = await ask(
    `SELECT @@global.strict_password_validation AS strict, (SELECT COUNT(*) FROM information_schema.PLUGINS
      WHERE PLUGIN_TYPE = 'PASSWORD VALIDATION' AND PLUGIN_STATUS = 'ACTIVE') AS checks`,
  );
  if (Number(row?.["strict"]) === 0 || Number(row?.["checks"]) === 0) return;
  throw new ProviderFailure("auth", "the server checks passwords, and takes no hash of one", {
    hints: ["SET GLOBAL strict_password_validation = OFF: the passwords made here are random, and sent as hashes"],
  });
}

async function checkKill(ask: Ask): Promise<void> {
  const grants = (await ask("SHOW GRANTS")).flatMap((row) => Object.values(row).map(String));
  const may = /\b(?:ALL PRIVILEGES|SUPER|CONNECTION[ _]ADMIN)\b.* ON \*\.\*/;
  if (grants.some((grant) => may.test(grant))) return;
  throw new ProviderFailure("auth", "the administrator may not end the connections of other users", {
    hints: ["GRANT CONNECTION ADMIN, PROCESS ON *.* TO it, or set terminate_sessions: false"],
  });
}

async function readVersion(ask: Ask): Promise<string> {
  const [row] = await ask("SELECT VERSION() AS version");
  return String(row?.["version"] ?? "");
}
