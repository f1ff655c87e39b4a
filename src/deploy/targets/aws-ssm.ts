import { z } from "zod";
import { awsAccountOptions, checkAwsAccount } from "../../services/aws-account.ts";
import { awsReferences } from "../../services/aws-keys.ts";
import { awsParametersConnection, createAwsParameters, type AwsParameter } from "../../services/aws-parameters.ts";
import { mapLimit } from "../../services/map-limit.ts";
import { applyEach } from "./apply-each.ts";
import { findMarkTags, isSameMark, printMarkTags } from "./mark-tags.ts";
import { parallelLooks } from "./permitted-reader.ts";
import type { Found, Item, OpenTarget, Target } from "./target.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { hasSameBytes, overtaken, refuseEmpty, refuseUnfit } from "./write-checks.ts";

const options = z.strictObject({
  ...awsParametersConnection,
  ...awsAccountOptions,
  /** What stands before `/NAME`. */
  path: z
    .string()
    .regex(/^(?:\/[A-Za-z0-9_.-]+){1,14}$/)
    .regex(/^\/(?!aws|ssm)/i, "the path cannot begin with aws or ssm")
    .max(512),
  /** Of new parameters: `standard` takes 4 KB and costs nothing, `advanced` takes 8 KB. */
  tier: z.enum(["standard", "advanced"]).default("standard"),
  /** What a new parameter is encrypted with in place of Amazon's own key: an id, an ARN or an alias. */
  kms_key: z
    .string()
    .regex(/^[A-Za-z0-9:/_-]{1,2048}$/)
    .exactOptional(),
});
type AwsSsmOptions = z.infer<typeof options>;

const maxBytes = { standard: 4096, advanced: 8192 } as const;
/** A name has 1,011 characters with the ARN before it. */
const maxNameLength = 900;

/** Parameters of AWS Systems Manager, as SecureString (API version 2014-11-06). */
export const awsSsmTarget: Target<AwsSsmOptions> = {
  describe: "parameters of AWS Systems Manager Parameter Store",
  options,
  facts: ({ path, tier }) => ({
    readsBack: true,
    keepsMarks: true,
    hasVersions: true,
    comparesAndSwaps: false,
    nameRule: {
      pattern: /^[A-Za-z0-9_.-]+$/,
      says: "letters, digits and _ . -",
      maxLength: maxNameLength - path.length - 1,
      ignoresCase: false,
    },
    maxValueBytes: maxBytes[tier],
    holdsBinary: false,
    needsAfterwards: "programs that keep a value they have read must read it again",
  }),
  references: ({ credentials }) => awsReferences(credentials),
  place: ({ account, region, path }) =>
    `AWS Parameter Store${account === undefined ? "" : ` of ${account}`}, ${region}, ${path}/*`,
  toName: (name) => name,
  async open(checked, access) {
    await checkAwsAccount(checked, "docs/targets/aws-ssm.md", access);
    return openParameters(checked, access);
  },
};

function openParameters(checked: AwsSsmOptions, access: ServiceAccess): OpenTarget {
  const { path, tier, kms_key: kmsKey } = checked;
  const client = createAwsParameters(checked, access);
  const idOf = (name: string) => `${path}/${name}`;
  const fresh = {
    Type: "SecureString",
    Tier: tier === "advanced" ? "Advanced" : "Standard",
    ...(kmsKey === undefined ? {} : { KeyId: kmsKey }),
  };

  async function look({ name: id, value, version, changedAtMs, isSecure }: AwsParameter): Promise<Found> {
    const mark = findMarkTags(await client.readTags(id));
    const found = { name: id.slice(idOf("").length), mark, revision: String(version), changedAtMs };
    if (isSecure) return { ...found, value };
    const command = `aws ssm delete-parameter --region ${checked.region} --name ${id}`;
    return { ...found, blocked: `it is not encrypted, and Amazon changes no type; to have it made anew: ${command}` };
  }
  async function write(item: Item): Promise<void> {
    refuseEmpty(item, "Parameter Store");
    refuseUnfit(item, maxBytes[tier], `a parameter of the tier ${tier}`);
    const [id, tags] = [idOf(item.name), printMarkTags(item.mark)];
    if (item.found === undefined && (await client.create(id, item.value, fresh, tags))) return;
    if (item.found === undefined) await refuseForeign(item);
    if (!hasSameBytes(item.found?.value, item.value)) await overwrite(id, item);
    if (!isSameMark(item.found?.mark, item.mark)) await client.tag(id, tags);
  }
  /** What it has beside its value is sent again: a new version would lose it. */
  async function overwrite(id: string, { value }: Item): Promise<void> {
    const settings = await client.readSettings(id);
    if (settings === undefined) throw overtaken();
    // A tier goes up alone, and a parameter of the higher one would be refused the lower.
    const raised = tier === "advanced" ? { Tier: fresh.Tier } : {};
    await client.overwrite(id, value, { ...settings, ...raised });
  }
  async function refuseForeign(item: Item): Promise<void> {
    const mark = findMarkTags(await client.readTags(idOf(item.name)));
    if (mark?.address !== item.mark.address) throw overtaken();
  }

  return {
    async inspect(names) {
      const found = await mapLimit(await client.readPath(path), parallelLooks, look);
      return found.filter(({ name, mark }) => names.includes(name) || mark !== undefined);
    },
    apply: async (change, progress) =>
      await applyEach(change, progress, { write, remove: async ({ name }) => await client.delete(idOf(name)) }),
    close: () => Promise.resolve(),
  };
}
