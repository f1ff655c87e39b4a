import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exchangeBytes } from "../../../src/net/http-exchange.ts";
import { findFreePort, makeServerFolder, removeServerFolder } from "./server-process.ts";

export interface TestOpenBao {
  readonly url: string;
  /** The authority of its certificate. */
  readonly ca: string;
  readonly rootToken: string;
  readonly version: string;
  /** Asks it as root; `path` is below `/v1/`. Throws for a status of 400 and more, but for those of `tolerated`. */
  admin(method: string, path: string, body?: unknown, tolerated?: readonly number[]): Promise<Record<string, unknown>>;
  /** A token with these policies alone, and the policy `default`. */
  createToken(policy: string, ttl?: string): Promise<string>;
  logText(): string;
  /** Ends it, by its process id, and removes its folder. Ending it twice is fine. */
  stop(): Promise<void>;
}

const rootToken = "test-root-token";

/** An OpenBao server of its own, over TLS, which keeps everything in memory. A KV engine of version 2 is at `secret`. */
export async function startOpenBao(): Promise<TestOpenBao> {
  const folder = makeServerFolder("openbao");
  const port = await findFreePort();
  const server = ["bao", "server", "-dev", "-dev-tls", `-dev-tls-cert-dir=${folder}`, "-dev-no-store-token"];
  const where = [`-dev-root-token-id=${rootToken}`, `-dev-listen-address=127.0.0.1:${port}`];
  const child = spawn("setpriv", ["--pdeathsig=KILL", "--", ...server, ...where], {
    env: { PATH: process.env["PATH"] ?? "", HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let text = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("OpenBao server started!")) resolve();
      });
    }
    child.once("error", reject);
    void ended.then(() => reject(new Error(`OpenBao ended before it was ready\n${text}`)));
  });
  const url = `https://127.0.0.1:${port}`;
  const ca = readFileSync(join(folder, "vault-ca.pem"), "utf8");

  async function admin(method: string, path: string, body?: unknown, tolerated: readonly number[] = []) {
    const merges = method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {};
    const answer = await exchangeBytes({
      url: new URL(`${url}/v1/${path}`),
      method,
      headers: { "x-vault-token": rootToken, ...merges },
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
      timeoutMs: 10_000,
      ca,
    });
    const said = Buffer.from(answer.body).toString();
    if (answer.status >= 400 && !tolerated.includes(answer.status)) throw new Error(`${method} ${path}: ${said}`);
    return (said === "" ? {} : JSON.parse(said)) as Record<string, unknown>;
  }

  return {
    url,
    ca,
    rootToken,
    version: /Version: OpenBao v([0-9.]+)/.exec(text)?.[1] ?? "",
    admin,
    async createToken(policy, ttl = "1h") {
      const name = `test-policy-${Math.random().toString(36).slice(2)}`;
      await admin("PUT", `sys/policies/acl/${name}`, { policy });
      const answer = await admin("POST", "auth/token/create", { policies: [name], ttl });
      return (answer["auth"] as { client_token: string }).client_token;
    },
    logText: () => text,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      removeServerFolder(folder);
    },
  };
}
