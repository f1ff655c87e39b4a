import { z } from "zod";
import type { createHttpClient, HttpRequest } from "../../net/http-client.ts";
import type { RabbitmqHash } from "./rabbitmq-password.ts";
import { readAnswer } from "../../services/service-answer.ts";

export type RabbitmqApi = ReturnType<typeof createHttpClient>;

/** A user as the API gives it. Tags are a list, and a text with commas before 3.9; they are sent as they came. */
const userSchema = z.object({
  name: z.string(),
  password_hash: z.string(),
  hashing_algorithm: z.string(),
  tags: z.union([z.array(z.string()), z.string()]),
});
export type RabbitmqUser = z.infer<typeof userSchema>;

const permissionsSchema = z.array(
  z.object({ vhost: z.string(), configure: z.string(), write: z.string(), read: z.string() }),
);
const topicsSchema = z.array(
  z.object({ vhost: z.string(), exchange: z.string(), write: z.string(), read: z.string() }),
);
type TopicPermission = z.infer<typeof topicsSchema>[number];

/** The user of that name; undefined when there is none. Throws ProviderFailure. */
export async function findUser(api: RabbitmqApi, name: string): Promise<RabbitmqUser | undefined> {
  const answer = await api.send({ method: "GET", path: ["api", "users", name], expect: [200, 404] });
  return answer.status === 404 ? undefined : readAnswer(userSchema, answer);
}

/** Makes the user, or gives it these; the rest of it stays as it is. Throws ProviderFailure. */
export async function putUser(
  api: RabbitmqApi,
  name: string,
  { password_hash: hash, hashing_algorithm: algorithm }: RabbitmqHash,
  tags: RabbitmqUser["tags"],
): Promise<void> {
  const json = { password_hash: hash, hashing_algorithm: algorithm, tags };
  await change(api, { method: "PUT", path: ["api", "users", name], body: { json }, expect: [201, 204] });
}

/**
 * Gives `to` the permissions and topic permissions of `from` in every virtual host, and takes away
 * those that `from` does not have. Sends what differs and nothing else. Throws ProviderFailure.
 */
export async function copyPermissions(api: RabbitmqApi, from: string, to: string): Promise<void> {
  const [wanted, present] = await Promise.all([from, to].map(async (name) => await permissionsOf(api, name)));
  for (const { vhost, ...json } of wanted ?? []) {
    const own = present?.find((each) => each.vhost === vhost);
    if (own?.configure === json.configure && own.write === json.write && own.read === json.read) continue;
    await change(api, { method: "PUT", path: ["api", "permissions", vhost, to], body: { json }, expect: [201, 204] });
  }
  for (const { vhost } of present ?? []) {
    if (wanted?.some((each) => each.vhost === vhost) === true) continue;
    await change(api, { method: "DELETE", path: ["api", "permissions", vhost, to], expect: [204, 404] });
  }
  await copyTopics(api, from, to);
}

/** One DELETE takes all of a virtual host, so a host with one too many is made anew. */
async function copyTopics(api: RabbitmqApi, from: string, to: string): Promise<void> {
  const [wanted = [], present = []] = await Promise.all([from, to].map(async (name) => await topicsOf(api, name)));
  const excess = new Set(present.filter((own) => !isAmong(own.exchange, own.vhost, wanted)).map(({ vhost }) => vhost));
  for (const vhost of excess) {
    await change(api, { method: "DELETE", path: ["api", "topic-permissions", vhost, to], expect: [204, 404] });
  }
  const kept = present.filter(({ vhost }) => !excess.has(vhost));
  for (const { vhost, ...json } of wanted) {
    const own = kept.find((each) => each.vhost === vhost && each.exchange === json.exchange);
    if (own?.write === json.write && own.read === json.read) continue;
    const path = ["api", "topic-permissions", vhost, to];
    await change(api, { method: "PUT", path, body: { json }, expect: [201, 204] });
  }
}

function isAmong(exchange: string, vhost: string, topics: readonly TopicPermission[]): boolean {
  return topics.some((each) => each.exchange === exchange && each.vhost === vhost);
}

async function permissionsOf(api: RabbitmqApi, name: string): Promise<z.infer<typeof permissionsSchema>> {
  const path = ["api", "users", name, "permissions"];
  return readAnswer(permissionsSchema, await api.send({ method: "GET", path, expect: [200] }));
}

async function topicsOf(api: RabbitmqApi, name: string): Promise<TopicPermission[]> {
  const path = ["api", "users", name, "topic-permissions"];
  return readAnswer(topicsSchema, await api.send({ method: "GET", path, expect: [200] }));
}

async function change(api: RabbitmqApi, request: HttpRequest): Promise<void> {
  await api.send(request);
}
