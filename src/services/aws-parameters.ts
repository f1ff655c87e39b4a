import { z } from "zod";
import { Secret } from "../secret/secret.ts";
import { createAwsJson } from "./aws-json.ts";
import { awsCredentials, awsEndpoint, awsHosts, awsRegion } from "./aws-keys.ts";
import { createAwsKeys } from "./aws-session.ts";
import { printAwsTags, type AwsTags } from "./aws-secrets.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** What says which Parameter Store, and who asks: fields for an object of options. */
export const awsParametersConnection = {
  region: awsRegion,
  credentials: awsCredentials,
  endpoint: serviceEndpoint(...awsHosts).exactOptional(),
};
const connection = z.object(awsParametersConnection);
export type AwsParametersConnection = z.infer<typeof connection>;

/** A parameter and its value. */
export interface AwsParameter {
  readonly name: string;
  readonly value: Secret;
  readonly version: number;
  readonly changedAtMs: number | undefined;
  /** It is kept encrypted. */
  readonly isSecure: boolean;
}

/** What a parameter has beside its value, as it is sent again with the next one: a write without sets it back. */
export type AwsParameterSettings = Readonly<Record<string, string>>;

const parameter = z.object({
  Name: z.string(),
  Value: z.string(),
  Type: z.string(),
  Version: z.number(),
  LastModifiedDate: z.number().nullish(),
});
const one = z.object({ Parameter: parameter });
const paged = z.object({ Parameters: z.array(parameter), NextToken: z.string().nullish() });
const described = z.object({
  Parameters: z.array(
    z.object({
      Name: z.string(),
      Type: z.string(),
      KeyId: z.string().nullish(),
      Description: z.string().nullish(),
      AllowedPattern: z.string().nullish(),
      Tier: z.string().nullish(),
      DataType: z.string().nullish(),
      Policies: z.array(z.object({ PolicyText: z.string() })).nullish(),
    }),
  ),
  NextToken: z.string().nullish(),
});
const tagged = z.object({ TagList: z.array(z.object({ Key: z.string(), Value: z.string().default("") })).nullish() });

/** Parameter Store of AWS Systems Manager (API version 2014-11-06). Every call throws ProviderFailure. */
export function createAwsParameters(where: AwsParametersConnection, access: ServiceAccess) {
  const { region, endpoint = awsEndpoint("ssm", region) } = where;
  const service = { name: "ssm", target: "AmazonSSM", region, endpoint, page } as const;
  const call = createAwsJson(service, createAwsKeys(where.credentials, region, access), access);

  /** All pages of an action. */
  async function pages<T extends { readonly NextToken?: string | null | undefined }>(
    action: string,
    fields: Readonly<Record<string, unknown>>,
    schema: z.ZodType<T>,
  ): Promise<T[]> {
    const found: T[] = [];
    for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
      const page = token === undefined ? {} : { NextToken: token };
      const read = readAnswer(schema, (await call(action, { ...fields, ...page })).answer);
      found.push(read);
      token = read.NextToken ?? undefined;
    }
    return found;
  }

  return {
    /** The value of a parameter; undefined when there is none of the name. */
    async read(name: string): Promise<Secret | undefined> {
      const { code, answer } = await call("GetParameter", { Name: name, WithDecryption: true }, [missing]);
      return code === undefined ? Secret.text(readAnswer(one, answer).Parameter.Value) : undefined;
    },
    /** All parameters directly below a path, with their values. */
    async readPath(path: string): Promise<AwsParameter[]> {
      const fields = { Path: path, Recursive: false, WithDecryption: true, MaxResults: 10 };
      const found = await pages("GetParametersByPath", fields, paged);
      return found.flatMap((it) => it.Parameters).map(parameterOf);
    },
    /** What one has beside its value; undefined when there is none of the name. */
    async readSettings(name: string): Promise<AwsParameterSettings | undefined> {
      const ParameterFilters = [{ Key: "Name", Option: "Equals", Values: [name] }];
      const found = await pages("DescribeParameters", { ParameterFilters, MaxResults: 50 }, described);
      const [settings] = found.flatMap((it) => it.Parameters).filter((it) => it.Name === name);
      return settings === undefined ? undefined : settingsOf(settings);
    },
    async readTags(name: string): Promise<ReadonlyMap<string, string>> {
      const { answer } = await call("ListTagsForResource", { ResourceType: "Parameter", ResourceId: name });
      return new Map(readAnswer(tagged, answer).TagList?.map(({ Key, Value }) => [Key, Value]));
    },
    /** False when there is one of the name already. */
    async create(name: string, value: Secret, settings: AwsParameterSettings, tags: AwsTags): Promise<boolean> {
      const fields = { ...settings, Name: name, Value: textOf(value), Overwrite: false, Tags: printAwsTags(tags) };
      return (await call("PutParameter", fields, ["ParameterAlreadyExists"])).code === undefined;
    },
    async overwrite(name: string, value: Secret, settings: AwsParameterSettings): Promise<void> {
      await call("PutParameter", { ...settings, Name: name, Value: textOf(value), Overwrite: true });
    },
    async tag(name: string, added: AwsTags): Promise<void> {
      const fields = { ResourceType: "Parameter", ResourceId: name, Tags: printAwsTags(added) };
      await call("AddTagsToResource", fields);
    },
    async delete(name: string): Promise<void> {
      await call("DeleteParameter", { Name: name }, [missing]);
    },
  };
}

const page = "docs/targets/aws-ssm.md";
const missing = "ParameterNotFound";

/** Values are text: what is none is refused before it comes here. */
function textOf(value: Secret): string {
  return value.revealText() ?? "";
}

function parameterOf({ Name, Value, Type, Version, LastModifiedDate }: z.infer<typeof parameter>): AwsParameter {
  const changedAtMs = typeof LastModifiedDate === "number" ? Math.round(LastModifiedDate * 1000) : undefined;
  return { name: Name, value: Secret.text(Value), version: Version, changedAtMs, isSecure: Type === "SecureString" };
}

function settingsOf(read: z.infer<typeof described>["Parameters"][number]): AwsParameterSettings {
  const { Type, KeyId, Description, AllowedPattern, Tier, DataType } = read;
  const policies = read.Policies?.map(({ PolicyText }) => PolicyText) ?? [];
  const Policies = policies.length === 0 ? undefined : `[${policies.join(",")}]`;
  const all = { Type, KeyId, Description, AllowedPattern, Tier, DataType, Policies };
  return Object.fromEntries(Object.entries(all).filter((it): it is [string, string] => typeof it[1] === "string"));
}
