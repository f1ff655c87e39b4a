import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import {
  findFreePort,
  giveToServer,
  makeServerFolder,
  removeServerFolder,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

export interface TestRedis extends TestServer {
  /** May do everything. */
  readonly adminUser: "default";
  readonly adminPassword: string;
  /** The answers of SLOWLOG GET, which has every command, as they came over the wire. */
  slowLog(): Promise<string>;
}

export interface RedisOptions {
  /** Where users are kept: a file of their own, in the configuration (CONFIG REWRITE), or nowhere. */
  readonly users?: "aclfile" | "configuration" | "nowhere";
}

/** A Redis of its own: debug log, all that MONITOR shows, and a slow log of every command. */
export async function startRedis({ users = "aclfile" }: RedisOptions = {}): Promise<TestRedis> {
  const folder = makeServerFolder("redis");
  try {
    const port = await findFreePort();
    const password = "test-admin-password";
    const admin = `user default on >${password} ~* &* +@all`;
    const [config, acl] = [join(folder, "redis.conf"), join(folder, "users.acl")];
    writeFileSync(acl, `${admin}\n`);
    writeFileSync(
      config,
      [...configLines(port, folder), users === "aclfile" ? `aclfile ${acl}` : admin, ""].join("\n"),
    );
    for (const path of [acl, config]) giveToServer(path);
    const settings = configLines(port, folder).flatMap(toArguments);
    const server = await startServerProcess(folder, {
      program: "redis-server",
      args: users === "nowhere" ? [...settings, "--requirepass", password] : [config],
      ready: /Ready to accept connections/,
    });
    const monitor = await openMonitor(port, password).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return {
      host: "127.0.0.1",
      port,
      adminUser: "default",
      adminPassword: password,
      logText: () => [server.output(), monitor.text()].join("\n"),
      slowLog: () =>
        ask(port, [
          ["AUTH", password],
          ["SLOWLOG", "GET", "-1"],
        ]),
      async stop() {
        monitor.close();
        await server.stop();
        removeServerFolder(folder);
      },
    };
  } catch (error) {
    removeServerFolder(folder);
    throw error;
  }
}

function configLines(port: number, folder: string): string[] {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${folder}`,
    'save ""',
    "appendonly no",
    "daemonize no",
    "loglevel debug",
    "slowlog-log-slower-than 0",
    "slowlog-max-len 100000",
  ];
}

function toArguments(line: string): string[] {
  const [name = "", value = ""] = line.split(" ");
  return [`--${name}`, value === '""' ? "" : value];
}

/** A connection that gets to see every command of all others. */
async function openMonitor(port: number, password: string): Promise<{ text(): string; close(): void }> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  await new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (text.startsWith("-")) reject(new Error(`Redis refuses MONITOR: ${text}`));
      if (text.startsWith("+OK\r\n+OK\r\n")) resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("Redis ended the connection of MONITOR")));
    send(socket, [["AUTH", password], ["MONITOR"]]);
  });
  return { text: () => text, close: () => socket.destroy() };
}

/** All that Redis answers to some commands, up to the end that QUIT brings. */
function ask(port: number, commands: readonly (readonly string[])[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.once("error", reject);
    socket.once("close", () => resolve(text));
    send(socket, [...commands, ["QUIT"]]);
  });
}

/** The wire form of commands: RESP arrays of bulk strings. */
function send(socket: Socket, commands: readonly (readonly string[])[]): void {
  for (const words of commands) {
    const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${bulks.join("")}`);
  }
}
