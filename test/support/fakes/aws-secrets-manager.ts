import { refuseAws, startFakeAws, type AwsFields } from "./aws-json.ts";
import type { ApiReply, DescribedApi } from "./described-api.ts";

interface HeldVersion {
  readonly value: { readonly SecretString?: string; readonly SecretBinary?: string };
  readonly stages: Set<string>;
}

export interface HeldAwsSecret {
  readonly versions: Map<string, HeldVersion>;
  readonly tags: Map<string, string>;
  readonly kmsKey: string | undefined;
  deletedAt: number | undefined;
  isRotated: boolean;
}

export interface FakeAwsSecrets extends DescribedApi {
  readonly secrets: Map<string, HeldAwsSecret>;
  /** Puts one there as a person would in the console. */
  put(name: string, text: string): void;
  current(name: string): HeldVersion["value"] | undefined;
  /** Actions that the keys may not call. */
  readonly denied: Set<string>;
}

const maxBytes = 65_536;
const maxTagLength = 256;

/** AWS Secrets Manager by its API reference (2017-10-17): staging labels, tokens, sizes and scheduled deletions. */
export async function startFakeAwsSecrets(): Promise<FakeAwsSecrets> {
  const secrets = new Map<string, HeldAwsSecret>();
  const denied = new Set<string>();
  let made = 0;
  const id = (fields: AwsFields) => String(fields["SecretId"]);
  const find = (fields: AwsFields) => secrets.get(id(fields));
  const currentOf = (secret: HeldAwsSecret) => [...secret.versions].find(([, it]) => it.stages.has("AWSCURRENT"));

  const valueOf = ({ SecretString: text, SecretBinary: binary }: AwsFields): HeldVersion["value"] | undefined => {
    const size = typeof text === "string" ? Buffer.byteLength(text) : Buffer.from(String(binary), "base64").length;
    if (size === 0 || size > maxBytes || (text === undefined) === (binary === undefined)) return undefined;
    return typeof text === "string" ? { SecretString: text } : { SecretBinary: String(binary) };
  };
  const tagsOf = (fields: AwsFields) => (fields["Tags"] ?? []) as readonly { Key: string; Value: string }[];
  const move = (secret: HeldAwsSecret, label: string, to: string) => {
    const holder = [...secret.versions].find(([, it]) => it.stages.has(label));
    if (label === "AWSCURRENT" && holder !== undefined && holder[0] !== to) {
      for (const version of secret.versions.values()) version.stages.delete("AWSPREVIOUS");
      holder[1].stages.add("AWSPREVIOUS");
    }
    holder?.[1].stages.delete(label);
    secret.versions.get(to)?.stages.add(label);
    if (label === "AWSCURRENT") secret.versions.get(to)?.stages.delete("AWSPREVIOUS");
  };
  const show = (name: string, secret: HeldAwsSecret) => ({
    Name: name,
    ARN: `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${name}-aBcDeF`,
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    LastChangedDate: 1_767_225_600.123,
    RotationEnabled: secret.isRotated,
    ...(secret.deletedAt === undefined ? {} : { DeletedDate: secret.deletedAt }),
  });
  const stagesOf = (secret: HeldAwsSecret) =>
    Object.fromEntries([...secret.versions].map(([version, { stages }]) => [version, [...stages]]));
  /** With the secret; refused as the service refuses one that is not there, or is to be deleted. */
  const withSecret = (work: (secret: HeldAwsSecret, fields: AwsFields) => ApiReply) => (fields: AwsFields) => {
    const secret = find(fields);
    if (secret === undefined) return refuseAws("ResourceNotFoundException");
    return secret.deletedAt === undefined ? work(secret, fields) : refuseAws("InvalidRequestException");
  };
  const done = (json: unknown = {}): ApiReply => ({ status: 200, json });
  const hasGoodTags = (fields: AwsFields) => tagsOf(fields).every(({ Value }) => Value.length <= maxTagLength);
  /** The same token and value again is nothing new; another value is refused. */
  const addVersion = (secret: HeldAwsSecret, fields: AwsFields, labels: readonly string[]): ApiReply => {
    const [value, token] = [valueOf(fields), String(fields["ClientRequestToken"])];
    if (value === undefined || !/^[\w-]{32,64}$/.test(token)) return refuseAws("InvalidParameterException");
    const there = secret.versions.get(token);
    if (there !== undefined && JSON.stringify(there.value) !== JSON.stringify(value)) {
      return refuseAws("ResourceExistsException");
    }
    if (there === undefined) {
      secret.versions.set(token, { value, stages: new Set() });
      for (const label of labels) move(secret, label, token);
    }
    return done({ VersionId: token });
  };

  const actions = {
    CreateSecret: {
      fields: ["Name", "ClientRequestToken", "SecretString", "SecretBinary", "Tags", "KmsKeyId", "Description"],
      answer(fields: AwsFields): ApiReply {
        const name = String(fields["Name"]);
        if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name) || !hasGoodTags(fields))
          return refuseAws("InvalidParameterException");
        const there = secrets.get(name);
        if (there?.deletedAt !== undefined) return refuseAws("InvalidRequestException");
        const isAgain = there?.versions.has(String(fields["ClientRequestToken"])) === true;
        if (there !== undefined && !isAgain) return refuseAws("ResourceExistsException");
        const kms = fields["KmsKeyId"];
        const secret = there ?? {
          versions: new Map(),
          tags: new Map(tagsOf(fields).map(({ Key, Value }) => [Key, Value])),
          kmsKey: typeof kms === "string" ? kms : undefined,
          deletedAt: undefined,
          isRotated: false,
        };
        const reply = addVersion(secret, fields, ["AWSCURRENT"]);
        if (reply.status === 200) secrets.set(name, secret);
        return reply;
      },
    },
    PutSecretValue: {
      fields: ["SecretId", "ClientRequestToken", "SecretString", "SecretBinary", "VersionStages"],
      answer: withSecret((secret, fields) =>
        addVersion(secret, fields, (fields["VersionStages"] as readonly string[] | undefined) ?? ["AWSCURRENT"]),
      ),
    },
    UpdateSecretVersionStage: {
      fields: ["SecretId", "VersionStage", "MoveToVersionId", "RemoveFromVersionId"],
      answer: withSecret((secret, fields) => {
        const [label, to] = [String(fields["VersionStage"]), String(fields["MoveToVersionId"])];
        const from = secret.versions.get(String(fields["RemoveFromVersionId"]));
        if (from?.stages.has(label) !== true || !secret.versions.has(to)) return refuseAws("InvalidParameterException");
        move(secret, label, to);
        return done();
      }),
    },
    GetSecretValue: {
      fields: ["SecretId", "VersionId", "VersionStage"],
      answer: withSecret((secret) => {
        const current = currentOf(secret);
        if (current === undefined) return refuseAws("ResourceNotFoundException");
        return done({ VersionId: current[0], VersionStages: [...current[1].stages], ...current[1].value });
      }),
    },
    DescribeSecret: {
      fields: ["SecretId"],
      answer(fields: AwsFields): ApiReply {
        const secret = find(fields);
        if (secret === undefined) return refuseAws("ResourceNotFoundException");
        return done({ ...show(id(fields), secret), VersionIdsToStages: stagesOf(secret) });
      },
    },
    ListSecrets: {
      fields: ["Filters", "MaxResults", "NextToken", "IncludePlannedDeletion", "SortOrder"],
      answer(fields: AwsFields): ApiReply {
        const filters = fields["Filters"] as readonly { Key: string; Values: readonly string[] }[];
        const isIn = (name: string, { tags }: HeldAwsSecret, { Key, Values }: (typeof filters)[number]) =>
          Values.some((it) =>
            Key === "name" ? name.startsWith(it) : [...tags.keys()].some((tag) => tag.startsWith(it)),
          );
        const all = [...secrets].filter(([, it]) => it.deletedAt === undefined);
        const found = all.filter(([name, it]) => filters.every((filter) => isIn(name, it, filter)));
        // Small pages, so that there are some.
        const start = Number(fields["NextToken"] ?? 0);
        const page = found.slice(start, start + 2);
        const next = start + 2 < found.length ? { NextToken: String(start + 2) } : {};
        const SecretList = page.map(([name, it]) => ({ ...show(name, it), SecretVersionsToStages: stagesOf(it) }));
        return done({ SecretList, ...next });
      },
    },
    TagResource: {
      fields: ["SecretId", "Tags"],
      answer: withSecret((secret, fields) => {
        if (!hasGoodTags(fields)) return refuseAws("InvalidParameterException");
        for (const { Key, Value } of tagsOf(fields)) secret.tags.set(Key, Value);
        return done();
      }),
    },
    DeleteSecret: {
      fields: ["SecretId", "RecoveryWindowInDays", "ForceDeleteWithoutRecovery"],
      answer: withSecret((secret) => {
        secret.deletedAt = 1_769_817_600;
        return done();
      }),
    },
  };
  const guarded = Object.entries(actions).map(([name, action]) => {
    const answer = (fields: AwsFields) =>
      denied.has(name) ? refuseAws("AccessDeniedException") : action.answer(fields);
    return [name, { fields: action.fields, answer }] as const;
  });
  const api = await startFakeAws({
    service: "secretsmanager",
    target: "secretsmanager",
    actions: Object.fromEntries(guarded),
  });
  return {
    ...api,
    secrets,
    denied,
    put(name, text) {
      const fresh = { versions: new Map(), tags: new Map([["team", "test"]]), kmsKey: undefined };
      const secret = secrets.get(name) ?? { ...fresh, deletedAt: undefined, isRotated: false };
      const version = `test-version-of-somebody-else-${String(++made).padStart(6, "0")}`;
      secret.versions.set(version, { value: { SecretString: text }, stages: new Set() });
      move(secret, "AWSCURRENT", version);
      secrets.set(name, secret);
    },
    current(name) {
      const secret = secrets.get(name);
      return secret === undefined ? undefined : currentOf(secret)?.[1].value;
    },
  };
}
