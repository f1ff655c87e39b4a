import { startRabbitmq } from "../../../support/servers/rabbitmq.ts";
import { isLetInByAmqp } from "./amqp-login.ts";
import type { Ground, Lane, Parts } from "./lane.ts";
import { overlapScenarios } from "./scenarios.ts";

const first = "test-first-password";

interface User {
  readonly name: string;
  readonly password_hash: string;
  readonly hashing_algorithm: string;
  readonly tags: readonly string[];
}

/** A RabbitMQ where each lane has two users, of which the second is made by the rotator; its secret is a URL. */
export async function startRabbitmqGround(lanes: number): Promise<Ground> {
  const server = await startRabbitmq();
  const call = async (method: "GET" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${server.managementUrl}/api/${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${server.adminUser}:${server.adminPassword}`).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status === 404 && method !== "PUT") return undefined;
    if (!answer.ok) throw new Error(`RabbitMQ answered ${answer.status}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const overview = (await call("GET", "overview")) as { readonly rabbitmq_version: string };

  const makeLane = (index: number): Lane => {
    const names = [`app_${index}_a`, `app_${index}_b`];
    const [name = ""] = names;
    const users = async () => {
      const found = await Promise.all(
        names.map(async (each) => (await call("GET", `users/${each}`)) as User | undefined),
      );
      return found.filter((user) => user !== undefined);
    };
    const isLetIn = async ({ user = "", password = "" }: Parts) => await isLetInByAmqp(server.port, user, password);
    return {
      rule: {
        rotator: "rabbitmq",
        as: "url",
        options: {
          url: server.managementUrl,
          users: names,
          admin_user: server.adminUser,
          admin_password: "${secret:dev/admin/PASSWORD}",
        },
      },
      companions: { "dev/admin/PASSWORD": server.adminPassword },
      async begin() {
        await call("PUT", `users/${name}`, { password: first, tags: [] });
        await call("PUT", `permissions/%2F/${name}`, { configure: ".*", write: ".*", read: ".*" });
        return `amqp://${name}:${first}@127.0.0.1:${server.port}/%2F`;
      },
      save: async () => JSON.stringify(await users()),
      async restore(saved) {
        const kept = JSON.parse(saved) as User[];
        for (const each of names) if (!kept.some((user) => user.name === each)) await call("DELETE", `users/${each}`);
        for (const { name: each, ...user } of kept) {
          await call("PUT", `users/${each}`, user);
          await call("PUT", `permissions/%2F/${each}`, { configure: ".*", write: ".*", read: ".*" });
        }
      },
      isLetIn,
      async countStrangers(held) {
        let strangers = 0;
        for (const { name: each, password_hash: hash } of await users()) {
          if (hash === "") continue;
          const known = await Promise.all(held.filter(({ user }) => user === each).map(isLetIn));
          if (!known.includes(true)) strangers++;
        }
        return strangers;
      },
    };
  };

  return {
    name: "RabbitMQ",
    version: overview.rabbitmq_version,
    scenarios: overlapScenarios,
    hasOverlap: true,
    lanes: Array.from({ length: lanes }, (_, index) => makeLane(index)),
    stop: () => server.stop(),
  };
}
