import { createHttpClient, type HttpAnswer } from "../net/http-client.ts";
import { ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import { classOfAwsCode, findAwsCode } from "./aws-failure.ts";
import type { AwsKeySource } from "./aws-keys.ts";
import { signAwsRequest } from "./aws-signature.ts";
import type { ServiceAccess } from "./service-access.ts";

/** A service with Amazon's query protocol, such as IAM. */
export interface AwsService {
  readonly name: "iam" | "sts";
  readonly endpoint: string;
  /** That requests are signed for. */
  readonly region: string;
  readonly version: string;
  /** The page that says what rights are needed. */
  readonly page: string;
}

export interface AwsAnswer {
  /** Set when the service refused: its error code. */
  readonly code: string | undefined;
  readonly answer: HttpAnswer;
  /** The texts of all elements of a name, in order. */
  texts(element: string): readonly string[];
}

const hints: Partial<Record<FailureClass, string>> = {
  limit: "a user has two access keys at most: delete the one that nothing uses",
  rejected: "check the name of the user in the rule",
};

/**
 * Calls actions of an AWS query service, signed with Signature Version 4, or without keys as nobody.
 * Throws ProviderFailure; a code of `tolerated` is an answer.
 */
export function createAwsQuery(service: AwsService, keys: AwsKeySource | undefined, access: ServiceAccess) {
  const client = createHttpClient({ baseUrl: service.endpoint, timeoutMs: access.timeoutMs });
  return async (
    action: string,
    fields: Readonly<Record<string, string>>,
    tolerated: readonly string[] = [],
  ): Promise<AwsAnswer> => {
    const signing = await keys?.();
    const body = new URLSearchParams({ Action: action, Version: service.version, ...fields }).toString();
    const { name, region, endpoint } = service;
    const signable = { service: name, region, endpoint, headers: { "content-type": contentType }, body };
    const headers = signing === undefined ? {} : await signAwsRequest(signable, signing, access.now());
    const answer = await client.send({
      method: "POST",
      path: [],
      // Asked for JSON, these services give it, in another form than the documented one.
      headers: { ...headers, accept: "text/xml" },
      body: { bytes: new TextEncoder().encode(body), type: contentType },
      expect: [200, 400, 403, 404, 409],
    });
    const read = readAnswer(answer);
    if (read.code === undefined || tolerated.includes(read.code)) return read;
    const failure = classOfAwsCode(read.code, answer.status);
    const auth = `${service.page} has the rights that the keys need; check the clock of this machine`;
    const hint = failure === "auth" ? auth : hints[failure];
    throw new ProviderFailure(failure, `Amazon refused ${action} with ${read.code}`, {
      hints: hint === undefined ? [] : [hint],
    });
  };
}

const contentType = "application/x-www-form-urlencoded; charset=utf-8";

/** Of the XML only leaf elements with plain texts are looked at: keys, names and codes have no entities. */
function readAnswer(answer: HttpAnswer): AwsAnswer {
  const texts = (element: string): readonly string[] =>
    [...(answer.text ?? "").matchAll(new RegExp(`<${element}>([^<>&]*)</${element}>`, "g"))].map(
      ([, text = ""]) => text,
    );
  const [code = "an unknown code"] =
    answer.status === 200 ? [] : texts("Code").filter((it) => findAwsCode(it) !== undefined);
  return { code: answer.status === 200 ? undefined : code, answer, texts };
}
