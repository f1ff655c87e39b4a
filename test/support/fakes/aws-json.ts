import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiFault, ApiReply, DescribedApi } from "./described-api.ts";

export type AwsFields = Readonly<Record<string, unknown>>;

export interface FakeAwsOptions {
  readonly service: "secretsmanager" | "ssm";
  /** What stands before an action in `x-amz-target`. */
  readonly target: string;
  /** The fields of each action, as its page in the API reference lists them; no other is taken. */
  readonly actions: Readonly<
    Record<string, { readonly fields: readonly string[]; answer(fields: AwsFields): ApiReply }>
  >;
}

/** The keys that the fake knows. */
export const fakeAwsKeys = { id: "AKIATESTTESTTESTTEST", secret: "test-secret-key" } as const;
export const fakeAwsRegion = "eu-central-1";

/** An AWS service of the JSON protocol 1.1. Checks signatures, and takes no field that an action does not have. */
export async function startFakeAws({ service, target, actions }: FakeAwsOptions): Promise<DescribedApi> {
  const violations: string[] = [];
  const requests: string[] = [];
  const addresses: string[] = [];
  const faults = new Map<string, ApiFault>();
  let log = "";
  const note = (words: string): ApiReply => {
    violations.push(words);
    return refuseAws("SerializationException");
  };

  function respond(request: IncomingMessage, text: string): ApiReply | "silence" | undefined {
    const [prefix, action = ""] = String(request.headers["x-amz-target"]).split(".");
    const known = Object.hasOwn(actions, action) ? actions[action] : undefined;
    requests.push(action);
    addresses.push(request.url ?? "");
    log += `${request.method ?? ""} ${request.url ?? ""} ${action} ${text}\n`;
    if (request.method !== "POST" || request.url !== "/" || prefix !== target || known === undefined) {
      return note(`${action} is no action of ${service}`);
    }
    if (request.headers["content-type"] !== "application/x-amz-json-1.1") return note(`${action}: the content type`);
    const fault = faults.get(action);
    faults.delete(action);
    if (typeof fault === "object" || fault === "silence") return fault;
    const wrong = checkSignature(service, request, text);
    if (wrong !== undefined) return refuseAws(wrong);
    const fields = JSON.parse(text) as AwsFields;
    const strange = Object.keys(fields).filter((it) => !known.fields.includes(it));
    if (strange.length > 0) return note(`${action} has no field ${strange.join(", ")}`);
    const reply = known.answer(fields);
    return fault === "lost answer" ? undefined : reply;
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const reply = respond(request, Buffer.concat(chunks).toString());
      if (reply === "silence") return;
      if (reply === undefined) return void request.socket.destroy();
      response.writeHead(reply.status, { "content-type": "application/x-amz-json-1.1", ...reply.headers });
      response.end(reply.json === undefined ? "" : JSON.stringify(reply.json));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    violations,
    requests,
    addresses,
    logText: () => log,
    failNext: (action, fault) => void faults.set(action, fault),
    async stop() {
      if (server.listening) {
        server.close();
        server.closeAllConnections();
        await once(server, "close");
      }
      if (violations.length > 0) throw new Error(`against the API reference:\n${violations.join("\n")}`);
    },
  };
}

export function refuseAws(code: string): ApiReply {
  return { status: 400, json: { __type: code, message: "test" } };
}

/** Signature Version 4, as the page "Create a signed AWS API request" has it; the code of a wrong one. */
function checkSignature(service: string, { headers }: IncomingMessage, body: string): string | undefined {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/((\d{8})\/([^/]+)\/([^/]+)\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, id, scope = "", day = "", region = "", named = "", names = "", signature] =
    pattern.exec(headers.authorization ?? "") ?? [];
  if (id === undefined) return "IncompleteSignatureException";
  if (id !== fakeAwsKeys.id) return "UnrecognizedClientException";
  const time = String(headers["x-amz-date"]);
  const isScoped = region === fakeAwsRegion && named === service && time.startsWith(day);
  const isWhole = ["host", "x-amz-date", "x-amz-target"].every((name) => names.split(";").includes(name));
  if (!isScoped || !isWhole) return "InvalidSignatureException";
  const lines = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = ["POST", "/", "", lines.join(""), names, sha256(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(hmac, Buffer.from(`AWS4${fakeAwsKeys.secret}`));
  return hmac(key, text).toString("hex") === signature ? undefined : "InvalidSignatureException";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
