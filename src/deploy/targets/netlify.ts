import { z } from "zod";
import type { HttpRequest } from "../../net/http-client.ts";
import { secretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { readAnswer } from "../../services/service-answer.ts";
import { printBearer } from "../../services/service-authorization.ts";
import { createTargetClient } from "../../services/service-client.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";
import { applyEach } from "./apply-each.ts";
import { hiddenVariableFacts, toVariableName, letterFirstNameRule } from "./environment-name.ts";
import type { Found, Item, OpenTarget, Target } from "./target.ts";

const options = z
  .strictObject({
    /** The team, by its slug or id. */
    account: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
    /** The id of one site; without, all sites of the team have the values. */
    site: z
      .string()
      .regex(/^[0-9a-f-]{36}$/)
      .exactOptional(),
    /** `production`, `deploy-preview`, `branch-deploy`, or `branch:NAME`. */
    contexts: z
      .array(z.string().regex(/^(?:production|deploy-preview|branch-deploy|branch:[^\p{C}\s]{1,200})$/u))
      .min(1),
    /** What may read them; without, all that Netlify allows for secrets. */
    scopes: z
      .array(z.enum(["builds", "functions", "runtime"]))
      .min(1)
      .exactOptional(),
    token: secretReference,
    api: serviceEndpoint("api.netlify.com").default("https://api.netlify.com/api/v1"),
  })
  .refine(({ contexts }) => new Set(contexts).size === contexts.length, "a context is named twice");
type NetlifyOptions = z.infer<typeof options>;

const kind = "netlify";

/** Secret environment variables of a team or a site at Netlify, each with a value a deploy context. */
export const netlifyTarget: Target<NetlifyOptions> = {
  describe: "secret environment variables of a team or a site at Netlify",
  options,
  facts: () => ({
    ...hiddenVariableFacts,
    nameRule: letterFirstNameRule,
    maxValueBytes: 5000,
    needsAfterwards: "a new build and deploy: what runs keeps the old values",
  }),
  references: ({ token }) => [token],
  place: ({ account, site, contexts }) =>
    `team ${account}${site === undefined ? "" : `, site ${site}`}, ${contexts.toSorted().join(" and ")}`,
  toName: toVariableName,
  open: (checked, access) => Promise.resolve(openNetlify(checked, access)),
};

const value = z.object({ id: z.string(), context: z.string(), context_parameter: z.string().nullish() });
const variable = z.object({
  key: z.string(),
  values: z.array(value),
  is_secret: z.boolean().default(false),
  updated_at: z.string().optional(),
});
type Variable = z.infer<typeof variable>;

function openNetlify(
  { account, site, contexts, scopes, token, api }: NetlifyOptions,
  access: ServiceAccess,
): OpenTarget {
  const headers = { authorization: printBearer(access.read(token)) };
  // A team or a site that may not be seen is one that is not there.
  const classify = (status: number) => (status === 404 ? ("auth" as const) : undefined);
  const client = createTargetClient(kind, { baseUrl: api, timeoutMs: access.timeoutMs, headers, classify });
  const path = ["accounts", account, "env"];
  const query = site === undefined ? {} : { site_id: site };
  const send = async (request: Omit<HttpRequest, "query">) => await client.send({ ...request, query });

  const isOurs = (held: z.infer<typeof value>) => contexts.includes(printContext(held));

  async function find(name: string): Promise<Variable | undefined> {
    const answer = await send({ method: "GET", path: [...path, name], expect: [200, 404] });
    return answer.status === 404 ? undefined : readAnswer(variable, answer);
  }

  async function write({ name, value: secret }: Item): Promise<void> {
    const written = contexts.map((it) => ({ ...parseContext(it), value: secret }));
    if ((await find(name)) === undefined) {
      const made = { key: name, is_secret: true, values: written, ...(scopes === undefined ? {} : { scopes }) };
      await send({ method: "POST", path, body: { json: [made] }, expect: [201] });
      return;
    }
    // One context at a time, since Netlify replaces all values of a variable that is written whole.
    for (const json of written)
      await send({ method: "PATCH", path: [...path, name], body: { json }, expect: [200, 201] });
  }

  async function remove({ name }: Found): Promise<void> {
    const held = await find(name);
    if (held === undefined) return;
    if (held.values.every(isOurs)) {
      await send({ method: "DELETE", path: [...path, name], expect: [204, 404] });
      return;
    }
    for (const { id } of held.values.filter(isOurs)) {
      await send({ method: "DELETE", path: [...path, name, "value", id], expect: [204, 404] });
    }
  }

  return {
    async inspect(names) {
      const wanted = new Set(names);
      const listed = readAnswer(z.array(variable), await send({ method: "GET", path, expect: [200] }));
      return listed
        .filter(({ key, values }) => wanted.has(key) && values.some((it) => isOurs(it) || it.context === "all"))
        .map(readFound);
    },
    apply: async (change, progress) => await applyEach(change, progress, { write, remove }),
    close: () => Promise.resolve(),
  };
}

function readFound({ key, is_secret, updated_at }: Variable): Found {
  const found = { name: key, changedAtMs: updated_at === undefined ? undefined : Date.parse(updated_at) };
  return is_secret ? found : { ...found, blocked: "it is there and not a secret; make it one at Netlify first" };
}

function parseContext(text: string): { readonly context: string; readonly context_parameter?: string } {
  const [context = "", branch] = text.split(/:(.*)/s);
  return branch === undefined ? { context } : { context, context_parameter: branch };
}

function printContext({ context, context_parameter }: z.infer<typeof value>): string {
  return context === "branch" ? `branch:${context_parameter ?? ""}` : context;
}
