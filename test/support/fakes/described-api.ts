import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApiPaths, findOperationFinder } from "./api-description.ts";

/** A request that the description allows. */
export interface ApiCall {
  /** Such as `POST /keys/{id}`. */
  readonly operation: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The body: JSON, or the fields of a form. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly header: (name: string) => string | undefined;
}

export interface ApiReply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong with the next request of a kind: it is not done, or done and not answered, or there is silence. */
export type ApiFault = ApiReply | "lost answer" | "silence";

export interface DescribedApi {
  readonly url: string;
  /** What was against the description, of requests and of this fake's own answers. */
  readonly violations: readonly string[];
  /** Every request that came: its operation, or method and path. */
  readonly requests: readonly string[];
  /** The path and query of each. */
  readonly addresses: readonly string[];
  /** Method, path and body of all requests, as a server that logs all of them. */
  readonly logText: () => string;
  failNext(operation: string, fault: ApiFault): void;
  /** Throws when there was a violation. Stopping it twice is fine. */
  readonly stop: () => Promise<void>;
}

export interface DescribedApiOptions {
  /** A file of test/support/descriptions; left out where there is none, and `additions` are all. */
  readonly description?: string;
  /** What stands before all its paths, such as `/v1`. */
  readonly base?: string;
  /** Operations that are known from the provider's pages alone. */
  readonly additions?: ApiPaths;
  /** What the provider is known to answer although its description does not allow it, by the words of the violation. */
  readonly tolerated?: readonly RegExp[];
  /** Headers that every request must have. */
  readonly headers?: Readonly<Record<string, RegExp>>;
  readonly answer: (call: ApiCall) => ApiReply;
}

/** A provider that refuses whatever its published description does not allow, with status 400 and a violation. */
export async function startDescribedApi(options: DescribedApiOptions): Promise<DescribedApi> {
  const { base = "", headers = {}, additions, tolerated = [], answer } = options;
  const find = findOperationFinder(options.description, additions);
  const violations: string[] = [];
  const requests: string[] = [];
  const addresses: string[] = [];
  const faults = new Map<string, ApiFault>();
  let log = "";

  const server = createServer((request, response) => {
    void readAll(request).then((text) => {
      const reply = respondOrNote(request, text);
      if (reply === "silence") return undefined;
      if (reply === undefined) return request.socket.destroy();
      const body = reply.json === undefined ? "" : JSON.stringify(reply.json);
      const type = body === "" ? {} : { "content-type": "application/json" };
      response.writeHead(reply.status, { ...type, ...reply.headers }).end(body);
      return undefined;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  /** A mistake in the fake itself is a violation, not a request without an end. */
  function respondOrNote(request: IncomingMessage, text: string): ApiReply | "silence" | undefined {
    try {
      return respond(request, text);
    } catch (error) {
      violations.push(`the fake itself: ${String(error)}`);
      return undefined;
    }
  }

  function respond(request: IncomingMessage, text: string): ApiReply | "silence" | undefined {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const method = request.method ?? "";
    addresses.push(request.url ?? "");
    log += `${method} ${request.url ?? ""} ${text}\n`;
    const operation = url.pathname.startsWith(base) ? find(method, url.pathname.slice(base.length)) : undefined;
    requests.push(operation?.name ?? `${method} ${url.pathname}`);
    const refuse = (found: readonly string[]): ApiReply => {
      violations.push(...found.map((it) => `${operation?.name ?? `${method} ${url.pathname}`}: ${it}`));
      return { status: 400 };
    };
    if (operation === undefined) return refuse(["is no operation"]);
    const type = request.headers["content-type"];
    const body = parseBody(type, text);
    const bad = Object.entries(headers).filter(([name, wanted]) => !wanted.test(String(request.headers[name] ?? "")));
    const found = [
      ...operation.checkRequest(url.searchParams, type, body),
      ...bad.map(([name]) => `the header ${name}`),
    ];
    if (found.length > 0) return refuse(found);

    const fault = faults.get(operation.name);
    faults.delete(operation.name);
    if (typeof fault === "object" || fault === "silence") return fault;
    const reply = answer({
      operation: operation.name,
      params: operation.params,
      query: url.searchParams,
      body: (body ?? {}) as Readonly<Record<string, unknown>>,
      header: (name) => String(request.headers[name] ?? "") || undefined,
    });
    violations.push(
      ...operation
        .checkAnswer(reply.status, reply.json)
        .filter((it) => !tolerated.some((known) => known.test(it)))
        .map((it) => `answer of ${operation.name}: ${it}`),
    );
    return fault === "lost answer" ? undefined : reply;
  }

  return {
    url: `http://127.0.0.1:${port}${base}`,
    violations,
    requests,
    addresses,
    logText: () => log,
    failNext: (operation, fault) => void faults.set(operation, fault),
    async stop() {
      if (server.listening) {
        server.close();
        server.closeAllConnections();
        await once(server, "close");
      }
      if (violations.length > 0) throw new Error(`against the description:\n${[...new Set(violations)].join("\n")}`);
    },
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseBody(type: string | undefined, text: string): unknown {
  if (text === "") return undefined;
  if (type?.startsWith("application/x-www-form-urlencoded") === true)
    return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
