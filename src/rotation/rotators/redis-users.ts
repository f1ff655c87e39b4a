import { z } from "zod";
import { isProviderFailure, ProviderFailure } from "../../net/provider-failure.ts";
import { labelOf, type RedisConnection, type RedisServer } from "./redis-connection.ts";

/** Where a server has its users when it starts again; in `memory`, nowhere. */
export type UserStore = "aclfile" | "configuration" | "memory";

export interface RedisUser {
  readonly flags: readonly string[];
  /** SHA-256 of each, in hexadecimal. */
  readonly passwords: readonly string[];
}

const memoryHints = [
  "start it with an aclfile, or with a configuration file that it may write",
  "or accept that with users_in: memory in the options of the rule",
];

/** The user of that name; undefined when there is none. */
export async function findUser(connection: RedisConnection, name: string): Promise<RedisUser | undefined> {
  const reply = await connection.ask(["ACL", "GETUSER", name]);
  if (reply === null) return undefined;
  const fields = z.array(z.unknown()).safeParse(reply).data ?? [];
  const listAfter = (field: string): readonly string[] =>
    z.array(z.string()).safeParse(fields[fields.indexOf(field) + 1]).data ?? [];
  return { flags: listAfter("flags"), passwords: listAfter("passwords") };
}

/** The user of that name, which lets in by password and no other way. Throws ProviderFailure `auth` for any other. */
export async function requireUser(connection: RedisConnection, server: RedisServer, name: string): Promise<RedisUser> {
  const user = await findUser(connection, name);
  const refuse = (what: string, hint: string) =>
    new ProviderFailure("auth", `the user ${name} on ${labelOf(server)} ${what}`, { hints: [hint] });
  if (user === undefined) throw refuse("does not exist", `make it first: ACL SETUSER ${name} on ~... +...`);
  if (user.flags.includes("nopass")) throw refuse("is let in with any password", `ACL SETUSER ${name} resetpass`);
  if (user.flags.includes("off")) throw refuse("is turned off", `ACL SETUSER ${name} on`);
  return user;
}

/**
 * Looks whether the administrator may do what a rotation does. Changes nothing: SETUSER without a
 * rule leaves a user as it is. Gives remarks. Throws ProviderFailure.
 */
export async function tryRights(
  connection: RedisConnection,
  server: RedisServer,
  { user, admin, kept }: { readonly user: string; readonly admin: string; readonly kept: UserStore | undefined },
): Promise<readonly string[]> {
  await connection.ask(["ACL", "SETUSER", user]);
  const plain = server.tls || isLocal(server) ? [] : [`${labelOf(server)} is asked without TLS, as the rule says`];
  const keep = await findKeepCommand(connection, server, kept);
  return keep === undefined
    ? [...plain, `${labelOf(server)} FORGETS the new password when it starts again, as the rule says`]
    : [...plain, ...(await tryKeeping(connection, server, admin, keep))];
}

/** What has a server write down its users. */
export type KeepCommand = readonly [string, string];

/** That of this server; undefined for one that the rule lets forget. Throws ProviderFailure `auth` for another that would. */
export async function findKeepCommand(
  connection: RedisConnection,
  server: RedisServer,
  kept: UserStore | undefined,
): Promise<KeepCommand | undefined> {
  const store = kept ?? (await findStore(connection));
  if (store === "aclfile") return ["ACL", "SAVE"];
  if (store === "configuration") return ["CONFIG", "REWRITE"];
  if (kept === "memory") return undefined;
  throw new ProviderFailure("auth", `${labelOf(server)} keeps its users nowhere: it would forget the new password`, {
    hints: memoryHints,
  });
}

/**
 * Gives a user one more password, and has the server write that down. Both go out at once, so that
 * a lost connection or the end of this program does not part them. A password that could not be
 * written down is taken away again: the next run would find it live and leave it at that.
 */
export async function addPassword(
  connection: RedisConnection,
  server: RedisServer,
  before: RedisUser,
  { user, hash, keep }: { readonly user: string; readonly hash: string; readonly keep: KeepCommand | undefined },
): Promise<void> {
  const [added, kept] = await Promise.allSettled([
    connection.ask(["ACL", "SETUSER", user, `#${hash}`], true),
    keepUsers(connection, server, keep),
  ]);
  if (added.status === "rejected") throw added.reason;
  if (kept.status === "fulfilled") return;
  const isRefusal = isProviderFailure(kept.reason) && kept.reason.class === "auth";
  if (isRefusal && !before.passwords.includes(hash)) {
    await connection.ask(["ACL", "SETUSER", user, `!${hash}`], true);
  }
  throw kept.reason;
}

/** Has the server write down its users. Throws ProviderFailure `auth` when it cannot. */
export async function keepUsers(
  connection: RedisConnection,
  server: RedisServer,
  keep: KeepCommand | undefined,
): Promise<void> {
  if (keep === undefined) return;
  try {
    await connection.ask(keep, true);
  } catch (error) {
    if (!isProviderFailure(error) || error.class !== "rejected") throw error;
    throw new ProviderFailure("auth", `${labelOf(server)} has its users in memory and cannot write them down`, {
      hints: [`let Redis write its ${keep[0] === "ACL" ? "aclfile" : "configuration file"}, and its folder`],
    });
  }
}

/** A server has one of both at most: users in its configuration and an aclfile do not go together. */
async function findStore(connection: RedisConnection): Promise<UserStore> {
  const [, file] = z.array(z.string()).safeParse(await connection.ask(["CONFIG", "GET", "aclfile"])).data ?? [];
  if (file !== undefined && file !== "") return "aclfile";
  const info = z.string().safeParse(await connection.ask(["INFO", "server"])).data ?? "";
  return /^config_file:[^\r\n]/m.test(info) ? "configuration" : "memory";
}

/** By ACL DRYRUN, which Redis has since 7.0. */
async function tryKeeping(
  connection: RedisConnection,
  server: RedisServer,
  admin: string,
  keep: KeepCommand,
): Promise<readonly string[]> {
  const command = keep.join(" ");
  const reply = await connection.ask(["ACL", "DRYRUN", admin, ...keep]).catch((error: unknown) => {
    if (isProviderFailure(error) && (error.class === "rejected" || error.class === "auth")) return undefined;
    throw error;
  });
  if (reply === undefined)
    return [`whether the administrator may ${command} on ${labelOf(server)} shows only when it does`];
  if (reply === "OK") return [];
  throw new ProviderFailure("auth", `the administrator may not ${command} on ${labelOf(server)}`, {
    hints: ["it needs the rights of docs/rotators/redis.md"],
  });
}

function isLocal({ host }: RedisServer): boolean {
  return ["localhost", "127.0.0.1", "::1"].includes(host);
}
