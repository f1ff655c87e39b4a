import { z } from "zod";
import { Secret } from "../secret/secret.ts";
import { createAwsJson } from "./aws-json.ts";
import { awsCredentials, awsEndpoint, awsHosts, awsRegion } from "./aws-keys.ts";
import { createAwsKeys } from "./aws-session.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** What says which Secrets Manager, and who asks: fields for an object of options. */
export const awsSecretsConnection = {
  region: awsRegion,
  credentials: awsCredentials,
  endpoint: serviceEndpoint(...awsHosts).exactOptional(),
};
const connection = z.object(awsSecretsConnection);
export type AwsSecretsConnection = z.infer<typeof connection>;

/** A secret without its value. */
export interface AwsSecretState {
  readonly name: string;
  readonly tags: ReadonlyMap<string, string>;
  /** The version that has the label AWSCURRENT. */
  readonly current: string | undefined;
  readonly changedAtMs: number | undefined;
  /** Set when a deletion is scheduled. */
  readonly isDeleted: boolean;
  /** Amazon changes its value: it rotates it, or a service owns it. */
  readonly isManaged: boolean;
}

const seconds = z.number().transform((it) => Math.round(it * 1000));
const tags = z.array(z.object({ Key: z.string(), Value: z.string().default("") })).nullish();
const described = z.object({
  Name: z.string(),
  Tags: tags,
  VersionIdsToStages: z.record(z.string(), z.array(z.string())).nullish(),
  SecretVersionsToStages: z.record(z.string(), z.array(z.string())).nullish(),
  LastChangedDate: seconds.nullish(),
  DeletedDate: z.number().nullish(),
  RotationEnabled: z.boolean().nullish(),
  OwningService: z.string().nullish(),
});
const listed = z.object({ SecretList: z.array(described), NextToken: z.string().nullish() });
const valued = z.object({
  SecretString: z.string().nullish(),
  SecretBinary: z.base64().nullish(),
  VersionId: z.string().nullish(),
});

/** AWS Secrets Manager (API version 2017-10-17). Every call throws ProviderFailure. */
export function createAwsSecrets(where: AwsSecretsConnection, access: ServiceAccess) {
  const { region, endpoint = awsEndpoint("secretsmanager", region) } = where;
  const service = { name: "secretsmanager", target: "secretsmanager", region, endpoint, page } as const;
  const call = createAwsJson(service, createAwsKeys(where.credentials, region, access), access);

  /** The current value with its version; undefined when there is none. */
  async function readVersion(name: string): Promise<{ value: Secret; version: string | undefined } | undefined> {
    const { code, answer } = await call("GetSecretValue", { SecretId: name, VersionStage: "AWSCURRENT" }, [missing]);
    if (code !== undefined) return undefined;
    const { SecretString: text, SecretBinary: bytes, VersionId: version } = readAnswer(valued, answer);
    if (typeof text === "string") return { value: Secret.text(text), version: version ?? undefined };
    return { value: Secret.of(Buffer.from(bytes ?? "", "base64"), "binary"), version: version ?? undefined };
  }

  return {
    readVersion,
    /** The current value; undefined when there is none. */
    read: async (name: string): Promise<Secret | undefined> => (await readVersion(name))?.value,
    /** Undefined when there is no secret of the name. */
    async describe(name: string): Promise<AwsSecretState | undefined> {
      const { code, answer } = await call("DescribeSecret", { SecretId: name }, [missing]);
      return code === undefined ? stateOf(readAnswer(described, answer)) : undefined;
    },
    /** Secrets whose names begin with `prefix` and that have a tag, but for those that are to be deleted. */
    async list(prefix: string, tag: string): Promise<AwsSecretState[]> {
      const wanted = [{ Key: "tag-key", Values: [tag] }];
      const Filters = prefix === "" ? wanted : [...wanted, { Key: "name", Values: [prefix] }];
      const found: AwsSecretState[] = [];
      for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
        const page = token === undefined ? {} : { NextToken: token };
        const { answer } = await call("ListSecrets", { Filters, MaxResults: 100, ...page });
        const read = readAnswer(listed, answer);
        found.push(...read.SecretList.map(stateOf));
        token = read.NextToken ?? undefined;
      }
      // The filter of names is not for case, and takes words of them too.
      return found.filter((it) => it.name.startsWith(prefix) && it.tags.has(tag) && !it.isDeleted);
    },
    /** False when there is one of the name already. With the same token again it does nothing. */
    async create(name: string, value: Secret, token: string, more: { tags: AwsTags; kmsKey: string | undefined }) {
      const kms = more.kmsKey === undefined ? {} : { KmsKeyId: more.kmsKey };
      const fields = { Name: name, ClientRequestToken: token, Tags: printAwsTags(more.tags), ...kms };
      const { code } = await call("CreateSecret", { ...fields, ...printValue(value) }, ["ResourceExistsException"]);
      return code === undefined;
    },
    /** Makes a version with the label `stage`, or the current one without. With the same token again it does nothing. */
    async put(name: string, value: Secret, token: string, stage?: string): Promise<void> {
      const stages = stage === undefined ? {} : { VersionStages: [stage] };
      await call("PutSecretValue", { SecretId: name, ClientRequestToken: token, ...stages, ...printValue(value) });
    },
    /** Makes `to` the current version; false when `from` is not, and nothing was done. */
    async moveCurrent(name: string, to: string, from: string): Promise<boolean> {
      const versions = { MoveToVersionId: to, RemoveFromVersionId: from };
      const fields = { SecretId: name, VersionStage: "AWSCURRENT", ...versions };
      const { code } = await call("UpdateSecretVersionStage", fields, ["InvalidParameterException"]);
      return code === undefined;
    },
    async tag(name: string, added: AwsTags): Promise<void> {
      await call("TagResource", { SecretId: name, Tags: printAwsTags(added) });
    },
    /** Schedules its deletion, after so many days; false when Amazon refuses, as it does for one that is scheduled. */
    async delete(name: string, days: number): Promise<boolean> {
      const fields = { SecretId: name, RecoveryWindowInDays: days };
      const { code } = await call("DeleteSecret", fields, [missing, "InvalidRequestException"]);
      return code !== "InvalidRequestException";
    },
  };
}
export type AwsSecrets = ReturnType<typeof createAwsSecrets>;

export type AwsTags = Readonly<Record<string, string>>;

const page = "docs/targets/aws-secrets-manager.md";
const missing = "ResourceNotFoundException";

/** As Amazon's APIs take tags. */
export function printAwsTags(added: AwsTags): { Key: string; Value: string }[] {
  return Object.entries(added).map(([Key, Value]) => ({ Key, Value }));
}

function printValue(value: Secret): Record<string, string> {
  const text = value.kind === "text" ? value.revealText() : undefined;
  return text === undefined ? { SecretBinary: Buffer.from(value.reveal()).toString("base64") } : { SecretString: text };
}

function stateOf(read: z.infer<typeof described>): AwsSecretState {
  const stages = Object.entries(read.VersionIdsToStages ?? read.SecretVersionsToStages ?? {});
  return {
    name: read.Name,
    tags: new Map(read.Tags?.map(({ Key, Value }) => [Key, Value])),
    current: stages.find(([, labels]) => labels.includes("AWSCURRENT"))?.[0],
    changedAtMs: read.LastChangedDate ?? undefined,
    isDeleted: typeof read.DeletedDate === "number",
    isManaged: read.RotationEnabled === true || typeof read.OwningService === "string",
  };
}
