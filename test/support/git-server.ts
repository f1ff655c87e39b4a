import { execFileSync, spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeThrowAway } from "./throw-away.ts";

/** What a client asks for: the list of refs, objects, or a push; `push refs` is the list that a push begins with. */
export type GitRequest = "fetch refs" | "fetch" | "push refs" | "push";

/**
 * How a request is spoiled. `lost answer`: git does it, and the connection ends before its answer;
 * `hang up`: the connection ends and nothing is done; `late`: the connection ends, and git does it
 * when `until` is over; `held`: all is well, but not before `until` is over.
 */
export type Fault =
  | { readonly kind: "lost answer" | "hang up" }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "held"; readonly until: Promise<void> }
  | { readonly kind: "late"; readonly until: Promise<void>; readonly onDone: () => void };

/** A bare repository behind HTTP on this machine, as a git host has it. */
export interface GitServer {
  /** Of the bare repository. */
  readonly folder: string;
  /** Address without a user. */
  readonly url: string;
  readonly token: string;
  /** Address with a user and the token. */
  readonly urlWithToken: string;
  /** As GITHUB_SERVER_URL has it: the same repository is at `test-owner/test-name` below, for the token of the fake GitHub. */
  readonly githubUrl: string;
  /** Takes another token of a job from now on. */
  allow(jobToken: string): void;
  /** The variable by which git asks for the token. */
  readonly env: Readonly<Record<string, string>>;
  /** How many of each were asked for with the right token, spoiled ones also. */
  readonly asked: Readonly<Record<GitRequest, number>>;
  /** Spoils the next `times` requests of that sort, after those that were told before. */
  spoil(request: GitRequest, fault: Fault, times?: number): void;
  /**
   * True lets clients keep their connection. curl then sends a request again, once, when the
   * connection ends before any answer: the server gets a push twice and git sees the second answer.
   */
  keepsConnections: boolean;
  /** Runs before a request is answered, in its turn. */
  onRequest: ((request: GitRequest) => void | Promise<void>) | undefined;
  /** Takes no pushes to a branch from now on, as GitHub says it. */
  protect(branch: string): void;
  git(...args: string[]): string;
  stop(): Promise<void>;
}

const user = "test-runner";
const token = "test-token-0123456789";
const backend = join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-http-backend");

/** Starts a server of one bare repository, a new one or that in `folder`. It ends with the test at the latest. */
export async function startGitServer(folder = makeBareRepository()): Promise<GitServer> {
  const faults = new Map<GitRequest, Fault[]>();
  const asked = { "fetch refs": 0, fetch: 0, "push refs": 0, push: 0 };
  const scripts = makeThrowAway("sealtree-askpass-");
  const askpass = join(scripts, "askpass");
  writeFileSync(askpass, `#!/bin/sh\ncase "$1" in Username*) echo ${user} ;; *) echo ${token} ;; esac\n`);
  chmodSync(askpass, 0o700);

  const logins = new Set([`${user}:${token}`, "x-access-token:test-token"]);
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request);
    if (!server.keepsConnections) response.setHeader("Connection", "close");
    const login = /^basic (.*)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!logins.has(Buffer.from(login, "base64").toString())) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const sort = sortOf(request);
    asked[sort]++;
    await server.onRequest?.(sort);
    const fault = faults.get(sort)?.shift();
    if (fault?.kind === "status") {
      response.writeHead(fault.status).end("an answer that nobody prints\n");
      return;
    }
    if (fault?.kind === "hang up" || fault?.kind === "late") request.socket.destroy();
    if (fault?.kind === "hang up") return;
    if (fault?.kind === "late" || fault?.kind === "held") await fault.until;
    const { status, headers, content } = await runBackend(folder, request, body);
    if (fault?.kind === "late") fault.onDone();
    if (fault?.kind === "lost answer") request.socket.destroy();
    else if (fault?.kind !== "late") response.writeHead(status, headers).end(content);
  };
  const http = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;

  const server: GitServer = {
    folder,
    url: `http://127.0.0.1:${port}/remote.git`,
    token,
    urlWithToken: `http://${user}:${token}@127.0.0.1:${port}/remote.git`,
    githubUrl: `http://127.0.0.1:${port}`,
    allow: (jobToken) => void logins.add(`x-access-token:${jobToken}`),
    env: { GIT_ASKPASS: askpass },
    asked,
    spoil(request, fault, times = 1) {
      faults.set(request, [...(faults.get(request) ?? []), ...Array.from({ length: times }, () => fault)]);
    },
    keepsConnections: false,
    onRequest: undefined,
    protect(branch) {
      const hook = join(folder, "hooks", "update");
      const said = `error: GH006: Protected branch update failed for refs/heads/${branch}.`;
      writeFileSync(hook, `#!/bin/sh\n[ "$1" != "refs/heads/${branch}" ] || { echo "${said}" >&2; exit 1; }\n`);
      chmodSync(hook, 0o755);
    },
    git: (...args) => gitIn(folder, args),
    async stop() {
      if (!http.listening) return;
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
  onTestFinished(() => server.stop());
  return server;
}

function makeBareRepository(): string {
  const base = makeThrowAway("sealtree-server-");
  gitIn(base, ["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
  return join(base, "remote.git");
}

function gitIn(cwd: string, args: readonly string[]): string {
  return execFileSync("git", args, { cwd, env: gitEnv(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function gitEnv() {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], GIT_CONFIG_NOSYSTEM: "1" };
}

function sortOf({ method, url = "" }: IncomingMessage): GitRequest {
  const isPush = url.includes("git-receive-pack");
  if (method === "GET") return isPush ? "push refs" : "fetch refs";
  return isPush ? "push" : "fetch";
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** One request through `git http-backend`, to its end: RFC 3875. */
async function runBackend(folder: string, { method, url = "", headers }: IncomingMessage, body: Buffer) {
  const { pathname, search } = new URL(url, "http://127.0.0.1");
  const child = spawn(backend, {
    env: {
      ...gitEnv(),
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathname.replace(/^\/(?:remote|test-owner\/test-name)(?:\.git)?(?=\/)/, ""),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: method,
      REMOTE_USER: user,
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: headers["content-type"] ?? "",
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: String(headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(body);
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  return parseAnswer(Buffer.concat(chunks));
}

function parseAnswer(output: Buffer) {
  const end = output.indexOf("\r\n\r\n");
  const lines = output
    .subarray(0, end)
    .toString("latin1")
    .split("\r\n")
    .map((line) => line.split(/: (.*)/s) as [string, string]);
  const status = Number(lines.find(([name]) => name === "Status")?.[1].split(" ")[0] ?? 200);
  const headers = Object.fromEntries(lines.filter(([name]) => name !== "Status"));
  return { status, headers, content: output.subarray(end + 4) };
}
