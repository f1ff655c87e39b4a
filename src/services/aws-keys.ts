import { z } from "zod";
import type { Secret } from "../secret/secret.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";

/** Keys of Amazon, long lived, or for a session with its token. */
export interface AwsKeys {
  readonly id: string;
  readonly secret: Secret;
  readonly session?: Secret | undefined;
}

/** Where Amazon's services are. */
export const awsHosts = [".amazonaws.com", ".amazonaws.com.cn"] as const;

/** Such as `eu-central-1`. */
export const awsRegion = z.string().regex(/^[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d$/);

/** An option with the keys to sign with. */
export const awsCredentials = z.strictObject({
  id: secretReference,
  secret: secretReference,
  session: secretReference.exactOptional(),
});
export type AwsCredentials = z.infer<typeof awsCredentials>;

/** The references in it. */
export function awsReferences({ id, secret, session }: AwsCredentials): readonly SecretReference[] {
  return [id, secret, ...(session === undefined ? [] : [session])];
}

/** The keys that it stands for. */
export function readAwsKeys({ id, secret, session }: AwsCredentials, access: Pick<ServiceAccess, "read">): AwsKeys {
  return {
    id: access.read(id).revealText()?.trim() ?? "",
    secret: access.read(secret),
    session: session === undefined ? undefined : access.read(session),
  };
}

/** Where a service of a region is, in the partition that the region belongs to (AWS General Reference). */
export function awsEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.${region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}`;
}
