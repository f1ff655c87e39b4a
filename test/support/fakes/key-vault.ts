import { createHash } from "node:crypto";
import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldSecret {
  /** As it was first written. */
  readonly name: string;
  /** Newest last. */
  readonly versions: { id: string; value: string; tags: Record<string, string>; contentType: string | undefined }[];
  attributes: { enabled: boolean; exp?: number; nbf?: number; updated: number };
  isManaged: boolean;
}

export interface FakeKeyVault extends DescribedApi {
  /** By name in lower case. */
  readonly secrets: Map<string, HeldSecret>;
  readonly deleted: Set<string>;
  /** Puts one there as a person would in the portal. */
  put(name: string, value: string): void;
  /** The token that is let in. */
  readonly state: { token: string; mayRead: boolean };
}

const version = "2025-07-01";
const maxBytes = 25_600;
const named = { name: "secret-name", in: "path", required: true, schema: { type: "string" } } as const;
const asked = (...names: readonly string[]) =>
  names.map((it) => ({ name: it, in: "query", required: it === "api-version", schema: { type: "string" } }) as const);
const answers = (schema: string) => ({
  200: { content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } } },
});

/** The description has the newest version of a secret as one without an id, and no token of a next page. */
const additions = {
  "/secrets": {
    get: { parameters: asked("api-version", "maxresults", "$skiptoken"), responses: answers("SecretListResult") },
  },
  "/secrets/{secret-name}": {
    get: { parameters: [named, ...asked("api-version")], responses: answers("SecretBundle") },
  },
};

/** A vault by Microsoft's OpenAPI description, with the limits of its pages: names, sizes, tags, soft deletion. */
export async function startFakeKeyVault(): Promise<FakeKeyVault> {
  const secrets = new Map<string, HeldSecret>();
  const deleted = new Set<string>();
  const state = { token: "test-vault-token", mayRead: true };
  let made = 0;
  const idOf = (at: string) => createHash("md5").update(`${at} ${++made}`).digest("hex");
  const refuse = (status: number, code: string): ApiReply => ({ status, json: { error: { code, message: "test" } } });
  const show = (held: HeldSecret, isList: boolean) => {
    const newest = held.versions.at(-1);
    return {
      id: `https://test.vault.azure.net/secrets/${held.name}${isList ? "" : `/${newest?.id ?? ""}`}`,
      attributes: held.attributes,
      tags: newest?.tags,
      ...(newest?.contentType === undefined ? {} : { contentType: newest.contentType }),
      ...(held.isManaged ? { managed: true } : {}),
      ...(isList ? {} : { value: newest?.value }),
    };
  };
  const withoutValue = (held: HeldSecret) => ({ ...show(held, false), value: undefined });

  function list({ query }: ApiCall): ApiReply {
    const start = Number(query.get("$skiptoken") ?? 0);
    const all = [...secrets.values()];
    const value = all.slice(start, start + 2).map((held) => show(held, true));
    const next = `https://test.vault.azure.net:443/secrets?api-version=${version}&$skiptoken=${start + 2}&maxresults=25`;
    return { status: 200, json: { value, ...(start + 2 < all.length ? { nextLink: next } : {}) } };
  }
  function set(name: string, body: ApiCall["body"]): ApiReply {
    const at = name.toLowerCase();
    if (deleted.has(at)) return refuse(409, "Conflict");
    const [value, tags] = [String(body["value"]), (body["tags"] ?? {}) as Record<string, string>];
    const isTagged = Object.keys(tags).length <= 15 && Object.values(tags).every((it) => it.length <= 256);
    if (!/^[0-9a-z-]{1,127}$/.test(at) || Buffer.byteLength(value) > maxBytes || !isTagged) {
      return refuse(400, "BadParameter");
    }
    const given = (body["attributes"] ?? {}) as Partial<HeldSecret["attributes"]>;
    const held = secrets.get(at) ?? { name, versions: [], attributes: { enabled: true, updated: 0 }, isManaged: false };
    const contentType = typeof body["contentType"] === "string" ? body["contentType"] : undefined;
    held.versions.push({ id: idOf(at), value, tags, contentType });
    // What is not told is set back.
    held.attributes = { enabled: true, ...given, updated: 1_767_225_600 + made };
    secrets.set(at, held);
    return { status: 200, json: show(held, false) };
  }

  const api = await startDescribedApi({
    description: "azure-key-vault",
    additions,
    headers: { authorization: /^Bearer \S+$/ },
    answer(call): ApiReply {
      const { operation, params, query, body, header } = call;
      if (header("authorization") !== `Bearer ${state.token}`) return refuse(401, "Unauthorized");
      if (query.get("api-version") !== version) return refuse(400, "BadParameter");
      if (operation === "GET /secrets") return list(call);
      const at = (params["secret_name"] ?? "").toLowerCase();
      const held = secrets.get(at);
      if (operation.startsWith("PUT")) return set(params["secret_name"] ?? "", body);
      if (operation.startsWith("GET /deletedsecrets")) {
        const id = `https://test.vault.azure.net/secrets/${at}/test`;
        return deleted.has(at) ? { status: 200, json: { id } } : refuse(404, "SecretNotFound");
      }
      if (held === undefined) return refuse(404, "SecretNotFound");
      if (operation.startsWith("DELETE")) {
        secrets.delete(at);
        deleted.add(at);
        return { status: 200, json: withoutValue(held) };
      }
      if (operation.startsWith("PATCH")) {
        const newest = held.versions.find(({ id }) => id === params["secret_version"]);
        if (newest === undefined) return refuse(404, "SecretNotFound");
        if (body["tags"] !== undefined) newest.tags = body["tags"] as Record<string, string>;
        return { status: 200, json: withoutValue(held) };
      }
      if (!state.mayRead || !held.attributes.enabled) return refuse(403, "Forbidden");
      return { status: 200, json: show(held, false) };
    },
  });
  return {
    ...api,
    secrets,
    deleted,
    state,
    put(at, value) {
      set(at, {
        value,
        tags: { team: "test" },
        contentType: "text/test",
        attributes: { nbf: 1, exp: 2_000_000_000 },
      });
    },
  };
}
