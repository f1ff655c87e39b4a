import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Key {
  readonly id: string;
  readonly value: string;
  readonly name: string;
}

export interface KeyService {
  readonly url: string;
  readonly adminToken: string;
  /** The keys of an account, to be read and set by the test alone. */
  readonly accounts: Map<string, readonly Key[]>;
  stop(): Promise<void>;
}

const adminToken = "test-admin-token";
const maxKeys = 2;

/**
 * A service that makes API keys and shows each once. An account, `/ACCOUNT/...`, has two at most;
 * a key has a name. `POST /ACCOUNT/roll` makes a new one in the place of all that are there.
 * `GET /ACCOUNT/me` is what a program with a key asks.
 */
export async function startKeyService(): Promise<KeyService> {
  const accounts = new Map<string, readonly Key[]>();
  const http = createServer((request, response) => {
    respond(accounts, request).then(
      ({ status, body }) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    adminToken,
    accounts,
    async stop() {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

async function respond(accounts: Map<string, readonly Key[]>, request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const [, account = "", what, id] = (request.url ?? "").split("/");
  const keys = accounts.get(account) ?? [];
  const bearer = request.headers.authorization?.replace("Bearer ", "");
  if (what === "me") {
    const key = keys.find(({ value }) => value === bearer);
    return key === undefined ? { status: 401, body: {} } : { status: 200, body: { key: { id: key.id } } };
  }
  if (bearer !== adminToken) return { status: 403, body: {} };
  if (what === "roll") {
    const rolled = makeKey("rolled");
    accounts.set(account, [rolled]);
    return { status: 200, body: rolled };
  }
  if (what !== "keys") return { status: 404, body: {} };
  if (request.method === "GET")
    return { status: 200, body: { data: keys.map(({ id: each, name }) => ({ id: each, name })) } };
  if (request.method === "DELETE") {
    accounts.set(
      account,
      keys.filter((key) => key.id !== id),
    );
    return { status: keys.some((key) => key.id === id) ? 204 : 404, body: {} };
  }
  if (keys.length >= maxKeys) return { status: 409, body: {} };
  const { name } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { readonly name: string };
  const made = makeKey(name);
  accounts.set(account, [...keys, made]);
  return { status: 201, body: made };
}

function makeKey(name: string): Key {
  return { id: randomBytes(6).toString("hex"), value: `test-key-${randomBytes(18).toString("hex")}`, name };
}
