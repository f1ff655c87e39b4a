import { execFile, spawn, type ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What every test server has. */
export interface TestServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** All that it wrote to its logs so far, at its most verbose. */
  logText(): string;
  /** Ends it, by its process id, and removes its folder. Ending it twice is fine. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it takes connections. */
  readonly ready: RegExp;
  /** The quick and orderly way down. */
  readonly signal?: NodeJS.Signals;
}

export interface ServerProcess {
  readonly pid: number;
  /** What it printed so far, both streams. */
  output(): string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const running = new Set<ChildProcess>();
const isRoot = process.getuid?.() === 0;
/** The user nobody, whose servers see nothing of root's. */
const nobody = 65_534;

/** Servers end when the process that started them exits, and when it is killed (setpriv). */
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** An empty folder in memory where there is such, which belongs to the user that servers run as. */
export function makeServerFolder(name: string): string {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(parent, `sealtree-test-${name}-`));
  giveToServer(folder);
  return folder;
}

/** Lets a server own a file. */
export function giveToServer(path: string): void {
  if (isRoot) chownSync(path, nobody, nobody);
}

/** Removes the folder of a server that has ended. */
export function removeServerFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A port of loopback that is free now. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A server that takes connections and never says a word. */
export async function startSilentServer(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Runs a program to its end as the user that servers run as. Throws with its output when it fails. */
export async function runForServer(program: string, args: readonly string[], folder: string): Promise<void> {
  await run("setpriv", [...privileges("TERM"), program, ...args], { env: environment({ HOME: folder }), cwd: folder });
}

/** Starts a server and waits until it says that it is ready. Throws with its output when it ends before that. */
export async function startServerProcess(folder: string, options: ServerProcessOptions): Promise<ServerProcess> {
  const signal = options.signal ?? "SIGTERM";
  const child = spawn("setpriv", [...privileges(signal.slice(3)), options.program, ...options.args], {
    cwd: folder,
    env: environment({ HOME: folder, ...options.env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let text = "";
  let isReady = false;
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      running.delete(child);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (isReady || !options.ready.test(text)) return;
        isReady = true;
        resolve();
      });
    }
    child.once("error", reject);
    void ended.then(() => reject(new Error(`${options.program} ended before it was ready\n${text}`)));
  });
  return {
    pid: child.pid ?? 0,
    output: () => text,
    async stop() {
      child.kill(signal);
      await ended;
    },
  };
}

/** The text of all files of a folder that end so; empty when there is none. */
export function readLogs(folder: string, ending: string): string {
  if (!existsSync(folder)) return "";
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  return names.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
}

/** A key and a certificate of its own for 127.0.0.1 and localhost, which only this folder's server has. */
export async function makeCertificate(folder: string): Promise<{ key: string; certificate: string; pem: string }> {
  const [key, certificate] = [join(folder, "test.key"), join(folder, "test.crt")];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=sealtree test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  await runForServer("openssl", [...request, ...names, "-keyout", key, "-out", certificate], folder);
  return { key, certificate, pem: readFileSync(certificate, "utf8") };
}

function privileges(deathSignal: string): string[] {
  const user = isRoot ? [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"] : [];
  return [...user, `--pdeathsig=${deathSignal}`, "--"];
}

function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8", TZ: "UTC", ...own };
}
