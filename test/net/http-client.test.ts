import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createHttpClient, isServiceUrl, type HttpRequest } from "../../src/net/http-client.ts";
import { isProviderFailure, type ProviderFailure } from "../../src/net/provider-failure.ts";
import { Secret } from "../../src/secret/secret.ts";
import { makeThrowAway } from "../support/throw-away.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const secretText = "test-value-of-the-client";
const get: HttpRequest = { method: "GET", path: ["things"], expect: [200] };
const post: HttpRequest = { ...get, method: "POST", body: { json: { password: Secret.text(secretText) } } };

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

async function serve(answer: (response: ServerResponse, seen: Seen) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      answer(response, seen.at(-1) as Seen);
    });
  });
  return { url: await listen(server, "http"), seen };
}

async function listen(it: Server, scheme: string): Promise<string> {
  await new Promise<void>((resolve) => it.listen(0, "127.0.0.1", resolve));
  return `${scheme}://127.0.0.1:${(it.address() as AddressInfo).port}`;
}

function answering(
  status: number,
  headers: Record<string, string> = {},
  body = "",
): (response: ServerResponse) => void {
  return (response) => response.writeHead(status, headers).end(body);
}

async function failureOf(url: string, request: HttpRequest, timeoutMs = 10_000): Promise<ProviderFailure> {
  const client = createHttpClient({ baseUrl: url, timeoutMs, headers: { authorization: Secret.text(secretText) } });
  const error = await client.send(request).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderFailure(error)) throw new Error("it did not fail as a provider does");
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secretText);
  return error;
}

describe("a request", () => {
  it("has its segments, query, headers and JSON encoded, and secrets in the clear", async () => {
    const { url, seen } = await serve(answering(200, { "x-next": "2" }, '{"id": "k1"}'));
    const client = createHttpClient({ baseUrl: `${url}/v1/`, timeoutMs: 10_000, headers: { "X-A": "1" } });
    const answer = await client.send({
      method: "PUT",
      path: ["users", "a/b c?d#e%2F"],
      query: { q: "x&y=z" },
      headers: { authorization: Secret.text(`Bearer ${secretText}`) },
      body: { json: { nested: [{ password: Secret.text('a"b\n€') }], none: undefined } },
      expect: [200],
    });
    expect(answer.json).toEqual({ id: "k1" });
    expect(answer.header("X-Next")).toBe("2");
    expect(seen[0]).toMatchObject({
      method: "PUT",
      url: "/v1/users/a%2Fb%20c%3Fd%23e%252F?q=x%26y%3Dz",
      headers: { "x-a": "1", authorization: `Bearer ${secretText}`, "content-type": "application/json" },
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ nested: [{ password: 'a"b\n€' }] });
  });

  it("may be a form, or bytes, or empty", async () => {
    const { url, seen } = await serve(answering(204));
    const client = createHttpClient({ baseUrl: url, timeoutMs: 10_000 });
    const expected = { method: "POST", path: ["x"], expect: [204] } as const;
    await client.send({ ...expected, body: { form: { a: "1&2", b: Secret.text("ü=") } } });
    await client.send({ ...expected, body: { bytes: Buffer.from("raw"), type: "text/plain" } });
    expect((await client.send(expected)).json).toBeUndefined();
    expect(seen.map(({ body, headers }) => [body, headers["content-type"], headers["content-length"]])).toEqual([
      ["a=1%262&b=%C3%BC%3D", "application/x-www-form-urlencoded", "19"],
      ["raw", "text/plain", "3"],
      ["", undefined, "0"],
    ]);
  });

  it("goes to the base itself when it has no path, and ends with a slash when it is told", async () => {
    const { url, seen } = await serve(answering(200));
    await createHttpClient({ baseUrl: url, timeoutMs: 10_000 }).send({ ...get, path: [] });
    await createHttpClient({ baseUrl: `${url}/v1`, timeoutMs: 10_000 }).send({ ...get, path: [] });
    await createHttpClient({ baseUrl: `${url}/v1`, timeoutMs: 10_000 }).send({ ...get, hasTrailingSlash: true });
    expect(seen.map((it) => it.url)).toEqual(["/", "/v1", "/v1/things/"]);
  });

  it("stays below its base for every segment", async () => {
    const { url, seen } = await serve(answering(200));
    const client = createHttpClient({ baseUrl: `${url}/v1`, timeoutMs: 10_000 });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), async (segment) => {
        seen.length = 0;
        const isRefused = [".", ".."].includes(segment);
        const sent = await client.send({ ...get, path: [segment, "end"] }).then(
          () => true,
          () => false,
        );
        expect(sent).toBe(!isRefused);
        if (sent) expect(seen[0]?.url.split("/").map(decodeURIComponent)).toEqual(["", "v1", segment, "end"]);
      }),
      { numRuns: 60 },
    );
  });

  it.each(["", ".", "..", "\ud800"])("is refused for the segment %j", async (segment) => {
    expect((await failureOf("http://127.0.0.1:9", { ...get, path: [segment] })).class).toBe("rejected");
  });

  it.each(["a\r\nb: c", "a\0b", "é"])("is refused for a header with %j, which is not shown", async (text) => {
    const failure = await failureOf("http://127.0.0.1:9", {
      ...get,
      headers: { "x-a": Secret.text(secretText + text) },
    });
    expect(failure.class).toBe("rejected");
  });
});

describe("an address", () => {
  it.each(["https://api.example.com/v1", "http://127.0.0.1:80", "http://localhost/", "http://[::1]:1/x"])(
    "may be %s",
    (url) => expect(isServiceUrl(url)).toBe(true),
  );

  it.each([
    "http://api.example.com",
    "https://user:word@api.example.com",
    "https://api.example.com/?a=b",
    "https://api.example.com/?",
    "https://api.example.com/#x",
    "http://127.0.0.1.example.com",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "nonsense",
  ])("is refused when it is %s", (url) => {
    expect(isServiceUrl(url)).toBe(false);
    expect(() => createHttpClient({ baseUrl: url, timeoutMs: 1 })).toThrow("may be used");
  });
});

describe("a refusal", () => {
  it.each([
    [400, "rejected", "rejected"],
    [401, "auth", "auth"],
    [403, "auth", "auth"],
    [404, "rejected", "rejected"],
    [408, "transient", "unknown"],
    [409, "rejected", "rejected"],
    [422, "rejected", "rejected"],
    [429, "transient", "transient"],
    [500, "transient", "unknown"],
    [502, "transient", "unknown"],
    [503, "transient", "transient"],
    [504, "transient", "unknown"],
    [201, "rejected", "unknown"],
    [302, "rejected", "rejected"],
    [308, "rejected", "rejected"],
  ])("with status %i is %s for a GET and %s for a POST", async (status, ofGet, ofPost) => {
    const { url } = await serve(answering(status, { location: "/elsewhere" }, secretText));
    expect((await failureOf(url, get)).class).toBe(ofGet);
    expect((await failureOf(url, post)).class).toBe(ofPost);
  });

  it("names the service, the method and the status, and says when to come again", async () => {
    const { url } = await serve(answering(429, { "retry-after": "7" }, secretText));
    const failure = await failureOf(url, post);
    expect(failure.message).toBe(`${new URL(url).host} answered POST with status 429`);
    expect(failure.retryAfterMs).toBe(7000);
  });

  it("is what the service's own rule says", async () => {
    const { url } = await serve(answering(400, {}, '{"code": "LimitExceeded"}'));
    const client = createHttpClient({
      baseUrl: url,
      timeoutMs: 10_000,
      classify: (status, { json }) =>
        status === 400 && (json as { code: string }).code === "LimitExceeded" ? "limit" : undefined,
    });
    await expect(client.send(get)).rejects.toMatchObject({ class: "limit" });
  });

  it("says when to come again in the service's own way, unless Retry-After does", async () => {
    const failureWith = async (headers: Readonly<Record<string, string>>) => {
      const { url } = await serve(answering(429, headers, ""));
      const client = createHttpClient({
        baseUrl: url,
        timeoutMs: 10_000,
        waitMs: (answer) => Number(answer.header("x-wait")) * 1000,
      });
      return await client.send(get).catch((error: unknown) => error);
    };
    expect(await failureWith({ "x-wait": "3" })).toMatchObject({ class: "transient", retryAfterMs: 3000 });
    expect(await failureWith({ "x-wait": "3", "retry-after": "7" })).toMatchObject({ retryAfterMs: 7000 });
  });

  it("is not followed when it is a redirect", async () => {
    const { url, seen } = await serve((response) => response.writeHead(307, { location: "/elsewhere" }).end());
    expect((await failureOf(url, post)).hints[0]).toContain("redirects are not followed");
    expect(seen).toHaveLength(1);
  });
});

describe("no whole answer", () => {
  it("is transient for a GET and unknown for a POST when the time is over", async () => {
    const { url } = await serve(() => undefined);
    const [read, change] = await Promise.all([failureOf(url, get, 300), failureOf(url, post, 300)]);
    expect([read.class, change.class]).toEqual(["transient", "unknown"]);
    expect(change.message).toContain("did not answer within");
  });

  it("is the same when the body stops in the middle", async () => {
    const { url } = await serve((response) => response.writeHead(200, { "content-length": "10" }).write("123"));
    const [read, change] = await Promise.all([failureOf(url, get, 300), failureOf(url, post, 300)]);
    expect([read.class, change.class]).toEqual(["transient", "unknown"]);
    expect(change.message).toContain("did not answer within");
  });

  it("is the same when the connection is dropped, before and amid the answer", async () => {
    const { url } = await serve((response, { url: path }) => {
      if (path === "/amid") response.writeHead(200, { "content-length": "10" }).write("123");
      response.socket?.destroySoon();
    });
    for (const path of [["before"], ["amid"]]) {
      expect((await failureOf(url, { ...get, path })).class).toBe("transient");
      expect((await failureOf(url, { ...post, path })).class).toBe("unknown");
    }
  });

  it("is the same when the answer is no HTTP", async () => {
    const other = createTcpServer((socket) => socket.once("data", () => socket.end("220 hello\r\n")));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      expect((await failureOf(url, get)).class).toBe("transient");
      expect((await failureOf(url, post)).class).toBe("unknown");
    } finally {
      other.close();
    }
  });

  it("is transient for both when nobody listens", async () => {
    const { url } = await serve(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    expect((await failureOf(url, get)).class).toBe("transient");
    expect((await failureOf(url, post)).class).toBe("transient");
  });

  it("is what an answer of more than 4 MiB counts as", async () => {
    const { url } = await serve((response) => response.writeHead(200).end(Buffer.alloc(4 * 1024 * 1024 + 1, "x")));
    expect((await failureOf(url, get)).class).toBe("rejected");
    expect((await failureOf(url, post)).class).toBe("unknown");
  });
});

describe("an answer", () => {
  it.each([
    ["{", undefined],
    ["", undefined],
    ["null", null],
    ["\ufeff{}", undefined],
    ['"x"', "x"],
  ])("whose body is %j has the JSON %j", async (body, json) => {
    const { url } = await serve(answering(200, {}, body));
    expect((await createHttpClient({ baseUrl: url, timeoutMs: 10_000 }).send(get)).json).toEqual(json);
  });

  it("of just 4 MiB is read", async () => {
    const body = `"${"x".repeat(4 * 1024 * 1024 - 2)}"`;
    const { url } = await serve(answering(200, {}, body));
    const answer = await createHttpClient({ baseUrl: url, timeoutMs: 10_000 }).send(get);
    expect(answer.json).toHaveLength(body.length - 2);
    expect(answer.text === body).toBe(true);
  });
});

describe("TLS", () => {
  it("takes the certificates of its own authority, and no others", async () => {
    const folder = makeThrowAway("sealtree-tls-");
    const [key, cert] = [join(folder, "test.key"), join(folder, "test.crt")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const names = ["-subj", "/CN=sealtree test", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", [...request, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const ca = readFileSync(cert, "utf8");
    server = createTlsServer({ key: readFileSync(key), cert: ca }, (_, response) => void response.end("{}"));
    const url = await listen(server, "https");
    expect((await createHttpClient({ baseUrl: url, timeoutMs: 10_000, ca }).send(post)).json).toEqual({});
    const failure = await failureOf(url, post);
    expect(failure).toMatchObject({ class: "transient", message: expect.stringContaining("certificate") });
    const elsewhere = createHttpClient({ baseUrl: url.replace("127.0.0.1", "localhost"), timeoutMs: 10_000, ca });
    await expect(elsewhere.send(post)).rejects.toMatchObject({ message: expect.stringContaining("ALTNAME") });
  });
});
