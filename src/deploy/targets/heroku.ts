import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import { secretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";
import { hiddenVariableFacts, toVariableName, variableNameRule } from "./environment-name.ts";
import type { OpenTarget, Target } from "./target.ts";

const options = z.strictObject({
  /** Name or id. */
  app: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** Of someone who may deploy the app. */
  token: secretReference,
  api: serviceEndpoint("api.heroku.com").default("https://api.heroku.com"),
});
type HerokuOptions = z.infer<typeof options>;

const kind = "heroku";

/** Config vars of an app at Heroku (Platform API, version 3). All change in one call, since each restarts the app. */
export const herokuTarget: Target<HerokuOptions> = {
  describe: "config vars of an app at Heroku",
  options,
  facts: () => ({
    ...hiddenVariableFacts,
    readsBack: true,
    nameRule: {
      ...variableNameRule,
      pattern: /^(?!HEROKU_|__)[A-Za-z_][A-Za-z0-9_]*$/,
      says: "letters, digits and _, not beginning with a digit, __ or HEROKU_",
    },
    maxValueBytes: 64 * 1024,
    maxTotalBytes: 64 * 1024,
    restarts: "a change makes one new release and restarts all dynos of the app",
  }),
  references: ({ token }) => [token],
  place: ({ app }) => `app ${app}`,
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openHeroku(checked, access)),
};

const configVars = z.record(z.string(), z.string().nullable());

function openHeroku({ app, token, api }: HerokuOptions, access: ServiceAccess): OpenTarget {
  const client = createTargetClient(kind, {
    baseUrl: api,
    timeoutMs: access.timeoutMs,
    headers: {
      accept: "application/vnd.heroku+json; version=3",
      authorization: printBearer(access.read(token)),
    },
    // An app that may not be seen is one that is not there.
    classify: (status) => (status === 404 ? "auth" : undefined),
  });
  const path = ["apps", app, "config-vars"];

  /** What is there; a Map, since a name may be one that every object has. */
  async function read(): Promise<ReadonlyMap<string, string>> {
    const held = readAnswer(configVars, await client.send({ method: "GET", path, expect: [200] }));
    return new Map(Object.entries(held).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));
  }

  return {
    async inspect(names) {
      const held = await read();
      return names.flatMap((name) => {
        const text = held.get(name);
        return text === undefined ? [] : [{ name, value: Secret.text(text) }];
      });
    },
    async apply({ writes, removes }, progress) {
      const held = await read();
      const changed = writes.filter(({ name, value }) => held.get(name) !== value.revealText());
      const gone = removes.filter(({ name }) => held.has(name));
      const json = Object.fromEntries<Secret | null>([
        ...changed.map(({ name, value }) => [name, value] as const),
        ...gone.map(({ name }) => [name, null] as const),
      ]);
      if (changed.length + gone.length > 0) await client.send({ method: "PATCH", path, body: { json }, expect: [200] });
      for (const { name } of [...writes, ...removes]) progress.done(name);
    },
    close: () => Promise.resolve(),
  };
}
