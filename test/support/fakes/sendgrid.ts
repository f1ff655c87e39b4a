import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldKey {
  readonly id: string;
  readonly value: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

export interface FakeSendgrid extends DescribedApi {
  readonly keys: HeldKey[];
  /** As a person would on the site. */
  addKey(name: string, scopes?: readonly string[]): HeldKey;
}

/** Scopes of the administrator's key of the fake. */
const adminScopes = ["api_keys.create", "api_keys.read", "api_keys.delete", "mail.send"];

/** The keys of an account, by the published OpenAPI description. A key is shown once, and there are a hundred at most. */
export async function startFakeSendgrid(): Promise<FakeSendgrid> {
  const keys: HeldKey[] = [];
  let made = 0;
  const addKey = (name: string, scopes: readonly string[] = ["mail.send"]): HeldKey => {
    const id = `testKeyId_${String(++made).padStart(4, "0")}`;
    const key = { id, value: `SG.${id}.testSecret-${made}`, name, scopes };
    keys.push(key);
    return key;
  };
  const api = await startDescribedApi({
    description: "sendgrid",
    base: "/v3",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, body, header }): ApiReply {
      const given = header("authorization")?.slice("Bearer ".length);
      const held = given === "test-admin-key" ? adminScopes : keys.find(({ value }) => value === given)?.scopes;
      if (held === undefined) return refused(401, "authorization required");
      if (operation === "GET /scopes") return { status: 200, json: { scopes: [...held] } };
      if (!held.includes("api_keys.create")) return refused(403, "access forbidden");
      if (operation === "GET /api_keys") {
        return { status: 200, json: { result: keys.map(({ id, name }) => ({ api_key_id: id, name })) } };
      }
      if (operation === "POST /api_keys") {
        const scopes = body["scopes"] as readonly string[];
        if (keys.length >= 100 || scopes.some((it) => !held.includes(it))) return refused(403, "access forbidden");
        const { id, value, name } = addKey(String(body["name"]), scopes);
        return { status: 201, json: { api_key: value, api_key_id: id, name, scopes } };
      }
      const index = keys.findIndex(({ id }) => id === params["api_key_id"]);
      if (index === -1) return refused(404, "not found");
      keys.splice(index, 1);
      return { status: 204 };
    },
  });
  return { ...api, keys, addKey };
}

function refused(status: number, message: string): ApiReply {
  return { status, json: { errors: [{ message, field: null }] } };
}
