import { z } from "zod";
import type { HttpAnswer, HttpRequest } from "../net/http-client.ts";
import { Secret } from "../secret/secret.ts";
import { azureCredentials, azureLoginHosts, createAzureTokens } from "./azure-login.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { printBearer } from "./service-authorization.ts";
import { createTargetClient } from "./service-client.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** The clouds of Microsoft: where vaults are, what a token is for, and where it is had. */
const clouds = [
  { host: ".vault.azure.net", scope: "https://vault.azure.net/.default", login: azureLoginHosts[0] },
  { host: ".vault.usgovcloudapi.net", scope: "https://vault.usgovcloudapi.net/.default", login: azureLoginHosts[1] },
  { host: ".vault.azure.cn", scope: "https://vault.azure.cn/.default", login: azureLoginHosts[2] },
] as const;

/** What says which vault, and who asks: fields for an object of options. */
export const azureSecretsConnection = {
  /** Such as `https://acme-prod.vault.azure.net`. */
  vault: serviceEndpoint(...clouds.map(({ host }) => host)),
  credentials: azureCredentials,
  login: serviceEndpoint(...azureLoginHosts).exactOptional(),
  /** The version of the API that is spoken. */
  api_version: z
    .string()
    .regex(/^(?:7\.\d|20\d\d-\d\d-\d\d)$/)
    .default("2025-07-01"),
};
const connection = z.object(azureSecretsConnection);
export type AzureSecretsConnection = z.infer<typeof connection>;

const attributes = z.object({
  enabled: z.boolean().optional(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
  updated: z.number().optional(),
});
const bundle = z.object({
  id: z.string(),
  tags: z.record(z.string(), z.string()).nullish(),
  contentType: z.string().nullish(),
  attributes: attributes.optional(),
  managed: z.boolean().nullish(),
});
const valued = bundle.extend({ value: z.string() });
const listed = z.object({ value: z.array(bundle).nullish(), nextLink: z.string().nullish() });

/** A secret without its value. */
export interface AzureSecretState {
  readonly name: string;
  /** The id of its newest version; undefined in a list, which does not say. */
  readonly version: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  /** Times as Key Vault has them, in seconds, and whether it can be read. */
  readonly attributes: z.infer<typeof attributes>;
  /** It belongs to a certificate. */
  readonly isManaged: boolean;
}

/** Azure Key Vault secrets. Every call throws ProviderFailure. */
export function createAzureSecrets(where: AzureSecretsConnection, access: ServiceAccess) {
  const send = createVaultClient(where, access);

  async function get(name: string): Promise<{ value: Secret; state: AzureSecretState } | undefined> {
    const answer = await send({ method: "GET", path: ["secrets", name], expect: [200, 404] });
    if (answer.status === 404) return undefined;
    const read = readAnswer(valued, answer);
    return { value: Secret.text(read.value), state: stateOf(read) };
  }

  return {
    /** The newest version with its value; undefined when there is none. A disabled one is refused with `auth`. */
    get,
    /** The newest value; undefined when there is none. */
    read: async (name: string): Promise<Secret | undefined> => (await get(name))?.value,
    /** All secrets of the vault, but for deleted ones. */
    async list(): Promise<AzureSecretState[]> {
      const found: AzureSecretState[] = [];
      let query: Readonly<Record<string, string>> | undefined = { maxresults: "25" };
      while (query !== undefined) {
        const read: z.infer<typeof listed> = readAnswer(
          listed,
          await send({ method: "GET", path: ["secrets"], query, expect: [200] }),
        );
        found.push(...(read.value ?? []).map(stateOf));
        query = queryOf(read.nextLink);
      }
      return found;
    },
    /** True when a deleted one keeps the name; false also where the right to see that is missing. */
    async isDeleted(name: string): Promise<boolean> {
      const answer = await send({ method: "GET", path: ["deletedsecrets", name], expect: [200, 403, 404] });
      return answer.status === 200;
    },
    /** Makes a version, each time that it is called. */
    async set(name: string, value: Secret, rest: Omit<AzureSecretState, "name" | "version" | "isManaged">) {
      const { enabled, exp, nbf } = rest.attributes;
      const contentType = rest.contentType === undefined ? {} : { contentType: rest.contentType };
      const json = { value, tags: rest.tags, ...contentType, attributes: { enabled, exp, nbf } };
      await send({ method: "PUT", path: ["secrets", name], body: { json }, expect: [200] });
    },
    /** Replaces the tags of a version, and leaves everything else. */
    async setTags(name: string, version: string, tags: Readonly<Record<string, string>>): Promise<void> {
      await send({ method: "PATCH", path: ["secrets", name, version], body: { json: { tags } }, expect: [200] });
    },
    async delete(name: string): Promise<void> {
      await send({ method: "DELETE", path: ["secrets", name], expect: [200, 404] });
    },
  };
}

function createVaultClient(where: AzureSecretsConnection, access: ServiceAccess) {
  const { hostname } = new URL(where.vault);
  const cloud = clouds.find(({ host }) => hostname.endsWith(host)) ?? clouds[0];
  const login = { endpoint: where.login ?? `https://${cloud.login}`, scope: cloud.scope };
  const token = createAzureTokens(where.credentials, login, access);
  const http = createTargetClient("azure-key-vault", {
    baseUrl: where.vault,
    timeoutMs: access.timeoutMs,
    // A deletion or a recovery is under way, or was done meanwhile: the next look tells.
    classify: (status) => (status === 409 ? "transient" : undefined),
  });
  return async (request: HttpRequest): Promise<HttpAnswer> =>
    await http.send({
      ...request,
      query: { ...request.query, "api-version": where.api_version },
      headers: { authorization: printBearer(await token()) },
    });
}

/** Of the address of the next page only the query is taken: it may not lead elsewhere. */
function queryOf(link: string | null | undefined): Readonly<Record<string, string>> | undefined {
  return typeof link === "string" && URL.canParse(link) ? Object.fromEntries(new URL(link).searchParams) : undefined;
}

/** An id is `VAULT/secrets/NAME`, with `/VERSION` where one is meant. */
function stateOf(read: z.infer<typeof bundle>): AzureSecretState {
  const [name = "", version] = read.id.replace(/^.*\/secrets\//, "").split("/");
  return {
    name,
    version,
    tags: read.tags ?? {},
    contentType: read.contentType ?? undefined,
    attributes: read.attributes ?? {},
    isManaged: read.managed === true,
  };
}
