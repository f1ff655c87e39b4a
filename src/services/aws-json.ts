import { createHttpClient, type HttpAnswer } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import { classOfAwsCode, findAwsCode } from "./aws-failure.ts";
import type { AwsKeySource } from "./aws-keys.ts";
import { signAwsRequest } from "./aws-signature.ts";
import type { ServiceAccess } from "./service-access.ts";

/** A service with Amazon's JSON protocol, version 1.1. */
export interface AwsJsonService {
  readonly name: "secretsmanager" | "ssm";
  /** What stands before an action in `x-amz-target`. */
  readonly target: "secretsmanager" | "AmazonSSM";
  readonly endpoint: string;
  readonly region: string;
  /** The page that says what rights are needed, such as `docs/targets/aws-ssm.md`. */
  readonly page: string;
}

export interface AwsJsonAnswer {
  /** Set when the service refused with one of the tolerated codes. */
  readonly code: string | undefined;
  readonly answer: HttpAnswer;
}

/**
 * Calls actions of an AWS JSON service, signed with Signature Version 4. Throws ProviderFailure; a
 * code of `tolerated` is an answer. An action that only reads is never of unknown outcome.
 */
export function createAwsJson(service: AwsJsonService, keys: AwsKeySource, access: ServiceAccess) {
  const client = createHttpClient({ baseUrl: service.endpoint, timeoutMs: access.timeoutMs });
  return async (
    action: string,
    fields: Readonly<Record<string, unknown>>,
    tolerated: readonly string[] = [],
  ): Promise<AwsJsonAnswer> => {
    const body = JSON.stringify(fields);
    const plain = { "content-type": contentType, "x-amz-target": `${service.target}.${action}` };
    const signable = { service: service.name, region: service.region, endpoint: service.endpoint };
    const headers = await signAwsRequest({ ...signable, headers: plain, body }, await keys(), access.now());
    const answer = await client
      .send({
        method: "POST",
        path: [],
        headers,
        body: { bytes: new TextEncoder().encode(body), type: contentType },
        expect: [200, 400, 403, 404],
      })
      .catch((error: unknown) => {
        throw isRead(action) ? withoutDoubt(error) : error;
      });
    if (answer.status === 200) return { code: undefined, answer };
    const code = readCode(answer) ?? "an unknown code";
    if (tolerated.includes(code)) return { code, answer };
    const failure = classOfAwsCode(code, answer.status);
    throw new ProviderFailure(failure, `Amazon refused ${action} with ${code}`, { hints: hintsFor(code, service) });
  };
}

const contentType = "application/x-amz-json-1.1";

function isRead(action: string): boolean {
  return /^(?:BatchGet|Describe|Get|List)/.test(action);
}

function withoutDoubt(error: unknown): unknown {
  if (!isProviderFailure(error) || error.class !== "unknown") return error;
  const { message, hints, retryAfterMs, cause } = error;
  return new ProviderFailure("transient", message, { hints, retryAfterMs, cause });
}

/** `__type` may have a namespace before a `#`; the message beside it is not looked at. */
function readCode({ json }: HttpAnswer): string | undefined {
  const type = typeof json === "object" && json !== null && "__type" in json ? json.__type : undefined;
  return typeof type === "string" ? findAwsCode(type.slice(type.lastIndexOf("#") + 1)) : undefined;
}

function hintsFor(code: string, { page }: AwsJsonService): readonly string[] {
  const failure = classOfAwsCode(code, 400);
  if (failure === "auth") return [`${page} has the rights that the keys need; check the clock of this machine`];
  if (failure === "limit") return ["remove what nothing uses, or ask Amazon for a higher quota"];
  if (failure === "transient") return ["nothing was changed; try again later"];
  return [`compare the target in policies/deploy.yaml with ${page}`];
}
