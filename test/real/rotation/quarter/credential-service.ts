import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the service wrote down itself. A value is told by its fingerprint. */
export interface ServiceEntry {
  readonly atMs: number;
  readonly account: string;
  readonly what: "made" | "ended" | "let in" | "refused";
  readonly value: string;
}

/** How the next change at any account is spoiled. */
export interface ServiceFault {
  /** `lost answer`: it is done and the connection ends; `silence`: it is done and nothing is ever answered. */
  readonly how: "500" | "429" | "lost answer" | "silence";
  onHit(account: string): void;
}

/** A service with accounts, which knows which credentials are good. */
export interface CredentialService {
  readonly url: string;
  readonly log: readonly ServiceEntry[];
  readonly faults: ServiceFault[];
  /** Accounts whose service does not answer but with 503. Logging in works. */
  isDown: (account: string) => boolean;
  /** Makes a key, as a person does on the web page. */
  makeKey(account: string): string;
  endKey(account: string, value: string): void;
  /** A program logs in. */
  logIn(account: string, value: string): boolean;
  /** Fingerprints of what is let in now. */
  live(account: string): string[];
  stop(): Promise<void>;
}

export const adminToken = "test-admin-token";
const maxKeys = 2;

interface Key {
  readonly id: string;
  readonly value: string;
  readonly name: string;
}

/** Names a value in logs of the test. */
export function fingerprint(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

/** Starts one on this machine; `now` is its clock. */
export async function startCredentialService(now: () => number): Promise<CredentialService> {
  const accounts = new Map<string, readonly Key[]>();
  const log: ServiceEntry[] = [];
  const silent = new Set<ServerResponse>();
  const note = (account: string, what: ServiceEntry["what"], value: string) =>
    void log.push({ atMs: now(), account, what, value: fingerprint(value) });
  const keysOf = (account: string) => accounts.get(account) ?? [];

  function add(account: string, value: string, name: string): Key {
    const key = { id: `key-${randomBytes(6).toString("hex")}`, value, name };
    accounts.set(account, [...keysOf(account), key]);
    note(account, "made", value);
    return key;
  }

  function end(account: string, isIt: (key: Key) => boolean): boolean {
    const ended = keysOf(account).filter(isIt);
    for (const { value } of ended) note(account, "ended", value);
    accounts.set(
      account,
      keysOf(account).filter((key) => !isIt(key)),
    );
    return ended.length > 0;
  }

  function administer(account: string, what: string, method: string, rest: string, fields: Record<string, string>) {
    const { name = "", password = "" } = fields;
    const isThere = keysOf(account).some(({ value }) => value === password);
    switch (`${method} ${what}${rest === "" ? "" : "/"}`) {
      case "GET keys":
        return { status: 200, json: { data: keysOf(account).map((key) => ({ id: key.id, name: key.name })) } };
      case "POST keys":
        return keysOf(account).length >= maxKeys
          ? { status: 409, json: {} }
          : { status: 201, json: add(account, newValue(), name) };
      case "DELETE keys/":
        return { status: end(account, ({ id }) => id === rest) ? 204 : 404 };
      case "PUT passwords":
        if (!isThere && keysOf(account).length >= maxKeys) return { status: 409, json: {} };
        if (!isThere) add(account, password, "chosen");
        return { status: 200, json: {} };
      case "POST passwords/":
        return { status: end(account, ({ value }) => value === password) ? 200 : 404, json: {} };
      case "POST roll":
        end(account, () => true);
        return { status: 200, json: { value: add(account, newValue(), "rolled").value } };
    }
    return { status: 404, json: {} };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, account = "", what = "", rest = ""] = (request.url ?? "").split("/");
    const send = (status: number, json?: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json) ?? "");
    if (service.isDown(account)) return send(503, {});
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (what === "me") {
      const key = keysOf(account).find(({ value }) => value === bearer);
      return key === undefined ? send(401, {}) : send(200, { key: { id: key.id } });
    }
    if (bearer !== adminToken) return send(403, {});
    const method = request.method ?? "";
    const fault = method === "GET" ? undefined : service.faults.shift();
    fault?.onHit(account);
    if (fault?.how === "500" || fault?.how === "429") return send(Number(fault.how), {});
    const body = Buffer.concat(chunks).toString("utf8");
    const fields = body === "" ? {} : (JSON.parse(body) as Record<string, string>);
    const { status, json } = administer(account, what, method, decodeURIComponent(rest), fields);
    if (fault?.how === "lost answer") request.socket.destroy();
    else if (fault?.how === "silence") silent.add(response);
    else send(status, json);
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const service: CredentialService = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    log,
    faults: [],
    isDown: () => false,
    makeKey: (account) => add(account, newValue(), "made by hand").value,
    endKey: (account, value) => void end(account, (key) => key.value === value),
    logIn(account, value) {
      const isLetIn = keysOf(account).some((key) => key.value === value);
      note(account, isLetIn ? "let in" : "refused", value);
      return isLetIn;
    },
    live: (account) => keysOf(account).map(({ value }) => fingerprint(value)),
    async stop() {
      for (const response of silent) response.destroy();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
  return service;
}

function newValue(): string {
  return `test-key-${randomBytes(18).toString("hex")}`;
}
