import { createHash } from "node:crypto";
import { createClient } from "@redis/client";
import { startRedis } from "../../../support/servers/redis.ts";
import type { Ground, Lane } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

const first = "test-first-password";

/** A Redis where each lane has a user with several passwords. */
export async function startRedisGround(lanes: number): Promise<Ground> {
  const server = await startRedis();
  const connect = async (username: string, password: string) => {
    const socket = { host: server.host, port: server.port, reconnectStrategy: false as const };
    const client = createClient({ username, password, socket });
    client.on("error", () => undefined);
    return await client.connect();
  };
  const admin = await connect(server.adminUser, server.adminPassword);
  const [version = ""] = /(?<=redis_version:)\S+/.exec(await admin.info("server")) ?? [];

  const makeLane = (index: number): Lane => {
    const user = `app-${index}`;
    const hashes = async () => (await admin.aclGetUser(user))?.passwords.map((each) => each.toLowerCase()) ?? [];
    const set = async (...rules: string[]) =>
      void (await admin.sendCommand(["ACL", "SETUSER", user, "reset", "on", "~*", "+@all", ...rules]));
    return {
      rule: {
        rotator: "redis",
        options: {
          servers: [`${server.host}:${server.port}`],
          user,
          admin_password: "${secret:dev/admin/PASSWORD}",
        },
      },
      companions: { "dev/admin/PASSWORD": server.adminPassword },
      async begin() {
        await set(`>${first}`);
        return first;
      },
      save: async () => JSON.stringify(await hashes()),
      restore: async (saved) => await set(...(JSON.parse(saved) as string[]).map((hash) => `#${hash}`)),
      async isLetIn({ password = "" }) {
        try {
          const client = await connect(user, password);
          const answer = await client.ping();
          client.destroy();
          return answer === "PONG";
        } catch (error) {
          if (error instanceof Error && error.message.startsWith("WRONGPASS")) return false;
          throw error;
        }
      },
      async countStrangers(held) {
        const known = new Set(held.map(({ password = "" }) => createHash("sha256").update(password).digest("hex")));
        return (await hashes()).filter((hash) => !known.has(hash)).length;
      },
    };
  };

  return {
    name: "Redis",
    version,
    scenarios: overlapScenarios,
    hasOverlap: true,
    lanes: Array.from({ length: lanes }, (_, index) => makeLane(index)),
    async stop() {
      admin.destroy();
      await server.stop();
    },
  };
}
