import { startDescribedApi, type ApiReply, type DescribedApi } from "./described-api.ts";

interface HeldVersion {
  readonly data: string;
  state: "ENABLED" | "DISABLED" | "DESTROYED";
}

interface HeldSecret {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  readonly replication: unknown;
  /** Newest last. */
  readonly versions: HeldVersion[];
  revision: number;
}

export interface FakeSecretManager extends DescribedApi {
  readonly secrets: Map<string, HeldSecret>;
  /** Puts one there as a person would in the console. */
  put(name: string, value: string): void;
  readonly state: { mayRead: boolean };
}

const parent = "projects/test-project";
/** The second is what startFakeGoogle gives for the administrator's key. */
const tokens = ["Bearer test-gcp-token", "Bearer test-iam-token"];
const maxBytes = 65_536;

/**
 * Google's Secret Manager by its discovery document, with the limits of its reference: names,
 * labels, annotations, sizes, checksums and etags.
 */
export async function startFakeSecretManager(): Promise<FakeSecretManager> {
  const secrets = new Map<string, HeldSecret>();
  const state = { mayRead: true };
  const refuse = (status: number, code: string): ApiReply => ({
    status,
    json: { error: { code: status, message: "test", status: code } },
  });
  const etagOf = (held: HeldSecret) => `"${held.revision}"`;
  const show = (name: string, held: HeldSecret) => ({
    name: `${parent}/secrets/${name}`,
    createTime: "2026-01-01T00:00:00.123456Z",
    replication: held.replication,
    etag: etagOf(held),
    ...(Object.keys(held.labels).length === 0 ? {} : { labels: held.labels }),
    ...(Object.keys(held.annotations).length === 0 ? {} : { annotations: held.annotations }),
  });
  const showVersion = (name: string, held: HeldSecret, index: number) => ({
    name: `${parent}/secrets/${name}/versions/${index + 1}`,
    createTime: `2026-01-01T00:00:${String(index % 60).padStart(2, "0")}Z`,
    state: held.versions[index]?.state,
  });
  const isFit = ({ labels, annotations }: Pick<HeldSecret, "labels" | "annotations">) =>
    Object.entries(labels).every(([key, it]) => /^[a-z][a-z0-9_-]{0,62}$/.test(key) && /^[a-z0-9_-]{0,63}$/.test(it)) &&
    Object.keys(annotations).every((key) => /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(key)) &&
    Buffer.byteLength(JSON.stringify(annotations)) < 16_384;

  const api = await startDescribedApi({
    description: "google-secret-manager",
    headers: { authorization: /^Bearer \S+$/ },
    answer({ operation, params, query, body, header }): ApiReply {
      if (!tokens.includes(header("authorization") ?? "")) return refuse(401, "UNAUTHENTICATED");
      if (params["projectsId"] !== "test-project") return refuse(403, "PERMISSION_DENIED");
      const [verb, name] = [operation.split(" ")[0], params["secretsId"] ?? query.get("secretId") ?? ""];
      const held = secrets.get(name);
      const given = body as { labels?: Record<string, string>; annotations?: Record<string, string>; etag?: string };
      if (operation === "GET /v1/projects/{projectsId}/secrets") {
        const [, label = "", value] = /^labels\.([a-z-]+)=([a-z-]+)$/.exec(query.get("filter") ?? "") ?? [];
        const found = [...secrets].filter(([, it]) => it.labels[label] === value);
        const start = Number(query.get("pageToken") ?? 0);
        const next = start + 2 < found.length ? { nextPageToken: String(start + 2) } : {};
        const page = found.slice(start, start + 2).map(([at, it]) => show(at, it));
        return { status: 200, json: { ...(page.length === 0 ? {} : { secrets: page }), ...next } };
      }
      if (operation === "POST /v1/projects/{projectsId}/secrets") {
        if (held !== undefined) return refuse(409, "ALREADY_EXISTS");
        const rest = { labels: given.labels ?? {}, annotations: given.annotations ?? {} };
        if (!/^[A-Za-z0-9_-]{1,255}$/.test(name) || body["replication"] === undefined || !isFit(rest)) {
          return refuse(400, "INVALID_ARGUMENT");
        }
        const fresh = { ...rest, replication: body["replication"], versions: [], revision: 1 };
        secrets.set(name, fresh);
        return { status: 200, json: show(name, fresh) };
      }
      if (held === undefined) return refuse(404, "NOT_FOUND");
      const isStale = (etag: unknown) => typeof etag === "string" && etag !== etagOf(held);
      if (verb === "DELETE") {
        if (isStale(query.get("etag"))) return refuse(400, "FAILED_PRECONDITION");
        secrets.delete(name);
        return { status: 200, json: {} };
      }
      if (verb === "PATCH") {
        if (isStale(given.etag)) return refuse(400, "FAILED_PRECONDITION");
        const mask = (query.get("updateMask") ?? "").split(",");
        const next = {
          labels: mask.includes("labels") ? (given.labels ?? {}) : held.labels,
          annotations: mask.includes("annotations") ? (given.annotations ?? {}) : held.annotations,
        };
        if (!isFit(next)) return refuse(400, "INVALID_ARGUMENT");
        Object.assign(held, next);
        held.revision++;
        return { status: 200, json: show(name, held) };
      }
      if (operation.endsWith(":addVersion")) {
        const { data = "", dataCrc32c } = body["payload"] as { data?: string; dataCrc32c?: string };
        const bytes = Buffer.from(data, "base64");
        const isSound = dataCrc32c === undefined || dataCrc32c === String(slowCrc32c(bytes));
        if (bytes.length === 0 || bytes.length > maxBytes || !isSound) return refuse(400, "INVALID_ARGUMENT");
        held.versions.push({ data, state: "ENABLED" });
        return { status: 200, json: showVersion(name, held, held.versions.length - 1) };
      }
      if (verb !== "GET") return refuse(404, "NOT_FOUND");
      if (params["versionsId"] === undefined) return { status: 200, json: show(name, held) };
      const index = params["versionsId"] === "latest" ? held.versions.length - 1 : Number(params["versionsId"]) - 1;
      const version = held.versions[index];
      if (version === undefined) return refuse(404, "NOT_FOUND");
      if (!operation.endsWith(":access")) return { status: 200, json: showVersion(name, held, index) };
      if (!state.mayRead) return refuse(403, "PERMISSION_DENIED");
      if (version.state !== "ENABLED") return refuse(400, "FAILED_PRECONDITION");
      const payload = { data: version.data, dataCrc32c: String(slowCrc32c(Buffer.from(version.data, "base64"))) };
      return { status: 200, json: { name: `${parent}/secrets/${name}/versions/${index + 1}`, payload } };
    },
  });
  return {
    ...api,
    secrets,
    state,
    put(name, value) {
      const marks = { labels: { team: "test" }, annotations: { note: "test" } };
      const fresh: HeldSecret = { ...marks, replication: { automatic: {} }, versions: [], revision: 1 };
      const held = secrets.get(name) ?? fresh;
      held.versions.push({ data: Buffer.from(value).toString("base64"), state: "ENABLED" });
      secrets.set(name, held);
    },
  };
}

/** CRC-32C bit by bit, another way than the product's table. */
function slowCrc32c(bytes: Uint8Array): number {
  let sum = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0x82_f6_3b_78 : sum >>> 1;
  }
  return ~sum >>> 0;
}
