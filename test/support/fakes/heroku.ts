import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

export interface FakeHeroku extends DescribedApi {
  readonly vars: Map<string, string>;
  /** Vars of add-ons, which nobody can change. */
  readonly attached: Set<string>;
  /** How many releases were made, each of which restarts the app. */
  readonly state: { releases: number };
}

const parameters = [{ name: "app", in: "path", required: true, schema: { type: "string" } }] as const;
const vars = {
  type: "object",
  patternProperties: { "^\\w+$": { type: ["string", "null"] } },
  additionalProperties: false,
};
const content = { content: { "application/json": { schema: { allOf: [vars, { additionalProperties: true }] } } } };
const additions: ApiPaths = {
  "/apps/{app}/config-vars": {
    get: { parameters, responses: { 200: content } },
    patch: { parameters, requestBody: { required: true, ...content }, responses: { 200: content } },
  },
};

/**
 * The config vars of the app `test-app`, by the schema in Heroku's pages of the Platform API. Every
 * change makes a release, also one that changes nothing.
 */
export async function startFakeHeroku(): Promise<FakeHeroku> {
  const held = new Map<string, string>();
  const attached = new Set<string>();
  const state = { releases: 0 };
  const api = await startDescribedApi({
    additions,
    headers: { authorization: /^Bearer \S+$/, accept: /^application\/vnd\.heroku\+json; version=3$/ },
    answer({ operation, params, body, header }): ApiReply {
      if (header("authorization") !== "Bearer test-token") return refused(401, "unauthorized");
      if (params["app"] !== "test-app") return refused(404, "not_found");
      if (operation.startsWith("GET")) return { status: 200, json: Object.fromEntries(held) };
      const changes = Object.entries(body as Record<string, string | null>);
      if (changes.some(([name]) => attached.has(name))) return refused(422, "invalid_params");
      for (const [name, value] of changes) {
        if (value === null) held.delete(name);
        else held.set(name, value);
      }
      state.releases += 1;
      return { status: 200, json: Object.fromEntries(held) };
    },
  });
  return { ...api, vars: held, attached, state };
}

function refused(status: number, id: string): ApiReply {
  return { status, json: { id, message: "test" } };
}
