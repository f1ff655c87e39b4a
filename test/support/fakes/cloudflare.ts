import { randomBytes } from "node:crypto";
import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldToken {
  readonly id: string;
  readonly value: string;
  readonly issued_on: string;
  name: string;
  status: string;
  policies: unknown;
  condition?: unknown;
  expires_on?: unknown;
}

export interface FakeCloudflare extends DescribedApi {
  readonly account: string;
  readonly tokens: HeldToken[];
  /** As a person would in the dashboard. */
  addToken(name: string, limits?: Readonly<Record<string, unknown>>): HeldToken;
}

const id = { type: "string", maxLength: 32, minLength: 32 } as const;
const policy = {
  type: "object",
  required: ["effect", "permission_groups", "resources"],
  properties: {
    effect: { type: "string", enum: ["allow", "deny"] },
    permission_groups: { type: "array", items: { type: "object", required: ["id"], properties: { id } } },
    resources: { type: "object", additionalProperties: true },
  },
} as const;
const addresses = { type: "array", items: { type: "string" } } as const;
const written = {
  name: { type: "string", maxLength: 120 },
  policies: { type: "array", items: policy },
  condition: {
    type: "object",
    properties: { request_ip: { type: "object", properties: { in: addresses, not_in: addresses } } },
  },
  expires_on: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$" },
  not_before: { type: "string" },
} as const;
const status = { type: "string", enum: ["active", "disabled", "expired"] } as const;
const json = (schema: object) => ({ content: { "application/json": { schema } } });
const answers = { 200: json({ type: "object", required: ["success", "errors", "messages"] }) };
const inAccount = { name: "account_id", in: "path", required: true, schema: id } as const;
const ofToken = { name: "token_id", in: "path", required: true, schema: id } as const;
const page = { name: "page", in: "query", schema: { type: "integer", minimum: 1 } } as const;
const perPage = { name: "per_page", in: "query", schema: { type: "integer", minimum: 5, maximum: 50 } } as const;
const create = {
  requestBody: { required: true, ...json({ type: "object", required: ["name", "policies"], properties: written }) },
};
const update = {
  requestBody: {
    required: true,
    ...json({ type: "object", required: ["name", "policies", "status"], properties: { ...written, status } }),
  },
};

function tokenPaths(base: string, own: readonly (typeof inAccount)[]): ApiPaths {
  return {
    [`${base}/tokens/verify`]: { get: { parameters: own, responses: answers } },
    [`${base}/tokens`]: {
      get: { parameters: [...own, page, perPage], responses: answers },
      post: { parameters: own, ...create, responses: answers },
    },
    [`${base}/tokens/{token_id}`]: {
      get: { parameters: [...own, ofToken], responses: answers },
      put: { parameters: [...own, ofToken], ...update, responses: answers },
      delete: { parameters: [...own, ofToken], responses: answers },
    },
  };
}

const additions = { ...tokenPaths("/accounts/{account_id}", [inAccount]), ...tokenPaths("/user", []) };

/**
 * The tokens of an account and of a user, written down from the pages of the API and the types of
 * Cloudflare's own client, since no package has its description. A token is shown once.
 */
export async function startFakeCloudflare(): Promise<FakeCloudflare> {
  const account = "0123456789abcdef0123456789abcdef";
  const tokens: HeldToken[] = [];
  const makeToken = (fields: Pick<HeldToken, "name" | "policies">): HeldToken => {
    const issued_on = new Date(Date.UTC(2026, 0, 1, 0, 0, tokens.length)).toISOString();
    const value = `test-token-${randomBytes(12).toString("hex")}`;
    return { id: randomBytes(16).toString("hex"), value, issued_on, status: "active", ...fields };
  };
  const api = await startDescribedApi({
    base: "/client/v4",
    additions,
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      const given = header("authorization")?.slice("Bearer ".length);
      if (operation.endsWith("/tokens/verify")) {
        const found = tokens.find(({ value }) => value === given);
        return found === undefined ? refused(401, 1000) : done({ id: found.id, status: found.status });
      }
      if (given !== "test-admin-token") return refused(403, 9109);
      if ((params["account_id"] ?? account) !== account) return refused(404, 7003);
      if (operation.startsWith("POST")) {
        const made = makeToken(body as unknown as Pick<HeldToken, "name" | "policies">);
        tokens.push(made);
        return done(made);
      }
      if (operation.endsWith("/tokens")) {
        const [size, number] = [Number(query.get("per_page") ?? 20), Number(query.get("page") ?? 1)];
        const shown = tokens.slice((number - 1) * size, number * size).map(withoutValue);
        return { status: 200, json: { ...envelope, result: shown, result_info: { page: number, per_page: size } } };
      }
      const found = tokens.find((it) => it.id === params["token_id"]);
      if (found === undefined) return refused(404, 1001);
      if (operation.startsWith("DELETE")) tokens.splice(tokens.indexOf(found), 1);
      if (operation.startsWith("PUT")) Object.assign(found, body);
      return done(operation.startsWith("DELETE") ? { id: found.id } : withoutValue(found));
    },
  });
  const addToken = (name: string, limits: Readonly<Record<string, unknown>> = {}) => {
    const groups = [{ id: "c8fed203ed3043cba015a93ad1616f1f", name: "Zone Read", meta: {} }];
    const resources = { [`com.cloudflare.api.account.${account}`]: "*" };
    const policies = [
      { id: "f267e341f3dd4697bd3b9f71dd96247f", effect: "allow", permission_groups: groups, resources },
    ];
    const made = { ...makeToken({ name, policies }), ...limits };
    tokens.push(made);
    return made;
  };
  return { ...api, account, tokens, addToken };
}

const envelope = { success: true, errors: [], messages: [] };

function done(result: object): ApiReply {
  return { status: 200, json: { ...envelope, result } };
}

function refused(code: number, error: number): ApiReply {
  return {
    status: code,
    json: { ...envelope, success: false, errors: [{ code: error, message: "test" }], result: null },
  };
}

function withoutValue(token: HeldToken): object {
  return { ...token, value: undefined };
}
