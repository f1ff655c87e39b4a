import { z } from "zod";
import type { HttpAnswer, HttpRequest } from "../net/http-client.ts";
import { ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { crc32c } from "./crc32c.ts";
import { createGcpTokens, gcpCredentials } from "./gcp-login.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { printBearer } from "./service-authorization.ts";
import { createTargetClient } from "./service-client.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** What says which project, and who asks: fields for an object of options. */
export const gcpSecretsConnection = {
  project: z.string().regex(/^[a-z0-9][a-z0-9.:-]{3,62}[a-z0-9]$/),
  credentials: gcpCredentials,
  endpoint: serviceEndpoint("secretmanager.googleapis.com").default("https://secretmanager.googleapis.com"),
  oauth: serviceEndpoint("oauth2.googleapis.com").default("https://oauth2.googleapis.com"),
};
const connection = z.object(gcpSecretsConnection);
export type GcpSecretsConnection = z.infer<typeof connection>;

const texts = z.record(z.string(), z.string());
const secret = z.object({
  name: z.string(),
  labels: texts.default({}),
  annotations: texts.default({}),
  etag: z.string().optional(),
});
const listed = z.object({ secrets: z.array(secret).default([]), nextPageToken: z.string().default("") });
const versioned = z.object({ name: z.string(), state: z.string().default(""), createTime: z.string().optional() });
const accessed = z.object({
  payload: z.object({ data: z.base64().default(""), dataCrc32c: z.string().optional() }).default({ data: "" }),
});

/** What a secret has beside its versions. */
export interface GcpSecretState {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly etag: string | undefined;
}

/** A version without its value. */
export interface GcpVersion {
  readonly number: string;
  readonly isEnabled: boolean;
  readonly isDestroyed: boolean;
  readonly createdAtMs: number | undefined;
}

export type GcpReplication =
  | { readonly automatic: object }
  | { readonly userManaged: { readonly replicas: readonly { readonly location: string }[] } };

/** Google Cloud Secret Manager (API v1). Every call throws ProviderFailure. */
export function createGcpSecrets(where: GcpSecretsConnection, access: ServiceAccess) {
  const send = createSecretClient(where, access);
  const secrets = ["v1", "projects", where.project, "secrets"];

  return {
    /** The value of the newest version; undefined when there is none, or it is disabled or destroyed. */
    async read(name: string): Promise<Secret | undefined> {
      const path = [...secrets, name, "versions", "latest:access"];
      const answer = await send({ method: "GET", path, expect: [200, 400, 404] });
      if (answer.status === 200) return readPayload(answer);
      if (answer.status === 404 || statusOf(answer) === "FAILED_PRECONDITION") return undefined;
      throw new ProviderFailure("rejected", "Google refused to read a version with status 400");
    },
    /** Undefined when there is no secret of the name. */
    async find(name: string): Promise<GcpSecretState | undefined> {
      const answer = await send({ method: "GET", path: [...secrets, name], expect: [200, 404] });
      return answer.status === 200 ? stateOf(readAnswer(secret, answer)) : undefined;
    },
    /** All secrets of the project that have a label with a value. */
    async list(label: string, value: string): Promise<GcpSecretState[]> {
      const found: GcpSecretState[] = [];
      for (let token = "", isFirst = true; isFirst || token !== ""; isFirst = false) {
        const page: Record<string, string> = token === "" ? {} : { pageToken: token };
        const query = { filter: `labels.${label}=${value}`, pageSize: "250", ...page };
        const read = readAnswer(listed, await send({ method: "GET", path: secrets, query, expect: [200] }));
        found.push(...read.secrets.map(stateOf).filter((it) => it.labels[label] === value));
        token = read.nextPageToken;
      }
      return found;
    },
    /** The newest version, whatever its state; undefined when there is none. */
    async findLatest(name: string): Promise<GcpVersion | undefined> {
      const path = [...secrets, name, "versions", "latest"];
      const answer = await send({ method: "GET", path, expect: [200, 404] });
      return answer.status === 200 ? versionOf(readAnswer(versioned, answer)) : undefined;
    },
    /** False when there is one of the name already. It has no version. */
    async create(name: string, rest: Pick<GcpSecretState, "labels" | "annotations">, replication: GcpReplication) {
      const json = { replication, labels: rest.labels, annotations: rest.annotations };
      const query = { secretId: name };
      const answer = await send({ method: "POST", path: secrets, query, body: { json }, expect: [200, 409] });
      return answer.status === 200;
    },
    /** Makes a version, each time that it is called, and gives its number. */
    async addVersion(name: string, value: Secret): Promise<string> {
      const bytes = value.reveal();
      const payload = { data: Secret.text(Buffer.from(bytes).toString("base64")), dataCrc32c: String(crc32c(bytes)) };
      const path = [...secrets, `${name}:addVersion`];
      const answer = await send({ method: "POST", path, body: { json: { payload } }, expect: [200] });
      return versionOf(readAnswer(versioned, answer)).number;
    },
    /** Replaces labels and annotations, when nobody changed the secret since `state` was read. */
    async update(name: string, state: GcpSecretState): Promise<void> {
      const { labels, annotations, etag } = state;
      const json = { labels, annotations, ...(etag === undefined ? {} : { etag }) };
      const query = { updateMask: "labels,annotations" };
      await send({ method: "PATCH", path: [...secrets, name], query, body: { json }, expect: [200] });
    },
    /** Removes it with all its versions at once, when nobody changed the secret since `etag` was read. */
    async delete(name: string, etag: string | undefined): Promise<void> {
      const query: Record<string, string> = etag === undefined ? {} : { etag };
      await send({ method: "DELETE", path: [...secrets, name], query, expect: [200, 404] });
    },
  };
}

function createSecretClient(where: GcpSecretsConnection, access: ServiceAccess) {
  const token = createGcpTokens(where.credentials, where.oauth, access);
  const client = createTargetClient("gcp-secret-manager", {
    baseUrl: where.endpoint,
    timeoutMs: access.timeoutMs,
    classify: (status, answer) => classOf(status, statusOf(answer)),
  });
  return async (request: HttpRequest): Promise<HttpAnswer> =>
    await client.send({ ...request, headers: { authorization: printBearer(await token()) } });
}

/** An etag that is not the present one: the next look tells what is there now. */
function classOf(status: number, code: string | undefined): FailureClass | undefined {
  return status === 409 || status === 412 || code === "ABORTED" || code === "FAILED_PRECONDITION"
    ? "transient"
    : undefined;
}

/** The code of google.rpc.Code; the message beside it is not looked at. */
function statusOf({ json }: HttpAnswer): string | undefined {
  const read = z.object({ error: z.object({ status: z.string() }) }).safeParse(json);
  return read.data?.error.status;
}

function readPayload(answer: HttpAnswer): Secret {
  const { payload } = readAnswer(accessed, answer);
  const bytes = Buffer.from(payload.data, "base64");
  if (payload.dataCrc32c === undefined || payload.dataCrc32c === String(crc32c(bytes))) return Secret.fromBytes(bytes);
  throw new ProviderFailure("transient", "a value came from Google with a checksum that is not its own");
}

function stateOf({ name, labels, annotations, etag }: z.infer<typeof secret>): GcpSecretState {
  return { name: lastOf(name), labels, annotations, etag };
}

function versionOf({ name, state, createTime }: z.infer<typeof versioned>): GcpVersion {
  const createdAtMs = Date.parse(createTime ?? "");
  return {
    number: lastOf(name),
    isEnabled: state === "ENABLED",
    isDestroyed: state === "DESTROYED",
    createdAtMs: Number.isNaN(createdAtMs) ? undefined : createdAtMs,
  };
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
