import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

interface Version {
  readonly data: Record<string, unknown>;
  state: "there" | "deleted";
}

interface HeldEntry {
  readonly versions: Version[];
  metadata: Record<string, string>;
}

export interface FakeVault extends DescribedApi {
  /** Entries of the mount `secret`, by path. */
  readonly entries: Map<string, HeldEntry>;
  readonly state: { token: string };
  /** Writes a new version as somebody else does. */
  put(path: string, data: Record<string, unknown>): void;
  /** What is there now; empty where nothing is. */
  peek(path: string): Record<string, unknown>;
}

export const fakeVaultToken = "test-vault-token";

const json = (type = "application/json") => ({ required: true, content: { [type]: { schema: {} } } });
const merge = json("application/merge-patch+json");
const listing = [{ name: "list", in: "query", schema: { type: "string" } }] as const;
const entryMethods = {
  data: {
    get: { responses: ok(200) },
    post: post(),
    patch: { requestBody: merge, responses: ok(200) },
    delete: { responses: ok(204) },
  },
  metadata: { get: { parameters: listing, responses: ok(200) }, patch: { requestBody: merge, responses: ok(204) } },
};
const paths: ApiPaths = {
  "/sys/internal/ui/mounts/{mount}": { get: { responses: ok(200) } },
  "/sys/capabilities-self": { post: post() },
  "/secret/data/{path}": entryMethods.data,
  "/secret/data/{path}/{name}": entryMethods.data,
  "/secret/metadata/{path}": entryMethods.metadata,
  "/secret/metadata/{path}/{name}": entryMethods.metadata,
};

/**
 * A KV engine of version 2 at the mount `secret`, as the tests of test/real/targets found OpenBao
 * 2.7.2 to behave: check-and-set, merges, deleted versions, limits of custom metadata and of strings.
 */
export async function startFakeVault(): Promise<FakeVault> {
  const entries: FakeVault["entries"] = new Map();
  const state = { token: fakeVaultToken };

  function answer(call: ApiCall): ApiReply {
    if (call.header("x-vault-token") !== state.token) return errors(403, "permission denied");
    const [method = "", template = ""] = call.operation.split(" ");
    if (template.startsWith("/sys/internal")) return mount(call.params["mount"]);
    if (template.startsWith("/sys/capabilities")) return capabilities(call.body["paths"] as string[]);
    const path = Object.values(call.params).join("/");
    if (call.query.get("list") === "true") return list(`${path}/`);
    return template.startsWith("/secret/data/") ? data(method, path, call.body) : metadata(method, path, call.body);
  }

  function data(method: string, path: string, body: ApiCall["body"]): ApiReply {
    const entry = entries.get(path);
    const newest = entry?.versions.at(-1);
    if (method === "DELETE") {
      if (newest !== undefined) newest.state = "deleted";
      return { status: 204 };
    }
    if (method === "GET") {
      if (entry === undefined || newest === undefined) return errors(404);
      const isThere = newest.state === "there";
      const held = {
        data: isThere ? newest.data : null,
        metadata: { ...describe(entry), custom_metadata: entry.metadata },
      };
      return { status: isThere ? 200 : 404, json: { data: held } };
    }
    const { cas } = body["options"] as { cas?: number };
    const changes = body["data"] as Record<string, unknown>;
    if (countStrings(body) > 1000) return errors(400, "refused JSON input due to high complexity");
    if (method === "PATCH" && newest?.state !== "there") return { status: 404 };
    if (cas !== (entry?.versions.length ?? 0))
      return errors(400, "check-and-set parameter did not match the current version");
    put(path, method === "PATCH" ? mergeOf(newest?.data ?? {}, changes) : changes);
    return { status: 200, json: { data: describe(entries.get(path)) } };
  }

  function metadata(method: string, path: string, body: ApiCall["body"]): ApiReply {
    const entry = entries.get(path);
    if (entry === undefined) return errors(404);
    if (method === "GET") {
      const versions = entry.versions.map(
        (it, at) => [at + 1, { deletion_time: timeOf(it), destroyed: false }] as const,
      );
      const current_version = entry.versions.length;
      return {
        status: 200,
        json: { data: { current_version, custom_metadata: entry.metadata, versions: Object.fromEntries(versions) } },
      };
    }
    const merged = mergeOf(entry.metadata, body["custom_metadata"] as Record<string, unknown>) as Record<
      string,
      string
    >;
    const isFit = Object.entries(merged).every(([key, text]) => key.length <= 128 && text !== "" && text.length <= 512);
    if (!isFit || Object.keys(merged).length > 64) return errors(400, "custom_metadata validation failed");
    entry.metadata = merged;
    return { status: 204 };
  }

  function list(folder: string): ApiReply {
    const keys = [...entries.keys()].filter((it) => it.startsWith(folder)).map((it) => it.slice(folder.length));
    return keys.length === 0 ? errors(404) : { status: 200, json: { data: { keys } } };
  }

  function put(path: string, held: Record<string, unknown>): void {
    const entry = entries.get(path) ?? { versions: [], metadata: {} };
    entries.set(path, entry);
    entry.versions.push({ data: held, state: "there" });
  }

  const api = await startDescribedApi({
    base: "/v1",
    additions: paths,
    headers: { "x-vault-request": /^true$/ },
    answer,
  });
  return {
    ...api,
    url: api.url.replace(/\/v1$/, ""),
    entries,
    state,
    put,
    peek(path) {
      const newest = entries.get(path)?.versions.at(-1);
      return newest?.state === "there" ? newest.data : {};
    },
  };
}

function mount(name: string | undefined): ApiReply {
  if (name !== "secret") return errors(403, "preflight capability check returned 403");
  return { status: 200, json: { data: { type: "kv", options: { version: "2" } } } };
}

function capabilities(asked: readonly string[]): ApiReply {
  return { status: 200, json: { data: Object.fromEntries(asked.map((path) => [path, ["root"]])) } };
}

function describe(entry: HeldEntry | undefined) {
  const newest = entry?.versions.at(-1);
  const deletion_time = newest === undefined ? "" : timeOf(newest);
  return {
    version: entry?.versions.length ?? 0,
    created_time: "2026-01-02T03:04:05.678901234Z",
    deletion_time,
    destroyed: false,
  };
}

function timeOf({ state }: Version): string {
  return state === "there" ? "" : "2026-01-02T03:04:06Z";
}

function mergeOf(
  before: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));
}

function countStrings(value: unknown): number {
  if (typeof value === "string") return 1;
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce((sum, [, held]) => sum + 1 + countStrings(held), 0);
}

/** What is refused says why, as the real server does. */
function errors(status: number, ...said: readonly string[]): ApiReply {
  return { status, json: { errors: said } };
}

function post() {
  return { requestBody: json(), responses: ok(200) };
}

function ok(status: number) {
  return { [String(status)]: { content: { "application/json": { schema: {} } } } };
}
