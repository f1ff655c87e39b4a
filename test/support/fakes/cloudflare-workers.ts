import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

export interface FakeCloudflareWorkers extends DescribedApi {
  readonly account: string;
  readonly secrets: Map<string, string>;
  /** How many versions were made and went live. */
  readonly state: { versions: number };
}

const text = { type: "string" } as const;
const parameters = [
  { name: "account_id", in: "path", required: true, schema: { type: "string", minLength: 32, maxLength: 32 } },
  { name: "script_name", in: "path", required: true, schema: { type: "string", pattern: "^[a-z0-9_-]+$" } },
] as const;
const secret = {
  type: ["object", "null"] as unknown as string,
  additionalProperties: false,
  required: ["name", "text", "type"],
  properties: { name: text, text, type: { enum: ["secret_text"] } },
} as const;
const bulk = {
  type: "object",
  additionalProperties: false,
  required: ["secrets"],
  properties: { secrets: { type: "object", minProperties: 1, maxProperties: 100, additionalProperties: secret } },
} as const;
const answer = {
  content: {
    "application/json": { schema: { type: "object", required: ["success", "errors", "messages", "result"] } },
  },
} as const;
const additions: ApiPaths = {
  "/accounts/{account_id}/workers/scripts/{script_name}/secrets": { get: { parameters, responses: { 200: answer } } },
  "/accounts/{account_id}/workers/scripts/{script_name}/secrets-bulk": {
    patch: {
      parameters,
      requestBody: { required: true, content: { "application/merge-patch+json": { schema: bulk } } },
      responses: { 200: answer },
    },
  },
};

/**
 * The secrets of the Worker `test-worker`, written down from Cloudflare's pages of its API and the
 * calls of its own command line, since no package has its description. Shows no value.
 */
export async function startFakeCloudflareWorkers(): Promise<FakeCloudflareWorkers> {
  const account = "0123456789abcdef0123456789abcdef";
  const secrets = new Map<string, string>();
  const state = { versions: 0 };
  const list = () => [...secrets.keys()].map((name) => ({ name, type: "secret_text" }));
  const api = await startDescribedApi({
    base: "/client/v4",
    additions,
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, body, header }): ApiReply {
      if (header("authorization") !== "Bearer test-token") return refused(403, 10_000);
      if (params["account_id"] !== account) return refused(403, 9109);
      if (params["script_name"] !== "test-worker") return refused(404, 10_007);
      if (operation.startsWith("GET")) return done(list());
      const changes = Object.entries(body["secrets"] as Record<string, { name: string; text: string } | null>);
      const isBad = changes.some(
        ([name, it]) => it !== null && (it.name !== name || Buffer.byteLength(it.text) > 5 * 1024),
      );
      if (isBad) return refused(400, 10_021);
      for (const [name, it] of changes) {
        if (it === null) secrets.delete(name);
        else secrets.set(name, it.text);
      }
      if (secrets.size > 128) throw new Error("more secrets than a Worker can have");
      state.versions += 1;
      return done(list());
    },
  });
  return { ...api, account, secrets, state };
}

function done(result: unknown): ApiReply {
  return { status: 200, json: { success: true, errors: [], messages: [], result } };
}

function refused(status: number, code: number): ApiReply {
  return { status, json: { success: false, errors: [{ code, message: "test" }], messages: [], result: null } };
}
