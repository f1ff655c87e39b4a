import { z } from "zod";
import { hasCode, usageError } from "../errors.ts";
import { awsSecretsConnection, createAwsSecrets } from "../services/aws-secrets.ts";
import { createEnvironmentAccess, type MigrationWorld } from "./environment-access.ts";
import { readJsonTree } from "./json-tree.ts";
import { plainLeaf, readTree } from "./read-tree.ts";
import { type SourceBranch, sourceError } from "./source-tree.ts";
import type { SourceContents } from "./source-values.ts";

const connectionOptions = z.strictObject(awsSecretsConnection);

/**
 * The current version of a secret in AWS Secrets Manager, by name or ARN: the members of a JSON object,
 * nested ones too, or else one value that goes by the last part of the name. Region and keys come from the
 * environment as for Amazon's own programs. Throws E_USAGE, E_INPUT_INVALID when there is none, and ProviderFailure.
 */
export async function readAwsSecret(id: string, world: MigrationWorld): Promise<SourceContents> {
  const client = createAwsSecrets(connectionOf(world.env), createEnvironmentAccess(world));
  const secret = await client.read(id);
  if (secret === undefined) throw sourceError("AWS Secrets Manager has no value for that secret in this region");
  const text = secret.kind === "text" ? secret.revealText() : undefined;
  const tree = text === undefined ? undefined : findObject(text);
  if (tree !== undefined) return readTree(tree, (leaf) => ({ ...plainLeaf(leaf), isOpen: false }));
  const name = id.split(/[/:]/).at(-1) ?? id;
  const type = secret.kind === "binary" ? "binary" : "text";
  return {
    values: [{ path: [name], secret, type, comments: [], isOpen: false }],
    leftOut: [],
  };
}

function findObject(text: string): SourceBranch | undefined {
  try {
    return readJsonTree(text);
  } catch (error) {
    if (hasCode(error, "E_INPUT_INVALID")) return undefined;
    throw error;
  }
}

function connectionOf(env: MigrationWorld["env"]): z.infer<typeof connectionOptions> {
  const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"];
  const missing = [
    ...(region ? [] : ["AWS_REGION"]),
    ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].filter((name) => !env[name]),
  ];
  if (missing.length > 0) {
    throw usageError(
      `the environment has no ${missing.join(", no ")}`,
      'set them, or fill them in: eval "$(aws configure export-credentials --format env)"',
    );
  }
  const endpoint = env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] || env["AWS_ENDPOINT_URL"];
  const read = connectionOptions.safeParse({
    region,
    credentials: {
      id: "${env:AWS_ACCESS_KEY_ID}",
      secret: "${env:AWS_SECRET_ACCESS_KEY}",
      ...(env["AWS_SESSION_TOKEN"] ? { session: "${env:AWS_SESSION_TOKEN}" } : {}),
    },
    ...(endpoint ? { endpoint } : {}),
  });
  if (read.success) return read.data;
  throw usageError(
    "AWS_REGION or AWS_ENDPOINT_URL cannot be used",
    "a region is such as eu-central-1; an endpoint is Amazon's, or of this machine",
  );
}
