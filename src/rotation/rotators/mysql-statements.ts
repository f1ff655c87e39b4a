import { createHash } from "node:crypto";
import { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";

/** An account, which is a user as one kind of host sees it. Its names are those of a checked rule. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** What the server is, and how the rule uses it. */
export type MysqlWay =
  /** MariaDB: one password an account, set by its hash. */
  | "mariadb"
  /** MySQL, one password an account. MySQL keeps what it is sent out of its logs by itself. */
  | "mysql"
  /** MySQL, an account with two passwords. */
  | "mysql-dual";

/** Where the account of two passwords notes which of them is the first: the id of that credential. */
export const attributeName = "sealtree";

/** The statement that gives an account a password. In `mysql-dual` the one before goes on, and `id` is noted. */
export function setPasswordStatement(way: MysqlWay, account: Account, password: Secret, id: string): string {
  const name = quoteAccount(account);
  if (way === "mariadb") return `ALTER USER ${name} IDENTIFIED BY PASSWORD ${quote(hashNative(password.reveal()))}`;
  const set = `ALTER USER ${name} IDENTIFIED BY ${quote(password.revealText() ?? "")}`;
  if (way === "mysql") return set;
  return `${set} RETAIN CURRENT PASSWORD ATTRIBUTE ${quote(JSON.stringify({ [attributeName]: id }))}`;
}

/** The statement that ends the older of the two passwords. */
export function discardStatement(account: Account): string {
  return `ALTER USER ${quoteAccount(account)} DISCARD OLD PASSWORD`;
}

/** A statement that needs the right to change accounts, and changes none. */
export const rightsStatement = "ALTER USER IF EXISTS 'sealtree_no_such_user'@'localhost' ACCOUNT UNLOCK";

/** What mysql_native_password keeps of a password: `*` and the SHA-1 of its SHA-1, in capital hex digits. */
export function hashNative(password: Uint8Array): string {
  const sha1 = (bytes: Uint8Array) => createHash("sha1").update(bytes).digest();
  return `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
}

function quoteAccount({ user, host }: Account): string {
  return `${quote(user)}@${quote(host)}`;
}

/** Escapes depend on the mode of the server, so nothing that needs one is taken. */
function quote(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !/['\\]/.test(text)) return `'${text}'`;
  throw new ProviderFailure("rejected", "what the rule makes has a quote or a backslash in it", {
    hints: ["leave password out of the rule, or make it {kind: password, length: 40}"],
  });
}
