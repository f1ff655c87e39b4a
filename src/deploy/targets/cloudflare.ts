import { z } from "zod";
import { secretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";
import { hiddenVariableFacts, toVariableName } from "./environment-name.ts";
import type { OpenTarget, Target } from "./target.ts";

const options = z.strictObject({
  account: z.string().regex(/^[0-9a-f]{32}$/),
  /** The name of the Worker. */
  script: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/),
  /** May edit Workers scripts of the account. */
  token: secretReference,
  api: serviceEndpoint("api.cloudflare.com").default("https://api.cloudflare.com/client/v4"),
});
type CloudflareOptions = z.infer<typeof options>;

const kind = "cloudflare";

/** Secrets of a Worker at Cloudflare (API v4). Many change in one call, which makes one version. */
export const cloudflareTarget: Target<CloudflareOptions> = {
  describe: "secrets of a Worker at Cloudflare",
  options,
  facts: () => ({
    ...hiddenVariableFacts,
    maxValueBytes: 5 * 1024,
    maxItems: 128,
    restarts: "every 100 changes make one new version of the Worker, which is live at once",
  }),
  references: ({ token }) => [token],
  place: ({ account, script }) => `account ${account}, Worker ${script}`,
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openCloudflare(checked, access)),
};

const listAnswer = z.object({ result: z.array(z.object({ name: z.string() })).nullable() });
const maxChanges = 100;

function openCloudflare({ account, script, token, api }: CloudflareOptions, access: ServiceAccess): OpenTarget {
  const headers = { authorization: printBearer(access.read(token)) };
  const client = createTargetClient(kind, { baseUrl: api, timeoutMs: access.timeoutMs, headers });
  const path = ["accounts", account, "workers", "scripts", script];

  async function list(): Promise<string[]> {
    const answer = await client.send({ method: "GET", path: [...path, "secrets"], expect: [200] });
    return (readAnswer(listAnswer, answer).result ?? []).map(({ name }) => name);
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      return (await list()).filter((name) => wanted.has(name)).map((name) => ({ name }));
    },
    async apply({ writes, removes }, progress) {
      const present = new Set(removes.length === 0 ? [] : await list());
      const gone = removes.filter(({ name }) => !present.has(name));
      const changes = [
        ...writes.map(({ name, value }) => [name, { name, text: value, type: "secret_text" }] as const),
        ...removes.filter(({ name }) => present.has(name)).map(({ name }) => [name, null] as const),
      ];
      for (const { name } of gone) progress.done(name);
      for (let first = 0; first < changes.length; first += maxChanges) {
        const some = changes.slice(first, first + maxChanges);
        await client.send({
          method: "PATCH",
          path: [...path, "secrets-bulk"],
          // A merge patch (RFC 7396): what it does not name stays.
          headers: { "content-type": "application/merge-patch+json" },
          body: { json: { secrets: Object.fromEntries(some) } },
          expect: [200],
        });
        for (const [name] of some) progress.done(name);
      }
    },
    close: () => Promise.resolve(),
  };
}
