import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { awsAccountOptions, checkAwsAccount } from "../../services/aws-account.ts";
import { awsReferences } from "../../services/aws-keys.ts";
import {
  awsSecretsConnection,
  createAwsSecrets,
  type AwsSecrets,
  type AwsSecretState,
} from "../../services/aws-secrets.ts";
import { mapLimit } from "../../services/map-limit.ts";
import { applyEach } from "./apply-each.ts";
import { blockOf, makeCurrent, versionIdOf } from "./aws-secret-version.ts";
import { openAwsObject } from "./aws-secrets-object.ts";
import { addressTag, findMarkTags, isSameMark, printMarkTags, unknownFingerprint } from "./mark-tags.ts";
import { createPermittedReader, parallelLooks } from "./permitted-reader.ts";
import type { Found, Item, Mark, OpenTarget, Target } from "./target.ts";
import { hasSameBytes, overtaken, refuseEmpty } from "./write-checks.ts";

const options = z.strictObject({
  ...awsSecretsConnection,
  ...awsAccountOptions,
  /** `each`: a secret of Amazon for each value. `one`: one, with a JSON object of all values. */
  layout: z.enum(["each", "one"]).default("each"),
  /** What stands before `/NAME`, or the name of the one secret. */
  path: z
    .string()
    .regex(/^\/?[A-Za-z0-9_+=.@-]+(?:\/[A-Za-z0-9_+=.@-]+)*$/)
    .max(256),
  /** What a new secret is encrypted with in place of Amazon's own key: an id, an ARN or an alias. */
  kms_key: z
    .string()
    .regex(/^[A-Za-z0-9:/_-]{1,2048}$/)
    .exactOptional(),
  /** How long a removed secret can be had back. */
  recovery_days: z.int().min(7).max(30).default(30),
});
type AwsSecretsManagerOptions = z.infer<typeof options>;

/** A name of Secrets Manager has 512 characters at most, and a value 65,536 bytes. */
const maxNameLength = 512;
const maxBytes = 65_536;

/** Secrets of AWS Secrets Manager (API version 2017-10-17). */
export const awsSecretsManagerTarget: Target<AwsSecretsManagerOptions> = {
  describe: "secrets of AWS Secrets Manager",
  options,
  facts: ({ layout, path }) => ({
    readsBack: true,
    keepsMarks: layout === "each",
    hasVersions: true,
    comparesAndSwaps: true,
    nameRule:
      layout === "each"
        ? {
            pattern: /^[A-Za-z0-9_+=.@-]+$/,
            says: "letters, digits and _ + = . @ -",
            maxLength: maxNameLength - path.length - 1,
            ignoresCase: false,
          }
        : { pattern: /^[ -~]+$/, says: "letters, digits and signs of ASCII", maxLength: 256, ignoresCase: false },
    maxValueBytes: maxBytes,
    ...(layout === "one" ? { maxTotalBytes: maxBytes } : {}),
    holdsBinary: layout === "each",
    needsAfterwards: "programs that keep a value they have read must read it again",
  }),
  references: ({ credentials }) => awsReferences(credentials),
  place: ({ account, region, path, layout }) =>
    `AWS Secrets Manager${account === undefined ? "" : ` of ${account}`}, ${region}, ${path}${layout === "each" ? "/*" : ""}`,
  toName: (name) => name,
  async open(checked, access) {
    await checkAwsAccount(checked, "docs/targets/aws-secrets-manager.md", access);
    const client = createAwsSecrets(checked, access);
    return checked.layout === "one" ? openAwsObject(client, checked) : openEach(client, checked);
  },
};

function openEach(
  client: AwsSecrets,
  { path, region, kms_key: kmsKey, recovery_days: days }: AwsSecretsManagerOptions,
) {
  const idOf = (name: string) => `${path}/${name}`;
  const read = createPermittedReader(async (name) => await client.readVersion(idOf(name)));

  function foundOf(name: string, state: AwsSecretState): Found {
    const { current: revision, changedAtMs } = state;
    return { name, mark: findMarkTags(state.tags), revision, changedAtMs, blocked: blockOf(state, region) };
  }
  async function look(name: string): Promise<readonly Found[]> {
    const state = await client.describe(idOf(name));
    if (state === undefined) return [];
    const found = foundOf(name, state);
    if (found.blocked !== undefined) return [found];
    const held = await read(name);
    if (held !== undefined) return [{ ...found, value: held.value, revision: held.version ?? found.revision }];
    // A version never changes, and ours has an id that says which value it is.
    const isOurs = found.mark !== undefined && state.current === versionOf(idOf(name), found.mark);
    const mark = found.mark === undefined || isOurs ? found.mark : { ...found.mark, fingerprint: unknownFingerprint };
    return [{ ...found, mark }];
  }
  /** What is there of a secret that was not when it was looked for: ours, or nobody's to write over. */
  async function findMade(item: Item): Promise<Found> {
    const state = await client.describe(idOf(item.name));
    const found = state === undefined ? undefined : foundOf(item.name, state);
    if (found === undefined || found.blocked !== undefined) throw overtaken();
    if (found.mark?.address !== item.mark.address) throw overtaken();
    return found;
  }
  async function write(item: Item): Promise<void> {
    refuseEmpty(item, "AWS Secrets Manager");
    const [id, tags] = [idOf(item.name), printMarkTags(item.mark)];
    const version = versionOf(id, item.mark);
    if (item.found === undefined && (await client.create(id, item.value, version, { tags, kmsKey }))) return;
    const found = item.found ?? (await findMade(item));
    if (!hasSameBytes(found.value, item.value))
      await makeCurrent(client, { id, version, from: found.revision }, item.value);
    if (!isSameMark(found.mark, item.mark)) await client.tag(id, tags);
  }

  async function remove({ name }: Found): Promise<void> {
    if (await client.delete(idOf(name), days)) return;
    if ((await client.describe(idOf(name)))?.isDeleted === true) return;
    throw new ProviderFailure("rejected", "Amazon does not let the secret be removed", {
      hints: ["it may have replicas in other regions"],
    });
  }

  return {
    async inspect(names) {
      const found = (await mapLimit(names, parallelLooks, look)).flat();
      for (const state of await client.list(idOf(""), addressTag)) {
        const name = state.name.slice(idOf("").length);
        if (!names.includes(name) && name !== "" && !name.includes("/")) found.push(foundOf(name, state));
      }
      return found;
    },
    apply: async (change, progress) =>
      await applyEach(change, progress, {
        write,
        remove,
      }),
    close: () => Promise.resolve(),
  } satisfies OpenTarget;
}

/** The version that a value of ours has. */
function versionOf(id: string, { address, fingerprint }: Mark): string {
  return versionIdOf([id, address, fingerprint]);
}
