import { createConnection, type RowDataPacket } from "mysql2/promise";
import { startMariadb } from "../../../support/servers/mariadb.ts";
import type { Ground, Lane, Parts } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

const first = "test-first-password";
/** Wrong password or no such user. */
const refused = 1045;

interface Account extends RowDataPacket {
  readonly user: string;
  readonly hash: string;
}

/** A MariaDB where each lane has two users; the password is the secret, and the user is beside it. */
export async function startMariadbGround(lanes: number): Promise<Ground> {
  const server = await startMariadb();
  const { host, port } = server;
  const connect = async (user: string, password: string) => await createConnection({ host, port, user, password });
  const admin = await connect(server.adminUser, server.adminPassword);
  const [[shown]] = await admin.query<(RowDataPacket & { readonly version: string })[]>("SELECT VERSION() AS version");

  const makeLane = (index: number): Lane => {
    const users = [`app_${index}_a`, `app_${index}_b`];
    const [user = ""] = users;
    /** Hashes of passwords that nobody has: MariaDB cannot take a password away. */
    const ended = new Set<string>();
    const accounts = async () => {
      const read = "SELECT User AS user, authentication_string AS hash FROM mysql.user WHERE User IN (?) ORDER BY User";
      return (await admin.query<Account[]>(read, [users]))[0];
    };
    const isLetIn = async ({ user: who = "", password = "" }: Parts) => {
      try {
        const connection = await connect(who, password);
        const [rows] = await connection.query<RowDataPacket[]>("SELECT 1");
        await connection.end();
        return rows.length === 1;
      } catch (error) {
        if (error instanceof Error && "errno" in error && error.errno === refused) return false;
        throw error;
      }
    };
    return {
      rule: {
        rotator: "mysql",
        parts: { user: "APP_USER" },
        options: { host, port, users, admin: "${secret:dev/admin/URL}" },
      },
      companions: {
        "dev/app/APP_USER": user,
        "dev/admin/URL": `mysql://${server.adminUser}:${server.adminPassword}@${host}:${port}/`,
      },
      async begin() {
        for (const each of users) await admin.query("CREATE USER ?@'%' IDENTIFIED BY ?", [each, `${first}-${each}`]);
        for (const { user: each, hash } of await accounts()) if (each !== user) ended.add(hash);
        await admin.query("ALTER USER ?@'%' IDENTIFIED BY ?", [user, first]);
        return first;
      },
      save: async () => JSON.stringify(await accounts()),
      async restore(saved) {
        for (const { user: each, hash } of JSON.parse(saved) as Account[])
          await admin.query("ALTER USER ?@'%' IDENTIFIED BY PASSWORD ?", [each, hash]);
      },
      isLetIn,
      async countStrangers(held, mayHaveEnded) {
        let strangers = 0;
        for (const { user: each, hash } of await accounts()) {
          if (ended.has(hash)) continue;
          const known = await Promise.all(held.filter(({ user: who }) => who === each).map(isLetIn));
          if (known.includes(true)) continue;
          if (mayHaveEnded) ended.add(hash);
          else strangers++;
        }
        return strangers;
      },
    };
  };

  return {
    name: "MariaDB",
    version: shown?.version.split("-")[0] ?? "",
    scenarios: overlapScenarios,
    hasOverlap: true,
    lanes: Array.from({ length: lanes }, (_, index) => makeLane(index)),
    async stop() {
      admin.destroy();
      await server.stop();
    },
  };
}
