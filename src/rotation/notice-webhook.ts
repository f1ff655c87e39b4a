import { createHash, createHmac } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { createHttpClient, isServiceUrl, type HttpRequest } from "../net/http-client.ts";
import { isProviderFailure, type ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";

/** Where notices are sent. The address may hold a token, so no message repeats more than its host. */
export interface WebhookEndpoint {
  readonly host: string;
  readonly baseUrl: string;
  readonly query: Readonly<Record<string, string>>;
}

/** The world as sending needs it. Times in milliseconds. */
export interface WebhookClock {
  /** Since 1970. */
  nowMs(): number;
  /** Since some moment, and never turned back. */
  elapsedMs(): number;
  wait(ms: number): Promise<void>;
  random(size: number): Uint8Array;
}

export interface WebhookMessage {
  /** Names the message and no other; the same each time it is sent. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

export interface WebhookDelivery {
  readonly endpoint: WebhookEndpoint;
  /** Keys that it is signed with; several while they change. */
  readonly keys: readonly Secret[];
  readonly clock: WebhookClock;
  /** After this time no further try begins, counted from the first. */
  readonly deadlineMs: number;
  /** Told before each wait. */
  onRetry(failure: ProviderFailure, waitMs: number): void;
}

/** What one request may take (Standard Webhooks, "Request timeouts": 15 to 30 s). */
const requestTimeoutMs = 15_000;
const firstWaitMs = 500;
const maxWaitMs = 15_000;
/** Standard Webhooks, "Signature scheme": 192 to 512 bits. */
const keyBytes = { least: 24, most: 64 } as const;
const keyPrefix = "whsec_";
const successes = Array.from({ length: 100 }, (_, index) => 200 + index);

/**
 * An address to send to. Throws E_USAGE, without a word of the address: no TLS, a user in it, a
 * fragment, a query with one name twice, or what is no address at all.
 */
export function parseWebhookUrl(text: string): WebhookEndpoint {
  const refused = (hint: string) =>
    new SealtreeError("E_USAGE", "the address of the webhook is not one that may be used", { hints: [hint] });
  if (!URL.canParse(text)) throw refused("such as https://hooks.example.com/rotation");
  const url = new URL(text);
  const query = Object.fromEntries(url.searchParams);
  if ([...url.searchParams].length !== Object.keys(query).length) throw refused("each name in its query once");
  url.search = "";
  const baseUrl = url.href;
  if (!isServiceUrl(baseUrl)) throw refused("https, or http on this machine; without a user and a fragment");
  return { host: url.host, baseUrl, query };
}

/**
 * The keys in `secret`, separated by blanks: base64 of 24 to 64 bytes each, with or without the
 * prefix `whsec_` (Standard Webhooks, "Signature scheme"). The first is the present one. Throws
 * E_VALUE_UNFIT, without a word of the secret.
 */
export function parseWebhookKeys(secret: Secret): Secret[] {
  const words = (secret.revealText() ?? "").split(/\s+/).filter((word) => word !== "");
  const keys = words.map((word) => {
    const text = word.startsWith(keyPrefix) ? word.slice(keyPrefix.length) : word;
    const bytes = Buffer.from(text, "base64");
    const isFit = bytes.toString("base64") === text && bytes.length >= keyBytes.least && bytes.length <= keyBytes.most;
    return isFit ? Secret.of(bytes, "binary") : undefined;
  });
  const fit = keys.filter((key) => key !== undefined);
  if (fit.length > 0 && fit.length === keys.length) return fit;
  throw new SealtreeError("E_VALUE_UNFIT", "the secret of the webhook is no key to sign with", {
    hints: [
      `it is base64 of ${keyBytes.least} to ${keyBytes.most} bytes, with or without ${keyPrefix} before it`,
      "sealtree set SCOPE/WEBHOOK_KEY --generate base64:bytes=32 makes one",
    ],
  });
}

/** The headers of one attempt (Standard Webhooks, "Webhook headers"): a signature for each key. */
export function signMessage(
  { id, body }: WebhookMessage,
  keys: readonly Secret[],
  nowMs: number,
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = keys.map(
    (key) => `v1,${createHmac("sha256", key.reveal()).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

/** A message id that follows from what is told: the same things of the same repository, the same id. */
export function nameMessage(repository: string, told: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify([repository, ...[...told].sort()]));
  return `msg_${hash.digest("hex").slice(0, 32)}`;
}

/**
 * Sends a message until it is taken, with a status of 200 to 299. Tries again, later each time,
 * while the endpoint cannot be reached, is busy or fails; its id tells the endpoint that it is the
 * same message. Gives the number of tries. Throws E_NETWORK when it is refused, or not taken in time.
 */
export async function sendWebhook(message: WebhookMessage, delivery: WebhookDelivery): Promise<number> {
  const { endpoint, keys, clock, deadlineMs } = delivery;
  const client = createHttpClient({ baseUrl: endpoint.baseUrl, timeoutMs: requestTimeoutMs });
  const endMs = clock.elapsedMs() + deadlineMs;
  for (let tries = 1; ; tries++) {
    try {
      await client.send(printRequest(message, endpoint, signMessage(message, keys, clock.nowMs())));
      return tries;
    } catch (error) {
      if (!isProviderFailure(error)) throw error;
      const waitMs = isWorthATry(error) ? nextWaitMs(tries, error, clock) : Infinity;
      if (clock.elapsedMs() + waitMs > endMs) throw notTaken(error, tries);
      delivery.onRetry(error, waitMs);
      await clock.wait(waitMs);
    }
  }
}

function printRequest(
  message: WebhookMessage,
  endpoint: WebhookEndpoint,
  headers: Record<string, string>,
): HttpRequest {
  return {
    method: "POST",
    path: [],
    query: endpoint.query,
    headers,
    body: { bytes: Buffer.from(message.body), type: "application/json" },
    expect: successes,
  };
}

/** The id lets an endpoint know a message again, so one whose outcome is unknown may be sent again. */
function isWorthATry(failure: ProviderFailure): boolean {
  return failure.class === "transient" || failure.class === "unknown";
}

/** Twice as long each time, a quarter of it by chance, and never sooner than the endpoint asks. */
function nextWaitMs(tries: number, { retryAfterMs = 0 }: ProviderFailure, clock: WebhookClock): number {
  const fullMs = Math.min(maxWaitMs, firstWaitMs * 2 ** (tries - 1));
  const [byte = 0] = clock.random(1);
  return Math.max(retryAfterMs, Math.round(fullMs * (0.75 + byte / 1024)));
}

function notTaken(failure: ProviderFailure, tries: number): SealtreeError {
  return new SealtreeError(
    "E_NETWORK",
    `the webhook was not taken after ${tries === 1 ? "1 try" : `${tries} tries`}: ${failure.message}`,
    {
      hints: ["run it again: the message keeps its id, by which an endpoint that took it knows it", ...failure.hints],
      cause: failure,
    },
  );
}
