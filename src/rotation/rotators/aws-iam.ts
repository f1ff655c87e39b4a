import { z } from "zod";
import { ProviderFailure } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { awsCredentials, awsEndpoint, awsHosts, awsReferences, awsRegion } from "../../services/aws-keys.ts";
import { createAwsQuery, type AwsAnswer, type AwsService } from "../../services/aws-query.ts";
import { createAwsKeys } from "../../services/aws-session.ts";
import type { Credential, MintedProvider } from "./provider.ts";
import type { Liveness } from "../../services/liveness.ts";
import type { Rotator } from "./rotator.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import { agreesOnTime, askLiveness } from "../../services/service-answer.ts";
import { serviceEndpoint } from "../../services/service-endpoint.ts";

const options = z.strictObject({
  /** The IAM user whose keys are changed. */
  user: z.string().regex(/^[\w+=,.@-]{1,64}$/),
  admin: awsCredentials,
  region: awsRegion.default("us-east-1"),
  iam_endpoint: serviceEndpoint(...awsHosts).exactOptional(),
  sts_endpoint: serviceEndpoint(...awsHosts).exactOptional(),
});
type AwsIamOptions = z.infer<typeof options>;

const page = "docs/rotators/aws-iam.md";
const maxKeys = 2;
/** How far Amazon's clock and ours may differ: it refuses requests beyond. */
const maxSkewMs = 15 * 60_000;

/** Access keys of an IAM user (IAM API, version 2010-05-08). A user has two at most. */
export const awsIamRotator: Rotator<AwsIamOptions> = {
  name: "aws-iam",
  kind: "minted",
  describe: "the access keys of an IAM user at Amazon",
  options,
  provider: {
    parts: ["secret_access_key", "access_key_id"],
    changing: () => ["secret_access_key", "access_key_id"],
    outage: () => undefined,
    references: ({ admin }) => awsReferences(admin),
    propagationMs: () => 120_000,
    open: async (checked, access) => openAwsIam(checked, access),
  },
};

function openAwsIam({ user, admin, ...where }: AwsIamOptions, access: ServiceAccess): MintedProvider {
  const { iam, sts } = servicesOf(where);
  const keys = createAwsKeys(admin, where.region, access);
  const call = createAwsQuery(iam, keys, access);
  const list = async () => (await call("ListAccessKeys", { UserName: user })).texts("AccessKeyId");
  const setStatus = async (id: string, status: "Active" | "Inactive"): Promise<void> => {
    await call("UpdateAccessKey", { UserName: user, AccessKeyId: id, Status: status });
  };

  return {
    kind: "minted",
    async preflight() {
      const ids = await list();
      const remarks = await Promise.all(
        ids.map(async (id) => remarkOn(id, await call("GetAccessKeyLastUsed", { AccessKeyId: id }, ["AccessDenied"]))),
      );
      if (ids.length < maxKeys) {
        return [...remarks, "whether the administrator may create and delete keys shows only when it does"];
      }
      throw new ProviderFailure("limit", "the user has two access keys already, and Amazon allows no third", {
        hints: [...remarks, "delete the one that nothing uses: aws iam delete-access-key"],
      });
    },
    async identify(parts) {
      const id = parts["access_key_id"]?.revealText()?.trim() ?? "";
      return (await list()).includes(id) ? { id, parts } : undefined;
    },
    inventory: list,
    async mint() {
      const answer = await call("CreateAccessKey", { UserName: user });
      const [[id], [secret]] = [answer.texts("AccessKeyId"), answer.texts("SecretAccessKey")];
      if (id !== undefined && secret !== undefined) {
        return { id, parts: { secret_access_key: Secret.text(secret), access_key_id: Secret.text(id) } };
      }
      throw new ProviderFailure("unknown", "Amazon answered CreateAccessKey without a key");
    },
    // An access key has neither a name nor tags, only a date.
    async isTagged(id, _tag, startedAt) {
      const answer = await call("ListAccessKeys", { UserName: user });
      const made = Date.parse(answer.texts("CreateDate")[answer.texts("AccessKeyId").indexOf(id)] ?? "");
      return made < startedAt.getTime() - maxSkewMs ? false : undefined;
    },
    probe: async (credential) => await askLiveness(async () => await probeKey(credential, sts, access)),
    suspend: async ({ id }) => await setStatus(id, "Inactive"),
    resume: async ({ id }) => await setStatus(id, "Active"),
    async revoke({ id }) {
      await call("DeleteAccessKey", { UserName: user, AccessKeyId: id }, ["NoSuchEntity"]);
    },
    close: () => Promise.resolve(),
  };
}

/**
 * GetCallerIdentity needs no rights. A signature that is too old is refused with the code of a
 * wrong one, so the clocks are compared.
 */
async function probeKey({ id, parts }: Credential, sts: AwsService, access: ServiceAccess): Promise<Liveness> {
  const secret = parts["secret_access_key"];
  if (secret === undefined) return "unknown";
  const refusals = ["InvalidClientTokenId", "SignatureDoesNotMatch"];
  const call = createAwsQuery(sts, () => Promise.resolve({ id, secret }), access);
  const { code, answer } = await call("GetCallerIdentity", {}, refusals);
  if (code === undefined) return "live";
  return code === "InvalidClientTokenId" || agreesOnTime(answer, access.now()) ? "dead" : "unknown";
}

function remarkOn(id: string, answer: AwsAnswer): string {
  const [date] = answer.texts("LastUsedDate");
  if (answer.code !== undefined) return `${id}: the administrator may not see when it was last used`;
  return date === undefined || !/^\d{4}-\d\d-\d\dT/.test(date)
    ? `${id}: never used`
    : `${id}: last used ${date.slice(0, 10)}`;
}

/** IAM is one service for each partition of Amazon, and signed for one region of it (AWS General Reference). */
function servicesOf(where: Pick<AwsIamOptions, "region" | "iam_endpoint" | "sts_endpoint">) {
  const { region } = where;
  const [host, signed] = region.startsWith("cn-")
    ? ["iam.cn-north-1.amazonaws.com.cn", "cn-north-1"]
    : region.startsWith("us-gov-")
      ? ["iam.us-gov.amazonaws.com", "us-gov-west-1"]
      : ["iam.amazonaws.com", "us-east-1"];
  const iam: AwsService = {
    name: "iam",
    endpoint: where.iam_endpoint ?? `https://${host}`,
    region: signed,
    version: "2010-05-08",
    page,
  };
  const endpoint = where.sts_endpoint ?? awsEndpoint("sts", region);
  const sts: AwsService = { name: "sts", endpoint, region, version: "2011-06-15", page };
  return { iam, sts };
}
