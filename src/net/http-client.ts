import { errnoOf } from "../errors.ts";
import { Secret } from "../secret/secret.ts";
import { isCertificateCode, isUnsentCode } from "./network-codes.ts";
import { exchangeBytes, type RawAnswer } from "./http-exchange.ts";
import { isProviderFailure, ProviderFailure, type FailureClass } from "./provider-failure.ts";
import { decodeUtf8 } from "../secret/utf8.ts";

export interface HttpClientOptions {
  /** Such as `https://api.example.com/v1`; http on this machine only. No user, query or fragment. */
  readonly baseUrl: string;
  /** How long one request may take with its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Sent with every request. */
  readonly headers?: HeaderValues;
  /** Certificates to trust in place of the usual ones, as PEM. */
  readonly ca?: string | undefined;
  /** What proves who we are in the TLS handshake. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** What a refusal means, where this service has ways of its own; undefined leaves it to the status. */
  classify?(status: number, answer: HttpAnswer): FailureClass | undefined;
  /** How long to wait after a refusal, in milliseconds, where this service says it otherwise than by Retry-After. */
  waitMs?(answer: HttpAnswer): number | undefined;
}

/** A certificate and its private key, both as PEM. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: Secret;
}

/** Header names to values; a value that is secret stays one until it is sent. */
export type HeaderValues = Readonly<Record<string, string | Secret>>;

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path segments after the base, encoded here; without any, the base as it was written. */
  readonly path: readonly string[];
  /** Ends the path with a slash; without, it has none. */
  readonly hasTrailingSlash?: boolean;
  readonly query?: Readonly<Record<string, string>>;
  /** One of: an object that is sent as JSON, fields that are sent as a form, or bytes. Each Secret in it is sent as its text. */
  readonly body?:
    | { readonly json: unknown }
    | { readonly form: Readonly<Record<string, string | Secret>> }
    | { readonly bytes: Uint8Array; readonly type: string };
  readonly headers?: HeaderValues;
  /** Statuses that are an answer; all others are thrown. */
  readonly expect: readonly number[];
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** The body as text; undefined when it is not UTF-8. It may hold a value: never print it. */
  readonly text: string | undefined;
  /** The body as JSON; undefined when it is not. It may hold a value: never print it. */
  readonly json: unknown;
}

/**
 * A client of one service. Follows no redirects, sends nothing without TLS but to this machine,
 * reads 4 MiB at most, tries once, and uses no connection twice. `send` throws ProviderFailure: by
 * status, and for a request that had no whole answer `unknown` when it may have done something,
 * `transient` when not. What was sent and what came back is in no failure.
 */
export function createHttpClient(options: HttpClientOptions): { send(request: HttpRequest): Promise<HttpAnswer> } {
  const base = parseBaseUrl(options.baseUrl);
  return {
    async send(request) {
      const answer = await exchange(base, options, request);
      if (request.expect.includes(answer.status)) return answer;
      throw refused(base, request, answer, options);
    },
  };
}

/** True for an address that a client may be made for: TLS, or this machine. */
export function isServiceUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const isPlain = !/[?#]/.test(text) && url.username === "" && url.password === "";
  return isPlain && (url.protocol === "https:" || (url.protocol === "http:" && isLocal));
}

function parseBaseUrl(text: string): URL {
  if (isServiceUrl(text)) return new URL(text);
  throw new ProviderFailure("rejected", "the address of the service is not one that may be used", {
    hints: ["https, or http on this machine; without a user, a query and a fragment"],
  });
}

async function exchange(base: URL, options: HttpClientOptions, request: HttpRequest): Promise<HttpAnswer> {
  const url = requestUrl(base, request);
  const [type, body] = printBody(request.body);
  const headers = {
    accept: "application/json",
    "user-agent": "sealtree",
    ...(type === undefined ? {} : { "content-type": type }),
    ...printHeaders({ ...options.headers, ...request.headers }),
  };
  const { method } = request;
  const { timeoutMs, ca, clientCertificate: client } = options;
  const proof = client === undefined ? {} : { cert: client.certificate, key: client.key.revealText() };
  const raw = await exchangeBytes({ url, method, headers, body, timeoutMs, ca, ...proof }).catch((error: unknown) => {
    throw isProviderFailure(error) ? error : unanswered(base, options, request, error);
  });
  if (raw.isTooLarge) {
    const failureClass = isSafe(request) ? "rejected" : "unknown";
    throw new ProviderFailure(failureClass, `${base.host} answered with more than 4 MiB`);
  }
  return readAnswer(raw);
}

function requestUrl(base: URL, request: HttpRequest): URL {
  const url = new URL(base);
  if (request.path.length > 0) {
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${request.path.map(encodeSegment).join("/")}${request.hasTrailingSlash === true ? "/" : ""}`;
  }
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  return url;
}

/** `.` and `..` would climb out of the path, encoded or not (RFC 3986 section 5.2.4). */
function encodeSegment(segment: string): string {
  if (segment === "" || segment === "." || segment === ".." || /\p{Surrogate}/u.test(segment)) {
    throw new ProviderFailure(
      "rejected",
      "a name in the path of a request cannot be empty, . or .., and is Unicode text",
    );
  }
  // A colon may stand in a segment (section 3.3), and Google's methods have one.
  return encodeURIComponent(segment).replaceAll("%3A", ":");
}

/** Node's own complaint of a header may show its value, so it is checked before (RFC 9110 section 5.5). */
function printHeaders(headers: HeaderValues): Record<string, string> {
  const printed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = textOf(value);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e]*$/.test(text)) {
      throw new ProviderFailure("rejected", "a header of the request has a character that no header may have");
    }
    printed[name.toLowerCase()] = text;
  }
  return printed;
}

function printBody(body: HttpRequest["body"]): [string | undefined, Uint8Array | undefined] {
  if (body === undefined) return [undefined, undefined];
  if ("bytes" in body) return [body.type, body.bytes];
  if ("json" in body) return ["application/json", Buffer.from(printJson(body.json))];
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body.form)) form.append(name, textOf(value));
  return ["application/x-www-form-urlencoded", Buffer.from(form.toString())];
}

/** A Secret would print itself as `[redacted]`, and a provider would take that for the value. */
function printJson(value: unknown): string {
  return JSON.stringify(value, function replace(this: Readonly<Record<string, unknown>>, key, printed: unknown) {
    const held = this[key];
    return held instanceof Secret ? textOf(held) : printed;
  });
}

function textOf(value: string | Secret): string {
  const text = typeof value === "string" ? value : value.revealText();
  if (text !== undefined) return text;
  throw new ProviderFailure("rejected", "a value that is no text cannot be sent in a request");
}

function readAnswer({ status, headers, body }: RawAnswer): HttpAnswer {
  const text = decodeUtf8(body);
  return {
    status,
    header: (name) => {
      const value = headers[name.toLowerCase()];
      return typeof value === "string" ? value : value?.join(", ");
    },
    text,
    json: parseJson(text),
  };
}

/** The cause of a JSON error quotes the text, so it goes no further. */
function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined || text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSafe({ method }: HttpRequest): boolean {
  return method === "GET" || method === "HEAD";
}

function refused(base: URL, request: HttpRequest, answer: HttpAnswer, options: HttpClientOptions): ProviderFailure {
  const { status } = answer;
  const own = options.classify?.(status, answer);
  const seconds = Number(answer.header("retry-after"));
  const isRedirect = status >= 300 && status < 400;
  return new ProviderFailure(
    own ?? classOfStatus(status, isSafe(request)),
    `${base.host} answered ${request.method} with status ${status}`,
    {
      hints: isRedirect ? ["redirects are not followed: write the address where the service is"] : [],
      retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : options.waitMs?.(answer),
    },
  );
}

/** A success that was not expected is a request that may have done something else. */
function classOfStatus(status: number, isSafeRequest: boolean): FailureClass {
  if (status === 401 || status === 403) return "auth";
  if (status === 429 || status === 503) return "transient";
  if (status >= 500 || status === 408) return isSafeRequest ? "transient" : "unknown";
  return status < 300 && !isSafeRequest ? "unknown" : "rejected";
}

function unanswered(base: URL, options: HttpClientOptions, request: HttpRequest, error: unknown): ProviderFailure {
  const isTimeout = error instanceof Error && error.name === "TimeoutError";
  const code = errnoOf(error);
  if (code !== undefined && isCertificateCode(code)) {
    return new ProviderFailure("transient", `the certificate of ${base.host} is not to be trusted (${code})`, {
      hints: ["give the certificate of its authority in the option ca"],
    });
  }
  const isDone = isSafe(request) || (code !== undefined && isUnsentCode(code));
  const what = isTimeout ? `did not answer within ${Math.round(options.timeoutMs / 1000)} s` : "cannot be reached";
  return new ProviderFailure(isDone ? "transient" : "unknown", `${base.host} ${what}`, { cause: error });
}
