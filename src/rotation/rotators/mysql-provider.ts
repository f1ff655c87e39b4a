import { Secret } from "../../secret/secret.ts";
import { ProviderFailure } from "../../net/provider-failure.ts";
import {
  chooseLogin,
  identifyLogin,
  isEnded,
  loginOf,
  probeCredential,
  recallLogin,
  requireLogin,
} from "./database-credential.ts";
import { readAdministrator } from "./database-rule.ts";
import { usesTls, type Login } from "../../services/database-login.ts";
import type { MysqlOptions } from "./mysql.ts";
import { askMysql, connectMysql, serverErrno, type Ask, type MysqlServer } from "./mysql-client.ts";
import { findWay, inspectMysql, readAccount } from "./mysql-preflight.ts";
import { discardStatement, setPasswordStatement, type Account } from "./mysql-statements.ts";
import type { ChosenProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAuthority } from "../../services/trusted-authority.ts";

/**
 * The accounts of a rule. Each call has connections of its own, since the engine may take minutes
 * between two. Throws `auth` when the administrator's value does not fit the rule.
 */
export function openMysql(rule: MysqlOptions, access: ServiceAccess): ChosenProvider {
  const { users } = rule;
  const server: MysqlServer = {
    host: rule.host,
    port: rule.port,
    tls: usesTls(rule) ? { ca: readAuthority(rule.ca, access) } : undefined,
    timeoutMs: access.timeoutMs,
  };
  const administrator = readAdministrator(rule, ["mysql:", "mariadb:"], access);
  const asAdministrator = async <T>(what: string, work: (ask: Ask) => Promise<T>): Promise<T> =>
    await askMysql(server, administrator, what, work);
  const accountOf = (user: string): Account => ({ user, host: rule.account_host });
  const probe = async (login: Login) => await probeLogin(server, login);

  return {
    kind: "chosen",
    preflight: async () => await asAdministrator("allow a rotation", async (ask) => await inspectMysql(ask, rule)),
    async identify(parts) {
      const exists = async (user: string) =>
        await asAdministrator("look for an account", async (ask) => {
          const rows = await ask("SELECT 1 AS found FROM mysql.user WHERE User = ? AND Host = ?", [
            user,
            rule.account_host,
          ]);
          return rows.length > 0;
        });
      return await identifyLogin(rule, parts, exists, probe);
    },
    choose: async (current) => await chooseLogin(rule, current, access),
    recall: async (earlier, current) => await recallLogin(rule, earlier, current),
    async apply(next, current) {
      const login = requireLogin(users, next);
      if (users.length > 1 && current !== undefined && loginOf(users, current)?.user === login.user) {
        throw new ProviderFailure("rejected", "the new credential is of the user that is in use");
      }
      await asAdministrator("change the password", async (ask) => {
        const way = await findWay(ask, rule);
        if (way === "mysql-dual") {
          // Once more would make the new password the old one too, and end the one that is in use.
          if ((await probe(login)) === "live") return;
          const { first, hasSecond } = await readAccount(ask, accountOf(login.user));
          if (first === next.id)
            throw new ProviderFailure("unknown", "the server has the new password, but does not let it in");
          if (hasSecond) throw noSlot(login.user);
        }
        await ask(setPasswordStatement(way, accountOf(login.user), login.password, next.id));
      });
    },
    probe: async (credential) => await probeCredential(users, credential, probe),
    async revoke(credential) {
      const login = requireLogin(users, credential);
      if (await isEnded(login, probe)) return;
      await asAdministrator("end the password", async (ask) => {
        const way = await findWay(ask, rule);
        if (way === "mysql-dual") return await discard(ask, accountOf(login.user), credential.id);
        if (rule.terminate_sessions) await terminateSessions(ask, login.user);
        // Neither server can take a password away; one that nobody knows does the same.
        const unknown = Secret.text(Buffer.from(access.random(24)).toString("base64url"));
        await ask(setPasswordStatement(way, accountOf(login.user), unknown, ""));
        if (rule.terminate_sessions) await terminateSessions(ask, login.user);
      });
    },
    async close() {
      // Every call has ended its connections.
    },
  };
}

/** Ends the second password of an account, once it is sure that the credential to end is not the first. */
async function discard(ask: Ask, account: Account, id: string): Promise<void> {
  const { first, hasSecond } = await readAccount(ask, account);
  if (first !== undefined && first !== id && hasSecond) {
    await ask(discardStatement(account));
    return;
  }
  throw new ProviderFailure("limit", `the password of ${account.user} is the only one that sealtree knows of`, {
    hints: ["it ends when the next rotation is over: sealtree rotate"],
  });
}

function noSlot(user: string): ProviderFailure {
  return new ProviderFailure("limit", `${user} has two passwords already, and MySQL keeps no third`, {
    hints: [`when no program uses the older one: ALTER USER '${user}' DISCARD OLD PASSWORD`],
  });
}

/** No such thread: it ended by itself. */
const noSuchThread = 1094;

async function terminateSessions(ask: Ask, user: string): Promise<void> {
  const rows = await ask("SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ?", [user]);
  for (const { id } of rows) {
    await ask(`KILL CONNECTION ${Number(id)}`).catch((error: unknown) => {
      if (serverErrno(error) !== noSuchThread) throw error;
    });
  }
}

/** Wrong password or no such account, no password login, locked in MySQL and in MariaDB, expired. */
const refusals = [1045, 1698, 3118, 4151, 1862];

async function probeLogin(server: MysqlServer, login: Login): Promise<Liveness> {
  try {
    (await connectMysql(server, login)).destroy();
    return "live";
  } catch (error) {
    const number = serverErrno(error);
    return number !== undefined && refusals.includes(number) ? "dead" : "unknown";
  }
}
