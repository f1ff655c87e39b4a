import { refuseAws, startFakeAws, type AwsFields } from "./aws-json.ts";
import type { ApiReply, DescribedApi } from "./described-api.ts";

interface HeldParameter {
  value: string;
  version: number;
  settings: Readonly<Record<string, string>>;
  readonly tags: Map<string, string>;
}

export interface FakeSsm extends DescribedApi {
  readonly parameters: Map<string, HeldParameter>;
  /** Puts one there as a person would in the console. */
  put(name: string, value: string, settings?: Readonly<Record<string, string>>): void;
}

const kept = ["Type", "KeyId", "Description", "AllowedPattern", "Tier", "DataType"];
const maxBytes: Readonly<Record<string, number>> = { Standard: 4096, Advanced: 8192 };

/**
 * Parameter Store by its API reference (2014-11-06). An overwrite keeps nothing of what it is not
 * told, takes no tags, and does not take a parameter of the higher tier to the lower one.
 */
export async function startFakeSsm(): Promise<FakeSsm> {
  const parameters = new Map<string, HeldParameter>();
  const done = (json: unknown = {}): ApiReply => ({ status: 200, json });
  const show = (name: string, { value, version, settings }: HeldParameter) => ({
    Name: name,
    Type: settings["Type"],
    Value: value,
    Version: version,
    LastModifiedDate: 1_767_225_600.5,
  });
  const tagsOf = (fields: AwsFields) => (fields["Tags"] ?? []) as readonly { Key: string; Value: string }[];
  /** Two on a page, so that there are some. */
  const paged = (all: readonly unknown[], fields: AwsFields): ApiReply => {
    const start = Number(fields["NextToken"] ?? 0);
    const next = start + 2 < all.length ? { NextToken: String(start + 2) } : {};
    return done({ Parameters: all.slice(start, start + 2), ...next });
  };

  function put(fields: AwsFields): ApiReply {
    const [name, value] = [String(fields["Name"]), String(fields["Value"])];
    const given = kept.flatMap((it) => (typeof fields[it] === "string" ? [[it, fields[it]]] : []));
    const settings = { Tier: "Standard", ...Object.fromEntries(given) } as Readonly<Record<string, string>>;
    const there = parameters.get(name);
    const isNamed = /^(?:\/[A-Za-z0-9_.-]+){1,15}$/.test(name) && !/^\/(?:aws|ssm)/i.test(name) && name.length <= 1011;
    const isFit = value !== "" && Buffer.byteLength(value) <= (maxBytes[settings["Tier"] ?? ""] ?? 0);
    if (!isNamed || !isFit) return refuseAws("ValidationException");
    if (there !== undefined && fields["Overwrite"] !== true) return refuseAws("ParameterAlreadyExists");
    if (fields["Overwrite"] === true && tagsOf(fields).length > 0) return refuseAws("ValidationException");
    if (there !== undefined && there.settings["Type"] !== settings["Type"]) {
      return refuseAws("HierarchyTypeMismatchException");
    }
    if (there?.settings["Tier"] === "Advanced" && settings["Tier"] === "Standard") {
      return refuseAws("ValidationException");
    }
    const tags = there?.tags ?? new Map(tagsOf(fields).map(({ Key, Value }) => [Key, Value]));
    parameters.set(name, { value, version: (there?.version ?? 0) + 1, settings, tags });
    return done({ Version: (there?.version ?? 0) + 1 });
  }

  const api = await startFakeAws({
    service: "ssm",
    target: "AmazonSSM",
    actions: {
      PutParameter: { fields: ["Name", "Value", "Overwrite", "Tags", "Policies", ...kept], answer: put },
      GetParameter: {
        fields: ["Name", "WithDecryption"],
        answer(fields) {
          const held = parameters.get(String(fields["Name"]));
          const isOpen = fields["WithDecryption"] === true;
          if (held === undefined || !isOpen) return refuseAws("ParameterNotFound");
          return done({ Parameter: show(String(fields["Name"]), held) });
        },
      },
      GetParametersByPath: {
        fields: ["Path", "Recursive", "WithDecryption", "MaxResults", "NextToken", "ParameterFilters"],
        answer(fields) {
          if (Number(fields["MaxResults"]) > 10) return refuseAws("ValidationException");
          const prefix = `${String(fields["Path"])}/`;
          const below = [...parameters].filter(
            ([name]) => name.startsWith(prefix) && !name.slice(prefix.length).includes("/"),
          );
          return paged(
            below.map(([name, it]) => show(name, it)),
            fields,
          );
        },
      },
      DescribeParameters: {
        fields: ["ParameterFilters", "MaxResults", "NextToken"],
        answer(fields) {
          const [filter] = fields["ParameterFilters"] as readonly { readonly Values: readonly string[] }[];
          const found = [...parameters].filter(([name]) => filter?.Values.includes(name) === true);
          return paged(
            found.map(([Name, { settings, version }]) => ({ Name, Version: version, ...settings })),
            fields,
          );
        },
      },
      ListTagsForResource: {
        fields: ["ResourceType", "ResourceId"],
        answer(fields) {
          const held = parameters.get(String(fields["ResourceId"]));
          if (held === undefined) return refuseAws("InvalidResourceId");
          return done({ TagList: [...held.tags].map(([Key, Value]) => ({ Key, Value })) });
        },
      },
      AddTagsToResource: {
        fields: ["ResourceType", "ResourceId", "Tags"],
        answer(fields) {
          const held = parameters.get(String(fields["ResourceId"]));
          if (held === undefined) return refuseAws("InvalidResourceId");
          for (const { Key, Value } of tagsOf(fields)) held.tags.set(Key, Value);
          return done();
        },
      },
      DeleteParameter: {
        fields: ["Name"],
        answer: (fields) => (parameters.delete(String(fields["Name"])) ? done() : refuseAws("ParameterNotFound")),
      },
    },
  });
  return {
    ...api,
    parameters,
    put(name, value, settings = { Type: "SecureString", Tier: "Standard" }) {
      const there = parameters.get(name);
      const tags = there?.tags ?? new Map([["team", "test"]]);
      parameters.set(name, { value, version: (there?.version ?? 0) + 1, settings, tags });
    },
  };
}
