import { createHash } from "node:crypto";
import type { AddressInfo, Server } from "node:net";
import { createServer, type Connection } from "mysql2";

/** An account of the fake, with its passwords in the clear. */
export interface FakeAccount {
  readonly user: string;
  readonly host: string;
  first: string;
  second: string | undefined;
  attribute: string | undefined;
  plugin: string;
  isLocked: boolean;
}

/** How the fake behaves; a test may change it at any time. */
export interface FakeMysqlSettings {
  version: string;
  readOnly: boolean;
  /** Whether the administrator may change accounts. */
  mayAlter: boolean;
  /** Whether passwords are refused, as by a policy for them. */
  refusesPasswords: boolean;
  /** Whether it drops the connection after the next change of an account, without an answer. */
  dropsNextChange: boolean;
}

export interface FakeMysql {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly adminUser: "test_admin";
  readonly adminPassword: string;
  readonly settings: FakeMysqlSettings;
  readonly accounts: FakeAccount[];
  /** Statements as MySQL writes them to its logs: the password of ALTER USER is `<secret>` there. */
  logText(): string;
  /** Statements as they came. */
  readonly statements: string[];
  stop(): Promise<void>;
}

/**
 * A strict stand-in for MySQL 8, which is nowhere to be had as a package: it knows the statements
 * of MySQL's manual that the rotator uses and answers all others with a syntax error; an account
 * has two passwords, and a third takes the place of the second, as in the manual.
 */
export async function startFakeMysql(): Promise<FakeMysql> {
  const settings: FakeMysqlSettings = {
    version: "8.4.3",
    readOnly: false,
    mayAlter: true,
    refusesPasswords: false,
    dropsNextChange: false,
  };
  const admin = account("test_admin", "test-admin-password");
  const accounts: FakeAccount[] = [];
  const statements: string[] = [];
  const open = new Set<Connection>();
  let connections = 0;
  const server = createServer((connection) => {
    open.add(connection);
    connection.on("error", () => undefined);
    connection.on("end", () => open.delete(connection));
    const handshake = {
      protocolVersion: 10,
      serverVersion: settings.version,
      connectionId: ++connections,
      statusFlags: 2,
      characterSet: 33,
      // All but TLS and compression.
      capabilityFlags: 0xff_ff_ff & ~0x0800 & ~0x0020,
      authCallback: (login: FakeLogin, done: (error: null, refusal?: { code: number; message: string }) => void) => {
        done(null, refusalOf([admin, ...accounts], login));
        beginAgain(connection);
      },
    };
    connection.serverHandshake(handshake);
    connection.on("query", (sql: string) => {
      statements.push(sql);
      const answer = answerTo(sql, settings, accounts);
      if (answer === "gone") connection.destroy();
      else if ("code" in answer) connection.writeError({ code: answer.code, message: "refused by the test" });
      else if ("rows" in answer) writeRows(connection, answer.rows);
      else connection.writeOk();
      beginAgain(connection);
    });
  });
  // What the types of mysql2 leave out: the server that it stands on, which can be told where to listen.
  const listener = (server as unknown as { readonly _server: Server })._server;
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    host: "127.0.0.1",
    port,
    adminUser: "test_admin",
    adminPassword: admin.first,
    settings,
    accounts,
    statements,
    logText: () => statements.map((sql) => sql.replace(/(IDENTIFIED BY )'[^']*'/, "$1<secret>")).join("\n"),
    async stop() {
      for (const connection of open) connection.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}

/** An account as CREATE USER makes it. */
export function account(user: string, password: string): FakeAccount {
  return {
    user,
    host: "%",
    first: password,
    second: undefined,
    attribute: undefined,
    plugin: "caching_sha2_password",
    isLocked: false,
  };
}

/** Packets are numbered anew for each statement, which the server half of mysql2 leaves to others. */
function beginAgain(connection: Connection): void {
  (connection as unknown as { _resetSequenceId(): void })._resetSequenceId();
}

interface FakeLogin {
  readonly user: string;
  readonly authToken: Buffer;
  readonly authPluginData1: Buffer;
  readonly authPluginData2: Buffer;
}

function refusalOf(accounts: readonly FakeAccount[], login: FakeLogin): { code: number; message: string } | undefined {
  const found = accounts.find(({ user }) => user === login.user);
  const passwords = [found?.first, found?.second].filter((password) => password !== undefined);
  if (!passwords.some((password) => isTokenOf(password, login))) return { code: 1045, message: "Access denied" };
  return found?.isLocked === true ? { code: 3118, message: "Account is locked" } : undefined;
}

/** SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password))), as mysql_native_password has it. */
function isTokenOf(password: string, { authToken, authPluginData1, authPluginData2 }: FakeLogin): boolean {
  const sha1 = (...parts: readonly Uint8Array[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash("sha1")).digest();
  const once = sha1(Buffer.from(password));
  const mask = sha1(authPluginData1.subarray(0, 8), authPluginData2.subarray(0, 12), sha1(once));
  return Buffer.compare(Buffer.from(once.map((byte, at) => byte ^ (mask[at] ?? 0))), authToken) === 0;
}

type Row = Readonly<Record<string, string | number | null>>;
type Answer = { readonly rows: readonly Row[] } | { readonly code: number } | { readonly ok: true } | "gone";

/** A user or a host in quotes, as the rotator writes them. */
const name = "'([A-Za-z0-9_.%-]+)'";

function answerTo(sql: string, settings: FakeMysqlSettings, accounts: readonly FakeAccount[]): Answer {
  const find = (user = "", host = "") => accounts.find((it) => it.user === user && it.host === host);
  const match = (pattern: string) => new RegExp(`^${pattern}$`).exec(sql);
  const rowsOf = (found: FakeAccount | undefined, row: (it: FakeAccount) => Row): Answer => ({
    rows: found === undefined ? [] : [row(found)],
  });
  if (sql === "SELECT VERSION() AS version") return { rows: [{ version: settings.version }] };
  if (sql === "SELECT @@global.read_only AS read_only") return { rows: [{ read_only: settings.readOnly ? 1 : 0 }] };
  const where = `FROM mysql\\.user WHERE User = ${name} AND Host = ${name}`;
  const exists = match(`SELECT 1 AS found ${where}`);
  if (exists !== null) return rowsOf(find(exists[1], exists[2]), () => ({ found: 1 }));
  const hosts = match(`SELECT Host AS host, plugin FROM mysql\\.user WHERE User = ${name}`);
  if (hosts !== null) {
    return { rows: accounts.filter((it) => it.user === hosts[1]).map(({ host, plugin }) => ({ host, plugin })) };
  }
  const locked = match(`SELECT account_locked AS locked ${where}`);
  if (locked !== null) return rowsOf(find(locked[1], locked[2]), (it) => ({ locked: it.isLocked ? "Y" : "N" }));
  const second = match(
    `SELECT JSON_CONTAINS_PATH\\(User_attributes, 'one', '\\$\\.additional_password'\\) AS has_second ${where}`,
  );
  if (second !== null) {
    // User_attributes is NULL for an account that has none, and so is what is looked for in it.
    const has = (it: FakeAccount) => (it.second === undefined ? (it.attribute === undefined ? null : 0) : 1);
    return rowsOf(find(second[1], second[2]), (it) => ({ has_second: has(it) }));
  }
  const noted = match(
    `SELECT JSON_UNQUOTE\\(JSON_EXTRACT\\(ATTRIBUTE, '\\$\\.sealtree'\\)\\) AS first_id FROM information_schema\\.USER_ATTRIBUTES WHERE USER = ${name} AND HOST = ${name}`,
  );
  if (noted !== null) return rowsOf(find(noted[1], noted[2]), (it) => ({ first_id: readNote(it.attribute) }));
  return sql.startsWith("ALTER USER ") ? change(sql, settings, find) : { code: 1064 };
}

function readNote(attribute: string | undefined): string | null {
  return attribute === undefined ? null : (JSON.parse(attribute) as { sealtree: string }).sealtree;
}

function change(
  sql: string,
  settings: FakeMysqlSettings,
  find: (user?: string, host?: string) => FakeAccount | undefined,
): Answer {
  const rest =
    /^ALTER USER (?:IF EXISTS )?'([A-Za-z0-9_.-]+)'@'([A-Za-z0-9_.%-]+)' (?:(ACCOUNT UNLOCK)|(DISCARD OLD PASSWORD)|IDENTIFIED BY '([^'\\]*)'( RETAIN CURRENT PASSWORD)?(?: ATTRIBUTE '(\{[^'\\]*\})')?)$/.exec(
      sql,
    );
  if (rest === null) return { code: 1064 };
  if (!settings.mayAlter) return { code: 1227 };
  if (settings.readOnly) return { code: 1290 };
  const [, user, host, , discards, password, retains, attribute] = rest;
  const found = find(user, host);
  if (found === undefined) return sql.includes("IF EXISTS") ? { ok: true } : { code: 1396 };
  if (password !== undefined && settings.refusesPasswords) return { code: 1819 };
  if (discards !== undefined) found.second = undefined;
  if (password !== undefined) {
    if (retains !== undefined) found.second = found.first;
    found.first = password;
  }
  if (attribute !== undefined) found.attribute = attribute;
  if (!settings.dropsNextChange) return { ok: true };
  settings.dropsNextChange = false;
  return "gone";
}

function writeRows(connection: Connection, rows: readonly Row[]): void {
  const names = Object.keys(rows[0] ?? { none: null });
  const columns = names.map((column) => ({
    catalog: "def",
    schema: "",
    table: "",
    orgTable: "",
    name: column,
    orgName: column,
    characterSet: 33,
    columnLength: 1024,
    columnType: 253,
    type: 253,
    flags: 0,
    decimals: 0,
  }));
  connection.writeTextResult([...rows], columns);
}
