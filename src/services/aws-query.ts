import { createHttpClient, type HttpAnswer } from "../net/http-client.ts";
import { ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import type { ServiceAccess } from "./service-access.ts";

/** Keys of Amazon, long lived, or for a session with its token. */
export interface AwsKeys {
  readonly id: string;
  readonly secret: Secret;
  readonly session?: Secret | undefined;
}

/** A service with Amazon's query protocol, such as IAM. */
export interface AwsService {
  readonly name: "iam" | "sts";
  readonly endpoint: string;
  /** That requests are signed for. */
  readonly region: string;
  readonly version: string;
}

export interface AwsAnswer {
  /** Set when the service refused: its error code. */
  readonly code: string | undefined;
  readonly answer: HttpAnswer;
  /** The texts of all elements of a name, in order. */
  texts(element: string): readonly string[];
}

/** Error codes that are not what their status says (common errors of the IAM API). */
const classes: Readonly<Record<string, FailureClass>> = {
  LimitExceeded: "limit",
  AccessDenied: "auth",
  ExpiredToken: "auth",
  IncompleteSignature: "auth",
  InvalidClientTokenId: "auth",
  MissingAuthenticationToken: "auth",
  OptInRequired: "auth",
  SignatureDoesNotMatch: "auth",
  ConcurrentModification: "transient",
  EntityTemporarilyUnmodifiable: "transient",
  RequestExpired: "transient",
  ServiceUnavailable: "transient",
  Throttling: "transient",
  ThrottlingException: "transient",
};

const hints: Partial<Record<FailureClass, string>> = {
  auth: "see docs/rotators/aws-iam.md for the rights that the administrator's key needs; check the clock of this machine",
  limit: "a user has two access keys at most: delete the one that nothing uses",
  rejected: "check the name of the user in the rule",
};

/**
 * Calls actions of an AWS query service, signed with Signature Version 4. Throws ProviderFailure;
 * a code of `tolerated` is an answer.
 */
export function createAwsQuery(service: AwsService, keys: AwsKeys, access: ServiceAccess) {
  const client = createHttpClient({ baseUrl: service.endpoint, timeoutMs: access.timeoutMs });
  return async (
    action: string,
    fields: Readonly<Record<string, string>>,
    tolerated: readonly string[] = [],
  ): Promise<AwsAnswer> => {
    const body = new URLSearchParams({ Action: action, Version: service.version, ...fields }).toString();
    const headers = await signedHeaders(service, keys, body, access.now());
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
    const failure = classes[read.code] ?? (answer.status === 403 ? "auth" : "rejected");
    const hint = hints[failure];
    throw new ProviderFailure(failure, `Amazon refused ${action} with ${read.code}`, {
      hints: hint === undefined ? [] : [hint],
    });
  };
}

const contentType = "application/x-www-form-urlencoded; charset=utf-8";

async function signedHeaders({ name, endpoint, region }: AwsService, keys: AwsKeys, body: string, now: Date) {
  const { AwsV4Signer } = await import("aws4fetch");
  const session = keys.session?.revealText();
  const signer = new AwsV4Signer({
    method: "POST",
    url: new URL(endpoint).toString(),
    headers: { "content-type": contentType },
    body,
    accessKeyId: keys.id,
    secretAccessKey: keys.secret.revealText() ?? "",
    ...(session === undefined ? {} : { sessionToken: session }),
    service: name,
    region,
    datetime: now.toISOString().replaceAll(/[-:]|\.\d{3}/g, ""),
  });
  return Object.fromEntries((await signer.sign()).headers.entries());
}

/** Of the XML only leaf elements with plain texts are looked at: keys, names and codes have no entities. */
function readAnswer(answer: HttpAnswer): AwsAnswer {
  const texts = (element: string): readonly string[] =>
    [...(answer.text ?? "").matchAll(new RegExp(`<${element}>([^<>&]*)</${element}>`, "g"))].map(
      ([, text = ""]) => text,
    );
  const [code = "an unknown code"] =
    answer.status === 200 ? [] : texts("Code").filter((it) => /^[A-Za-z.]{1,64}$/.test(it));
  return { code: answer.status === 200 ? undefined : code, answer, texts };
}
