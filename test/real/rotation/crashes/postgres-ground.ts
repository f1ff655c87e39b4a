import { Client } from "pg";
import { startPostgres } from "../../../support/servers/postgres.ts";
import type { Ground, Lane, Parts } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

const first = "test-first-password";

/** A PostgreSQL where each lane has two roles, and its secret is a URL. */
export async function startPostgresGround(lanes: number): Promise<Ground> {
  // Its logs are looked at elsewhere, and thousands of logins would fill memory with them.
  const quiet = [
    "log_min_messages=warning",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_connections=off",
  ];
  const server = await startPostgres({ settings: [...quiet, "log_disconnections=off", "debug_print_plan=off"] });
  const { host, port, database } = server;
  const connect = async (user: string, password: string) => {
    const client = new Client({ host, port, database, user, password });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  const admin = await connect(server.adminUser, server.adminPassword);
  const shown = await admin.query<{ server_version: string }>("SHOW server_version");

  const makeLane = (index: number): Lane => {
    const users = [`app_${index}_a`, `app_${index}_b`];
    const [user = ""] = users;
    const verifiers = async () => {
      const read = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY($1) ORDER BY rolname";
      return (await admin.query<{ rolname: string; rolpassword: string | null }>(read, [users])).rows;
    };
    const isLetIn = async ({ user: who = "", password = "" }: Parts) => {
      try {
        const client = await connect(who, password);
        const { rowCount } = await client.query("SELECT 1");
        await client.end();
        return rowCount === 1;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "28P01") return false;
        throw error;
      }
    };
    return {
      rule: {
        rotator: "postgres",
        as: "url",
        options: { host, port, database, users, admin: "${secret:dev/admin/URL}" },
      },
      companions: {
        "dev/admin/URL": `postgres://${server.adminUser}:${server.adminPassword}@${host}:${port}/${database}`,
      },
      async begin() {
        for (const role of users) await admin.query(`CREATE ROLE ${role} LOGIN`);
        await admin.query(`ALTER ROLE ${user} PASSWORD '${first}'`);
        return `postgres://${user}:${first}@${host}:${port}/${database}`;
      },
      save: async () => JSON.stringify(await verifiers()),
      async restore(saved) {
        const rows = JSON.parse(saved) as Awaited<ReturnType<typeof verifiers>>;
        for (const { rolname, rolpassword } of rows) {
          const password = rolpassword === null ? "NULL" : `'${rolpassword}'`;
          await admin.query(`ALTER ROLE ${rolname} PASSWORD ${password}`);
        }
      },
      isLetIn,
      async countStrangers(held) {
        let strangers = 0;
        for (const { rolname, rolpassword } of await verifiers()) {
          if (rolpassword === null) continue;
          const known = await Promise.all(held.filter(({ user: who }) => who === rolname).map(isLetIn));
          if (!known.includes(true)) strangers++;
        }
        return strangers;
      },
    };
  };

  return {
    name: "PostgreSQL",
    version: shown.rows[0]?.server_version.split(" ")[0] ?? "",
    scenarios: overlapScenarios,
    hasOverlap: true,
    lanes: Array.from({ length: lanes }, (_, index) => makeLane(index)),
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}
