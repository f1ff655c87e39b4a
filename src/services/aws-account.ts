import { z } from "zod";
import { ProviderFailure } from "../net/provider-failure.ts";
import { awsEndpoint, awsHosts, type AwsCredentials } from "./aws-keys.ts";
import { createAwsQuery } from "./aws-query.ts";
import { createAwsKeys } from "./aws-session.ts";
import type { ServiceAccess } from "./service-access.ts";
import { serviceEndpoint } from "./service-endpoint.ts";

/** Options that hold a target to one account of Amazon. */
export const awsAccountOptions = {
  /** The number of the account that the keys must belong to. */
  account: z
    .string({ error: "write the twelve digits of the account in quotes" })
    .regex(/^\d{12}$/)
    .exactOptional(),
  sts_endpoint: serviceEndpoint(...awsHosts).exactOptional(),
};

interface AwsAccountCheck {
  readonly account?: string;
  readonly sts_endpoint?: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
}

/**
 * Throws ProviderFailure `auth` when the keys are of another account than `account` says. Without
 * one it asks nothing. GetCallerIdentity needs no rights. `page` is that of the target.
 */
export async function checkAwsAccount(check: AwsAccountCheck, page: string, access: ServiceAccess): Promise<void> {
  const { account, region } = check;
  if (account === undefined) return;
  const endpoint = check.sts_endpoint ?? awsEndpoint("sts", region);
  const service = { name: "sts", endpoint, region, version: "2011-06-15", page } as const;
  const call = createAwsQuery(service, createAwsKeys(check.credentials, region, access), access);
  const [found] = (await call("GetCallerIdentity", {})).texts("Account");
  if (found === account) return;
  throw new ProviderFailure("auth", "the keys belong to another account of Amazon than the target names", {
    hints: ["compare account in policies/deploy.yaml with: aws sts get-caller-identity"],
  });
}
