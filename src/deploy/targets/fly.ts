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
  app: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** A deploy token of the app. */
  token: secretReference,
  api: serviceEndpoint("api.machines.dev").default("https://api.machines.dev/v1"),
});
type FlyOptions = z.infer<typeof options>;

const kind = "fly";

/** Secrets of an app at Fly.io (Machines API). All change in one call; machines take them when they start. */
export const flyTarget: Target<FlyOptions> = {
  describe: "secrets of an app at Fly.io",
  options,
  facts: () => ({
    ...hiddenVariableFacts,
    // Fly.io names no limit; an environment of Linux has 128 KiB a variable.
    maxValueBytes: 128 * 1024 - 256,
    needsAfterwards: "machines have the new values when they are deployed again: fly secrets deploy",
  }),
  references: ({ token }) => [token],
  place: ({ app }) => `app ${app}`,
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openFly(checked, access)),
};

const listAnswer = z.object({
  secrets: z
    .array(z.object({ name: z.string(), digest: z.string().optional(), updated_at: z.string().optional() }))
    .nullish(),
});

function openFly({ app, token, api }: FlyOptions, access: ServiceAccess): OpenTarget {
  const headers = { authorization: printBearer(access.read(token)) };
  // An app that may not be seen is one that is not there.
  const classify = (status: number) => (status === 404 ? ("auth" as const) : undefined);
  const client = createTargetClient(kind, { baseUrl: api, timeoutMs: access.timeoutMs, headers, classify });
  const path = ["apps", app, "secrets"];

  async function list() {
    return readAnswer(listAnswer, await client.send({ method: "GET", path, expect: [200] })).secrets ?? [];
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      return (await list())
        .filter(({ name }) => wanted.has(name))
        .map(({ name, digest, updated_at }) => ({
          name,
          revision: digest,
          changedAtMs: updated_at === undefined ? undefined : Date.parse(updated_at),
        }));
    },
    async apply({ writes, removes }, progress) {
      const present = new Set(removes.length === 0 ? [] : (await list()).map(({ name }) => name));
      const values = Object.fromEntries([
        ...writes.map(({ name, value }) => [name, value] as const),
        ...removes.filter(({ name }) => present.has(name)).map(({ name }) => [name, null] as const),
      ]);
      if (Object.keys(values).length > 0) {
        await client.send({ method: "POST", path, body: { json: { values } }, expect: [200, 201] });
      }
      for (const { name } of [...writes, ...removes]) progress.done(name);
    },
    close: () => Promise.resolve(),
  };
}
