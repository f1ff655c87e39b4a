import { awsSecretsManagerTarget } from "../deploy/targets/aws-secrets-manager.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { createAwsSecrets } from "../services/aws-secrets.ts";
import { readEach, type OpenTargetReader } from "./target-reader.ts";

/** Values of AWS Secrets Manager. Needs `secretsmanager:GetSecretValue` on the secrets, or on the one. */
export const openAwsReader: OpenTargetReader = (written, access) => {
  const options = awsSecretsManagerTarget.options.parse(written);
  const { layout, path } = options;
  const secrets = createAwsSecrets(options, access);
  return Promise.resolve({
    async read(names) {
      if (layout === "each") return await readEach(names, async (name) => await secrets.read(`${path}/${name}`));
      const object = parseObject(await secrets.read(path));
      return new Map(
        names.flatMap((name) => {
          const value = object.get(name);
          return typeof value === "string" ? [[name, Secret.text(value)] as const] : [];
        }),
      );
    },
  });
};

/** The members of a JSON object; empty when there is none at all. */
function parseObject(secret: Secret | undefined): ReadonlyMap<string, unknown> {
  if (secret === undefined) return new Map();
  try {
    const parsed: unknown = JSON.parse(secret.revealText() ?? "");
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return new Map(Object.entries(parsed));
  } catch {
    // The cause quotes the text.
  }
  throw new ProviderFailure("rejected", "the secret at Amazon is there and holds no JSON object");
}
