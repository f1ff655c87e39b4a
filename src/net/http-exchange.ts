import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";

/** A request as it goes over the wire. */
export interface RawRequest {
  /** https, or http. */
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** From the start of the connection to the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Certificates to trust in place of the usual ones, as PEM. */
  readonly ca?: string | undefined;
  /** A client's certificate and its key, as PEM. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty when it {@link RawAnswer.isTooLarge}. */
  readonly body: Uint8Array;
  /** The body has more than 4 MiB. */
  readonly isTooLarge: boolean;
}

const maxAnswerBytes = 4 * 1024 * 1024;

/** Its code says that nothing was sent, when that is so; its name is that of an abort by a clock. */
class RequestTimeout extends Error {
  override readonly name = "TimeoutError";
  readonly code: string;

  constructor(isConnected: boolean) {
    super("no answer in time");
    this.code = isConnected ? "ETIMEDOUT" : "ERR_NOT_CONNECTED";
  }
}

/**
 * One request and its answer, over a connection of its own, so that none is lost with a
 * connection that the server was about to close. Redirects are answers. Throws what Node throws;
 * a TimeoutError when it took too long; with the code ERR_NOT_CONNECTED when that was before
 * there was a connection.
 */
export async function exchangeBytes(exchange: RawRequest): Promise<RawAnswer> {
  const { url, method, headers, body, timeoutMs, ca, cert, key } = exchange;
  const isSecure = url.protocol === "https:";
  const request = isSecure ? (await import("node:https")).request : (await import("node:http")).request;
  const length = body === undefined && ["GET", "HEAD", "DELETE"].includes(method) ? undefined : (body?.length ?? 0);
  const options: RequestOptions & { ca?: string; cert?: string; key?: string } = {
    method,
    headers: { ...headers, ...(length === undefined ? {} : { "content-length": String(length) }) },
    agent: false,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
  return await new Promise((resolve, reject) => {
    let isConnected = false;
    let timeout: RequestTimeout | undefined;
    const sent = request(url, options);
    const timer = setTimeout(() => {
      timeout = new RequestTimeout(isConnected);
      sent.destroy(timeout);
    }, timeoutMs);
    const fail = (error: unknown) => {
      clearTimeout(timer);
      reject(timeout ?? (error instanceof Error ? error : new Error("the answer broke off")));
    };
    sent.once("socket", (socket) => {
      socket.once(isSecure ? "secureConnect" : "connect", () => (isConnected = true));
    });
    sent.on("error", fail);
    sent.once("response", (response) => {
      readBody(response).then((read) => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, ...read });
      }, fail);
    });
    sent.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<Pick<RawAnswer, "body" | "isTooLarge">> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    // Leaving the loop destroys the response, and the connection with it.
    if (size > maxAnswerBytes) return { body: new Uint8Array(0), isTooLarge: true };
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), isTooLarge: false };
}
