import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A service of the kind that the rotator http is for, which refuses whatever it did not describe. */
export interface TokenService {
  readonly url: string;
  /** Keys that it minted: id to value. */
  readonly keys: Map<string, { readonly value: string; readonly note: string }>;
  /** Values that were chosen for it. */
  readonly values: Set<string>;
  /** The one value of its slot. */
  slot: string;
  /** All that it was sent, but for the headers and bodies that hold values. */
  log(): string;
  /** Every path with its authorization, in order. */
  readonly seen: { readonly line: string; readonly authorization: string; readonly body: string }[];
  /** Answers the next changing request with this, in place of doing what it asks for. */
  answerNext(status: number, headers?: Readonly<Record<string, string>>, body?: string): void;
  close(): Promise<void>;
}

export const adminToken = "test-admin-token";
const pageSize = 2;

/** Starts one on this machine. */
export async function startTokenService(): Promise<TokenService> {
  const keys: TokenService["keys"] = new Map();
  const values = new Set<string>();
  const seen: TokenService["seen"] = [];
  let next: readonly [number, Readonly<Record<string, string>>, string] | undefined;

  const answer = (request: IncomingMessage, body: string): readonly [number, unknown] => {
    const { method = "", headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const authorization = headers.authorization ?? "";
    const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? "";
    const own = [...keys].find(([, key]) => key.value === token);
    const isKnown = own !== undefined || values.has(token) || service.slot === token;
    if (pathname === "/v1/me") return isKnown ? [200, { key: { id: own?.[0] } }] : [401, { error: token }];
    if (authorization !== `Bearer ${adminToken}`) return [403, { error: authorization }];
    const fields = body === "" ? {} : (JSON.parse(body) as Record<string, string>);
    if (pathname === "/v1/keys" && method === "GET") {
      const from = Number(searchParams.get("after") ?? "0");
      const data = [...keys].slice(from, from + pageSize).map(([id, { note }]) => ({ id, note }));
      return [200, { data, next: from + pageSize < keys.size ? from + pageSize : null }];
    }
    if (pathname === "/v1/keys" && method === "POST") {
      const [id, value] = [`key/${randomBytes(4).toString("hex")}`, randomBytes(16).toString("hex")];
      keys.set(id, { value, note: fields["name"] ?? "" });
      return [201, { key: { id, "the/value": value } }];
    }
    if (pathname.startsWith("/v1/keys/") && method === "DELETE") {
      return [keys.delete(decodeURIComponent(pathname.slice("/v1/keys/".length))) ? 204 : 404, undefined];
    }
    if (pathname === "/v1/values/" && method === "PUT") {
      values.add(fields["password"] ?? "");
      return [200, {}];
    }
    if (pathname === "/v1/values/end" && method === "POST")
      return [values.delete(fields["password"] ?? "") ? 200 : 404, {}];
    if (pathname === "/v1/slot" && method === "POST") {
      service.slot = randomBytes(16).toString("hex");
      return [200, { value: service.slot }];
    }
    return [404, { error: body }];
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const line = `${request.method ?? ""} ${request.url ?? ""}`;
      seen.push({ line, authorization: request.headers.authorization ?? "", body });
      if (next !== undefined && request.method !== "GET") {
        const [status, headers, text] = next;
        next = undefined;
        response.writeHead(status, headers).end(text);
        return;
      }
      const [status, json] = answer(request, body);
      response.writeHead(status).end(json === undefined ? undefined : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const service: TokenService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    keys,
    values,
    slot: "test-first-slot",
    seen,
    log: () => seen.map(({ line }) => line).join("\n"),
    answerNext: (status, headers = {}, body = "") => (next = [status, headers, body]),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}
