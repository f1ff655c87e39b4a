import { z } from "zod";
import type { Secret } from "../secret/secret.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** Keys of Amazon, long lived, or for a session with its token. */
export interface AwsKeys {
  readonly id: string;
  readonly secret: Secret;
  readonly session?: Secret | undefined;
}

/** Gives keys that are good now. Throws ProviderFailure. */
export type AwsKeySource = () => Promise<AwsKeys>;

/** Where Amazon's services are. */
export const awsHosts = [".amazonaws.com", ".amazonaws.com.cn"] as const;

/** Such as `eu-central-1`. */
export const awsRegion = z.string().regex(/^[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d$/);

const keys = z.strictObject({
  id: secretReference,
  secret: secretReference,
  session: secretReference.exactOptional(),
});
const webIdentity = z.strictObject({
  role: z.string().regex(/^arn:aws(?:-[a-z]{2,8}){0,2}:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/),
  /** A token of an issuer that the role trusts. */
  web_identity: secretReference,
  /** What Amazon's log calls us. */
  session_name: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/)
    .default("sealtree"),
  sts_endpoint: serviceEndpoint(...awsHosts).exactOptional(),
});

/** An option with the keys to sign with, or a role that is taken on for a while with an identity token. */
export const awsCredentials = z.union([keys, webIdentity]);
export type AwsCredentials = z.infer<typeof awsCredentials>;
export type AwsWebIdentity = z.infer<typeof webIdentity>;

/** The references in it. */
export function awsReferences(credentials: AwsCredentials): readonly SecretReference[] {
  if ("role" in credentials) return [credentials.web_identity];
  const { id, secret, session } = credentials;
  return [id, secret, ...(session === undefined ? [] : [session])];
}

/** Where a service of a region is, in the partition that the region belongs to (AWS General Reference). */
export function awsEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.${region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}`;
}
