import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldVariable {
  readonly key: string;
  readonly environment_scope: string;
  value: string;
  protected: boolean;
  masked: boolean;
  hidden: boolean;
  raw: boolean;
}

export interface FakeGitlab extends DescribedApi {
  readonly variables: HeldVariable[];
  /** As a person would on the web. */
  put(key: string, value: string, more?: Partial<HeldVariable>): void;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const json = (schema: object) => ({ content: { "application/json": { schema } } });
const named = (name: string, place: "path" | "query", schema: object, required = place === "path") => ({
  name,
  in: place,
  required,
  schema,
});
const page = [
  named("page", "query", { type: "integer", minimum: 1 }),
  named("per_page", "query", { type: "integer", minimum: 1, maximum: 100 }),
];
const scope = named("filter[environment_scope]", "query", text, true);
const written = { value: text, protected: flag, masked: flag, raw: flag, description: text };
const shown = json({
  type: "object",
  additionalProperties: false,
  required: ["key", "value", "variable_type", "protected", "masked", "hidden", "raw", "environment_scope"],
  properties: {
    ...written,
    value: { type: ["string", "null"] },
    key: text,
    variable_type: { enum: ["env_var", "file"] },
    hidden: flag,
    environment_scope: text,
    description: { type: ["string", "null"] },
  },
});
const body = (properties: object, required: readonly string[]) => ({
  required: true,
  ...json({ type: "object", additionalProperties: false, properties, required }),
});
const forNew = { ...written, key: text, environment_scope: text, masked_and_hidden: flag, variable_type: text };
const list = json({ type: "array", items: shown.content["application/json"].schema });

function variablePaths(owner: string): ApiPaths {
  const id = named("id", "path", text);
  const key = named("key", "path", { type: "string", pattern: "^[a-zA-Z0-9_]+$", maxLength: 255 });
  return {
    [`/${owner}/{id}/variables`]: {
      get: { parameters: [id, ...page], responses: { 200: list } },
      post: { parameters: [id], requestBody: body(forNew, ["key", "value"]), responses: { 201: shown } },
    },
    [`/${owner}/{id}/variables/{key}`]: {
      put: { parameters: [id, key, scope], requestBody: body(written, ["value"]), responses: { 200: shown } },
      delete: { parameters: [id, key, scope], responses: { 204: {} } },
    },
  };
}

const additions = { ...variablePaths("projects"), ...variablePaths("groups") };

/**
 * The variables of the project `test-group/test-name` and the group `test-group`, written down from
 * GitLab's pages of its API, since no package has its description of version 4. Refuses what cannot
 * be masked, and knows a variable by its key and its scope.
 */
export async function startFakeGitlab(): Promise<FakeGitlab> {
  const variables: HeldVariable[] = [];
  const put = (key: string, value: string, more: Partial<HeldVariable> = {}) => {
    const plain = { environment_scope: "*", protected: false, masked: false, hidden: false, raw: false };
    variables.push({ key, value, ...plain, ...more });
  };
  const api = await startDescribedApi({
    base: "/api/v4",
    additions,
    headers: { "private-token": /^\S+$/ },
    answer({ operation, params, query, body: sent, header }): ApiReply {
      if (header("private-token") !== "test-token") return { status: 401, json: { message: "401 Unauthorized" } };
      const owner = operation.includes("/projects/") ? "test-group/test-name" : "test-group";
      if (params["id"] !== owner) return { status: 404, json: { message: "404 Not found" } };
      if (operation.startsWith("GET")) {
        const [size, number] = [Number(query.get("per_page") ?? 20), Number(query.get("page") ?? 1)];
        return { status: 200, json: variables.slice((number - 1) * size, number * size).map(show) };
      }
      if (operation.startsWith("POST")) {
        const { masked_and_hidden: hidden = false, ...fields } = sent;
        const { key, environment_scope = "*" } = fields;
        const found = variables.find((it) => it.key === key && it.environment_scope === environment_scope);
        if (found !== undefined) return refused("key has already been taken");
        if (!canBeMasked(sent)) return refused("value is invalid");
        put(String(key), String(sent["value"]), { ...fields, hidden: hidden === true });
        return { status: 201, json: show(variables.at(-1) as HeldVariable) };
      }
      const filter = query.get("filter[environment_scope]");
      const found = variables.find((it) => it.key === params["key"] && it.environment_scope === filter);
      if (found === undefined) return { status: 404, json: { message: "404 Variable Not Found" } };
      if (operation.startsWith("DELETE")) {
        variables.splice(variables.indexOf(found), 1);
        return { status: 204 };
      }
      if (!canBeMasked(sent)) return refused("value is invalid");
      Object.assign(found, sent);
      return { status: 200, json: show(found) };
    },
  });
  return { ...api, variables, put };
}

/** The two patterns of GitLab's `Ci::Maskable`. */
function canBeMasked({ value, masked, raw }: Readonly<Record<string, unknown>>): boolean {
  return masked !== true || (raw === true ? /^\S{8,}$/ : /^[a-zA-Z0-9_+=/@:.~-]{8,}$/).test(String(value));
}

function show(held: HeldVariable): object {
  return { ...held, value: held.hidden ? null : held.value, variable_type: "env_var", description: null };
}

function refused(text: string): ApiReply {
  return { status: 400, json: { message: { value: [text] } } };
}
