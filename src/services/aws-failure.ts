import type { FailureClass } from "../net/provider-failure.ts";

/** Error codes that are not what their status says, without the `Exception` at the end of some. */
const classes: Readonly<Record<string, FailureClass>> = {
  LimitExceeded: "limit",
  ParameterLimitExceeded: "limit",
  ParameterMaxVersionLimitExceeded: "limit",
  TooManyTagsError: "limit",
  AccessDenied: "auth",
  ExpiredToken: "auth",
  IDPRejectedClaim: "auth",
  IncompleteSignature: "auth",
  InvalidClientTokenId: "auth",
  InvalidIdentityToken: "auth",
  InvalidSignature: "auth",
  MissingAuthenticationToken: "auth",
  OptInRequired: "auth",
  SignatureDoesNotMatch: "auth",
  UnrecognizedClient: "auth",
  ConcurrentModification: "transient",
  EntityTemporarilyUnmodifiable: "transient",
  IDPCommunicationError: "transient",
  RequestExpired: "transient",
  ServiceUnavailable: "transient",
  Throttling: "transient",
  TooManyRequests: "transient",
  TooManyUpdates: "transient",
};

/** What a refusal of Amazon means (common errors of its APIs, IAM, Secrets Manager and Systems Manager). */
export function classOfAwsCode(code: string, status: number): FailureClass {
  return classes[code.replace(/Exception$/, "")] ?? (status === 403 ? "auth" : "rejected");
}

/** The code, when it has the shape of one. */
export function findAwsCode(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z.]{1,64}$/.test(text) ? text : undefined;
}
