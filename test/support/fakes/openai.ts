import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldKey {
  readonly id: string;
  readonly value: string;
  readonly name: string;
  readonly owner: string;
}

export interface FakeOpenai extends DescribedApi {
  readonly keys: HeldKey[];
  /** As a person would on the site. */
  addKey(name: string, owner?: string): HeldKey;
}

const inPath = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } }) as const;
const inQuery = (name: string, schema: object) => ({ name, in: "query", schema }) as const;
const json = (schema: object) => ({ content: { "application/json": { schema } } });

/** From the pages of the API and OpenAI's own client, which are newer than the description that a package has. */
const additions: ApiPaths = {
  "/organization/projects/{project_id}/service_accounts/{service_account_id}/api_keys": {
    post: {
      parameters: [inPath("project_id"), inPath("service_account_id")],
      requestBody: json({
        type: "object",
        properties: {
          name: { type: "string" },
          expires_in_seconds: { type: "integer", minimum: 1, maximum: 31_536_000 },
          scopes: { type: "array", items: { type: "string" } },
        },
      }),
      responses: {
        200: json({
          type: "object",
          required: ["id", "created_at", "name", "object", "value"],
          properties: {
            id: { type: "string" },
            created_at: { type: "integer" },
            name: { type: "string" },
            object: { type: "string", enum: ["organization.project.service_account.api_key"] },
            value: { type: "string" },
            expires_at: { type: "integer", nullable: true },
          } as object,
        }),
      },
    },
  },
  "/organization/projects/{project_id}/api_keys": {
    get: {
      parameters: [
        inPath("project_id"),
        inQuery("limit", { type: "integer", minimum: 1, maximum: 100 }),
        inQuery("after", { type: "string" }),
        inQuery("owner_project_access", { type: "string", enum: ["active", "inactive", "any"] }),
      ],
      responses: { 200: json({ $ref: "#/components/schemas/ProjectApiKeyListResponse" }) },
    },
  },
};

const created_at = 1_790_000_000;

/** The keys of the service account `test-account` in the project `test-project`. A key is shown once. */
export async function startFakeOpenai(): Promise<FakeOpenai> {
  const keys: HeldKey[] = [];
  let made = 0;
  const addKey = (name: string, owner = "test-account"): HeldKey => {
    const count = String(++made).padStart(3, "0");
    const key = { id: `key_${count}`, value: `sk-test${count}-0000000000-${count}z`, name, owner };
    keys.push(key);
    return key;
  };
  const account = (id: string) => {
    return { object: "organization.project.service_account", id, name: "test", role: "member", created_at };
  };
  const shown = ({ id, value, name, owner }: HeldKey) => ({
    object: "organization.project.api_key",
    redacted_value: `${value.slice(0, 10)}...${value.slice(-3)}`,
    name,
    created_at,
    last_used_at: null,
    id,
    owner: { type: "service_account", service_account: { id: owner, name: "test", role: "member", created_at } },
  });
  const api = await startDescribedApi({
    description: "openai",
    base: "/v1",
    additions,
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      const given = header("authorization")?.slice("Bearer ".length);
      if (operation === "GET /models") {
        if (keys.every(({ value }) => value !== given)) return refused(401, "invalid_api_key");
        return { status: 200, json: { object: "list", data: [] } };
      }
      if (given !== "test-admin-key") return refused(401, "invalid_api_key");
      if (params["project_id"] !== "test-project") return refused(404, "not_found");
      if ((params["service_account_id"] ?? "test-account") !== "test-account") return refused(404, "not_found");
      if (operation.startsWith("POST")) {
        const { id, name, value } = addKey(String(body["name"]));
        const object = "organization.project.service_account.api_key";
        return { status: 200, json: { object, id, name, value, created_at } };
      }
      if (operation.startsWith("DELETE")) {
        const index = keys.findIndex(({ id }) => id === params["api_key_id"]);
        if (index === -1) return refused(404, "not_found");
        const [gone] = keys.splice(index, 1);
        return { status: 200, json: { object: "organization.project.api_key.deleted", id: gone?.id, deleted: true } };
      }
      if (operation.endsWith("/{service_account_id}")) return { status: 200, json: account("test-account") };
      const start = keys.findIndex(({ id }) => id === query.get("after")) + 1;
      // Some keys are left out unless they are asked for, as the page of the API warns.
      const seen = query.get("owner_project_access") === "any" ? keys : keys.slice(1);
      const data = seen.slice(start, start + Number(query.get("limit") ?? 20)).map(shown);
      const ends = { first_id: data[0]?.id ?? "", last_id: data.at(-1)?.id ?? "" };
      return { status: 200, json: { object: "list", data, ...ends, has_more: start + data.length < seen.length } };
    },
  });
  return { ...api, keys, addKey };
}

function refused(status: number, code: string): ApiReply {
  return { status, json: { error: { message: "test", type: "invalid_request_error", param: null, code } } };
}
