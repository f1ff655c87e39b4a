import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPublishedKeys } from "../../src/access/github-keys.ts";

// Public test keys: the seed of the first is 32 bytes of 1, the others were thrown away.
const ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const ecdsa =
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDyFS6DWbH1/TcJMPZb/20KwFo0Iafdgk6OP+UmHmLGPDxdFV6h+iMyzo1/X36Yqs77IwH2ABksmL7OXl+IO9C8=";
const shortRsa =
  "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCfHd5pXhOpSHTTdCy37pbeqs34gmpDLcFjQePoocl0cdHBCBA6t+8rGU0ZMu8f87KQ+lYGtnTNivJlmKBfzZxdcVeAkB6yI+OW1sAP7mHRAuWIfjefbyQofybmSxRjbnsJw4kAr/ZSNm0sZZt4LMwO+ETEWJUqgp/7cJunkYIHRQ==";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const text = (body: string | Uint8Array, type = "text/plain; charset=utf-8"): Answer => {
  return (_request, response) => response.writeHead(200, { "content-type": type }).end(body);
};
const redirect = (location: string): Answer => {
  return (_request, response) => response.writeHead(302, { location }).end();
};

let server: Server;
let baseUrl: string;
let answers: Readonly<Record<string, Answer>>;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ""];
    if (answer === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("Not Found");
    else answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const fetchAll = async (user: string, timeoutMs = 10_000) => await fetchPublishedKeys(user, { baseUrl, timeoutMs });

describe("fetchPublishedKeys", () => {
  it("gives the keys with the fingerprints that ssh-keygen prints", async () => {
    answers = { "/bob-test.keys": text(`${ed25519} bob@example.test\n${ecdsa}\n${shortRsa}\n${ed25519}\n\n`) };
    const { source, keys, unfit } = await fetchAll("bob-test");
    expect(source).toBe(`${new URL(baseUrl).host}/bob-test`);
    expect(keys).toEqual([
      { type: "ssh-ed25519", text: ed25519, fingerprint: "SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8" },
      { type: "ecdsa-sha2-nistp256", text: ecdsa, fingerprint: "SHA256:Q8IWjsW//nW3qE5DwDHbuItLQ24yZx6uGsBVXVG/vaM" },
    ]);
    expect(unfit).toMatchObject([
      { fingerprint: "SHA256:kGYcIGXnYpXDfcIRq+VZm4XYRWn0W88XRoPD91ReFSI", reason: /1024/ },
    ]);
  });

  it("follows a redirect on the same host, and no other", async () => {
    answers = {
      "/old.keys": redirect("/new.keys"),
      "/new.keys": text(`${ed25519}\n`),
      "/away.keys": redirect("https://elsewhere.example.test/away.keys"),
      "/round.keys": redirect("/round.keys"),
    };
    expect((await fetchAll("old")).keys).toHaveLength(1);
    await expect(fetchAll("away")).rejects.toMatchObject({ code: "E_NETWORK", message: /redirect to another host/ });
    await expect(fetchAll("round")).rejects.toMatchObject({ code: "E_NETWORK" });
  });

  it.each<[string, Answer | undefined, string]>([
    ["a user that is not there", undefined, "E_USER_NOT_FOUND"],
    ["a user without a key", text(""), "E_USER_NOT_FOUND"],
    ["a page", text("<html>", "text/html"), "E_NETWORK"],
    ["text that is no key", text("canary of the server\n"), "E_NETWORK"],
    ["a key that is cut short", text(`${ed25519.slice(0, 50)}\n`), "E_NETWORK"],
    ["bytes that are no text", text(Buffer.from([0xff, 0xfe, 0x0a])), "E_NETWORK"],
    ["more than 64 KiB", text(`${ed25519}\n`.repeat(1000)), "E_NETWORK"],
    ["a failure of the server", (_request, response) => response.writeHead(500).end("canary"), "E_NETWORK"],
    ["a line that is cut", (request) => request.socket.destroy(), "E_NETWORK"],
  ])("refuses %s with the next step", async (_what, answer, code) => {
    answers = answer === undefined ? {} : { "/bob.keys": answer };
    const error: unknown = await fetchAll("bob").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, hints: [expect.any(String), expect.any(String)] });
    expect((error as Error).message).not.toContain("canary");
  });

  it("does not wait for ever", async () => {
    answers = { "/bob.keys": () => undefined };
    await expect(fetchAll("bob", 50)).rejects.toMatchObject({ code: "E_NETWORK", message: /did not answer/ });
  });

  it.each(["", "a_b", "../x", "a".repeat(40), "bob?x"])("asks nobody about %j", async (user) => {
    await expect(fetchAll(user)).rejects.toMatchObject({ code: "E_USAGE" });
  });

  it.each([
    "",
    "github.com",
    "http://github.com",
    "ftp://127.0.0.1",
    "https://u:p@example.test",
    "https://example.test/?q",
  ])("does not take %j for an address", async (address) => {
    const asked = fetchPublishedKeys("bob", { baseUrl: address, timeoutMs: 1000 });
    await expect(asked).rejects.toMatchObject({ code: "E_USAGE", message: /SEALTREE_GITHUB_URL/ });
  });
});
