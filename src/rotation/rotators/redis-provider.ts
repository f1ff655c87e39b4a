import { createHash } from "node:crypto";
import { isProviderFailure, ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { choosePassword, recallPassword } from "./database-credential.ts";
import type { ChosenProvider, Credential } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import { labelOf, openRedis, type RedisConnection, type RedisServer } from "./redis-connection.ts";
import { addPassword, findKeepCommand, findUser, keepUsers, requireUser, tryRights } from "./redis-users.ts";
import { serverPattern, type RedisOptions } from "./redis.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAuthority } from "../../services/trusted-authority.ts";
import { digestValue } from "./value-digest.ts";

/** Connects when it is first asked for something. */
export function openRedisProvider(checked: RedisOptions, access: ServiceAccess): ChosenProvider {
  const { user, admin_user: admin } = checked;
  const servers = readServers(checked, access);
  const connections = new Map<RedisServer, RedisConnection>();
  const connect = async (server: RedisServer): Promise<RedisConnection> => {
    const login = { user: admin, password: access.read(checked.admin_password) };
    const connection = connections.get(server) ?? (await openRedis(server, login, access.timeoutMs));
    if (connection === undefined) throw adminRefused(server);
    connections.set(server, connection);
    return connection;
  };
  const credentialOf = async (password: Secret): Promise<Credential> => ({
    id: `${user}:${await digestValue(["redis", user, ...servers.map(labelOf)], password)}`,
    parts: { password, user: Secret.text(user) },
  });
  const probe = async ({ parts }: Credential): Promise<Liveness> => {
    const found = await probeAll(servers, { user, password: passwordOf(parts) }, access.timeoutMs);
    return found.includes("unknown") ? "unknown" : found.includes("dead") ? "dead" : "live";
  };

  return {
    kind: "chosen",
    async preflight() {
      const remarks: string[] = [];
      for (const server of servers) {
        const connection = await connect(server);
        const found = await requireUser(connection, server, user);
        remarks.push(...(await tryRights(connection, server, { user, admin, kept: checked.users_in })));
        if (found.passwords.length > 2) {
          remarks.push(`${user} on ${labelOf(server)} has ${found.passwords.length} passwords, and each lets in`);
        }
      }
      return remarks;
    },
    async identify(parts) {
      const name = parts["user"]?.revealText();
      const password = parts["password"];
      if (password === undefined || (name !== undefined && name !== user)) return undefined;
      const found = await probeAll(servers, { user, password }, access.timeoutMs);
      if (found.includes("live")) return await credentialOf(password);
      if (!found.includes("unknown")) return undefined;
      throw new ProviderFailure("transient", "Redis cannot be asked now whether it knows the present password");
    },
    choose: async () => await credentialOf(await choosePassword(checked.password, access)),
    recall: async (earlier) => await credentialOf(recallPassword(earlier)),
    async apply({ parts }) {
      const hash = hashOf(passwordOf(parts));
      for (const server of servers) {
        const connection = await connect(server);
        await addPassword(connection, server, await requireUser(connection, server, user), {
          user,
          hash,
          keep: await findKeepCommand(connection, server, checked.users_in),
        });
      }
    },
    probe,
    async revoke({ parts }) {
      const hash = hashOf(passwordOf(parts));
      for (const server of servers) {
        const connection = await connect(server);
        const found = await findUser(connection, user);
        if (found === undefined) continue;
        const keep = await findKeepCommand(connection, server, checked.users_in);
        // What is live is written down before anything ends, and also when the old one is gone already.
        await keepUsers(connection, server, keep);
        if (!found.passwords.includes(hash)) continue;
        await connection.ask(["ACL", "SETUSER", user, `!${hash}`], true);
        await keepUsers(connection, server, keep);
      }
    },
    close() {
      for (const connection of connections.values()) connection.close();
      connections.clear();
      return Promise.resolve();
    },
  };
}

function readServers(checked: RedisOptions, access: ServiceAccess): readonly RedisServer[] {
  const ca = readAuthority(checked.ca, access);
  return checked.servers.map((text) => {
    const [, six, name, port] = serverPattern.exec(text) ?? [];
    const host = six ?? name ?? "";
    const isLocal = ["localhost", "127.0.0.1", "::1"].includes(host);
    return {
      host,
      port: Number(port ?? 6379),
      tls: checked.tls === undefined ? !isLocal : checked.tls === "verify",
      ca,
    };
  });
}

/** Whether each server lets it in. */
async function probeAll(
  servers: readonly RedisServer[],
  login: { readonly user: string; readonly password: Secret },
  timeoutMs: number,
): Promise<readonly Liveness[]> {
  return await Promise.all(
    servers.map(async (server) => {
      try {
        const connection = await openRedis(server, login, timeoutMs);
        connection?.close();
        return connection === undefined ? "dead" : "live";
      } catch (error) {
        if (isProviderFailure(error)) return "unknown";
        throw error;
      }
    }),
  );
}

function passwordOf(parts: Credential["parts"]): Secret {
  const { password } = parts;
  if (password !== undefined) return password;
  throw new ProviderFailure("rejected", "the credential has no password");
}

/** What Redis keeps of a password, in lower-case hexadecimal (ACL SETUSER, `#<hash>`). */
function hashOf(password: Secret): string {
  return createHash("sha256").update(password.reveal()).digest("hex");
}

function adminRefused(server: RedisServer): ProviderFailure {
  return new ProviderFailure("auth", `${labelOf(server)} does not know the administrator, or not with that password`, {
    hints: [
      "set the secret of the option admin_password to a password that works: redis-cli --user NAME --askpass PING",
    ],
  });
}
