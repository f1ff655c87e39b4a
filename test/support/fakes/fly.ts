import { createHash } from "node:crypto";
import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldSecret {
  readonly value: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface FakeFly extends DescribedApi {
  readonly secrets: Map<string, HeldSecret>;
  readonly state: { version: number };
  /** As a person would with flyctl. */
  put(name: string, value: string): void;
}

const text = { type: "string" } as const;
const parameters = [{ name: "app_name", in: "path", required: true, schema: text }] as const;
const secret = {
  type: "object",
  additionalProperties: false,
  properties: { name: text, digest: text, value: text, created_at: text, updated_at: text },
} as const;
const json = (schema: object) => ({ content: { "application/json": { schema } } });
const secrets = { type: "array", items: secret } as const;
const values = { type: "object", additionalProperties: { type: ["string", "null"] } } as const;
const additions: ApiPaths = {
  "/apps/{app_name}/secrets": {
    get: {
      parameters: [
        ...parameters,
        { name: "min_version", in: "query", schema: text },
        { name: "show_secrets", in: "query", schema: { type: "boolean" } },
      ],
      responses: { 200: json({ type: "object", properties: { secrets } }) },
    },
    post: {
      parameters,
      requestBody: {
        required: true,
        ...json({ type: "object", additionalProperties: false, required: ["values"], properties: { values } }),
      },
      responses: { 200: json({ type: "object", properties: { secrets, version: { type: "integer" } } }) },
    },
  },
};

/**
 * The secrets of the app `test-app`, written down from clients that are made from the description of
 * the Machines API, since no package has the description itself. Shows digests and no values.
 */
export async function startFakeFly(): Promise<FakeFly> {
  const held = new Map<string, HeldSecret>();
  const state = { version: 1 };
  let time = Date.UTC(2026, 0, 1);
  const put = (name: string, value: string) => {
    const updatedAt = new Date((time += 1000)).toISOString();
    held.set(name, { value, createdAt: held.get(name)?.createdAt ?? updatedAt, updatedAt });
  };
  const list = () =>
    [...held].map(([name, { value, createdAt, updatedAt }]) => ({
      name,
      digest: createHash("sha256").update(`test-salt ${value}`).digest("hex").slice(0, 16),
      created_at: createdAt,
      updated_at: updatedAt,
    }));
  const api = await startDescribedApi({
    base: "/v1",
    additions,
    headers: { authorization: /^Bearer \S+/ },
    answer({ operation, params, body, header }): ApiReply {
      if (header("authorization") !== "Bearer test-token") return { status: 401, json: { error: "unauthorized" } };
      if (params["app_name"] !== "test-app") return { status: 404, json: { error: "app not found" } };
      if (operation.startsWith("GET")) return { status: 200, json: { secrets: list() } };
      for (const [name, value] of Object.entries(body["values"] as Record<string, string | null>)) {
        if (value === null && !held.delete(name)) return { status: 404, json: { error: "secret not found" } };
        if (value !== null) put(name, value);
      }
      state.version += 1;
      return { status: 200, json: { secrets: list(), version: state.version } };
    },
  });
  return { ...api, secrets: held, state, put };
}
