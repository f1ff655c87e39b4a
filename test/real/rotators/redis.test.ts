import { chmodSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isProviderFailure } from "../../../src/net/provider-failure.ts";
import type { ChosenProvider } from "../../../src/rotation/rotators/provider.ts";
import { openRedis, type RedisConnection } from "../../../src/rotation/rotators/redis-connection.ts";
import { redisRotator } from "../../../src/rotation/rotators/redis.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { provesContract } from "../../support/provider-contract.ts";
import {
  findFreePort,
  makeCertificate,
  makeServerFolder,
  removeServerFolder,
  startServerProcess,
} from "../../support/servers/server-process.ts";
import { startRedis, type RedisOptions, type TestRedis } from "../../support/servers/redis.ts";

const firstPassword = "test-first-password";
const opened: ChosenProvider[] = [];

async function openFor(server: Pick<TestRedis, "port">, own: Record<string, unknown> = {}): Promise<ChosenProvider> {
  const written = { servers: [`127.0.0.1:${server.port}`], user: "app", admin_password: "${env:ADMIN}", ...own };
  const values = { ADMIN: "test-admin-password", LESSER: "test-lesser-password", WRONG: "test-wrong-password" };
  const provider = await redisRotator.provider?.open(redisRotator.options.parse(written), providerAccess(values));
  if (provider?.kind !== "chosen") throw new Error("no chosen provider");
  opened.push(provider);
  return provider;
}

async function asAdmin(server: TestRedis, ...commands: [string, ...string[]][]): Promise<unknown[]> {
  const login = { user: server.adminUser, password: Secret.text(server.adminPassword) };
  const place = { host: server.host, port: server.port, tls: false, ca: undefined };
  const connection = (await openRedis(place, login, 10_000)) as RedisConnection;
  const replies: unknown[] = [];
  try {
    for (const command of commands) replies.push(await connection.ask(command));
  } finally {
    connection.close();
  }
  return replies;
}

async function startWithUser(options?: RedisOptions): Promise<TestRedis> {
  const server = await startRedis(options);
  await asAdmin(
    server,
    ["ACL", "SETUSER", "app", "on", `>${firstPassword}`, "~*", "+@read"],
    ["ACL", "SETUSER", "lesser", "on", ">test-lesser-password", "+acl|getuser", "+ping"],
  );
  return server;
}

async function classOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no failure";
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    expect(inspect(error, { depth: 10 })).not.toContain(firstPassword);
    return error.class;
  }
}

async function folderOf(server: TestRedis): Promise<string> {
  const [reply] = await asAdmin(server, ["CONFIG", "GET", "dir"]);
  return String((reply as string[])[1]);
}

/** Another server with what the first one wrote down. */
async function startAgain(server: TestRedis): Promise<{ port: number; stop(): Promise<void> }> {
  const [folder, port] = await Promise.all([folderOf(server), findFreePort()]);
  const args = [join(folder, "redis.conf"), "--port", String(port)];
  const again = await startServerProcess(folder, {
    program: "redis-server",
    args,
    ready: /Ready to accept connections/,
  });
  return { port, stop: async () => await again.stop() };
}

const first = { password: Secret.text(firstPassword) };

afterAll(async () => {
  await Promise.all(opened.map(async (provider) => await provider.close()));
});

describe.each(["aclfile", "configuration"] as const)("a user that Redis keeps in its %s", (users) => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startWithUser({ users });
  });
  afterAll(async () => await server.stop());

  it("gets a second password, which lets in beside the first until that is revoked", async () => {
    const provider = await openFor(server);
    expect(await provider.preflight(undefined)).toEqual([]);
    const current = await provider.identify(first);
    if (current === undefined) throw new Error("the present password is not known");
    const next = await provider.choose(current);
    expect(next.id).not.toBe(current.id);
    expect(next.id).toMatch(/^app:[\w-]{20}$/);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "dead"]);

    await provider.apply(next, current);
    await provider.apply(next, current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["live", "live"]);
    expect((await provider.identify(next.parts))?.id).toBe(next.id);

    await provider.revoke(current);
    await provider.revoke(current);
    expect([await provider.probe(current), await provider.probe(next)]).toEqual(["dead", "live"]);
    expect(await provider.identify(first)).toBeUndefined();

    const restarted = await startAgain(server);
    try {
      const after = await openFor(restarted);
      expect([await after.probe(current), await after.probe(next)]).toEqual(["dead", "live"]);
    } finally {
      await restarted.stop();
    }
  });

  it("is dead when it cannot be written down, and live with the next try", async () => {
    const provider = await openFor(server);
    const next = await provider.choose(undefined);
    const folder = await folderOf(server);
    chmodSync(folder, 0o555);
    const failure = { class: "auth", message: expect.stringContaining("cannot write them down") };
    await expect(provider.apply(next, undefined)).rejects.toMatchObject(failure);
    expect(await provider.probe(next)).toBe("dead");
    chmodSync(folder, 0o755);
    await provider.apply(next, undefined);
    expect(await provider.probe(next)).toBe("live");
    chmodSync(folder, 0o555);
    await expect(provider.revoke(next)).rejects.toMatchObject(failure);
    expect(await provider.probe(next)).toBe("live");
    chmodSync(folder, 0o755);
    const restarted = await startAgain(server);
    try {
      expect(await (await openFor(restarted)).probe(next)).toBe("live");
    } finally {
      await restarted.stop();
    }
  });

  it("is never written about with a password, at the most verbose", async () => {
    const provider = await openFor(server);
    const next = await provider.choose(undefined);
    await provider.apply(next, undefined);
    await provider.probe(next);
    await provider.revoke(next);
    const said = `${server.logText()}\n${await server.slowLog()}`;
    expect(said).toContain("SETUSER");
    expect(said).not.toContain(partOf(next, "password"));
  });
});

describe("a Redis", () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startWithUser();
  });
  afterAll(async () => await server.stop());

  it("that does not know the administrator is an auth failure", async () => {
    const provider = await openFor(server, { admin_password: "${env:WRONG}" });
    expect(await classOf(provider.preflight(undefined))).toBe("auth");
  });

  it("whose administrator has no rights is an auth failure in preflight", async () => {
    const lesser = { admin_user: "lesser", admin_password: "${env:LESSER}" };
    expect(await classOf((await openFor(server, lesser)).preflight(undefined))).toBe("auth");
    await asAdmin(server, ["ACL", "SETUSER", "lesser", "+acl|setuser", "+config|get", "+info", "+acl|dryrun"]);
    const preflight = (await openFor(server, lesser)).preflight(undefined);
    await expect(preflight).rejects.toMatchObject({ message: expect.stringContaining("may not ACL SAVE") });
    await asAdmin(server, ["ACL", "SETUSER", "lesser", "+acl|save", "-acl|dryrun"]);
    expect(await (await openFor(server, lesser)).preflight(undefined)).toEqual([
      expect.stringContaining("shows only when it does"),
    ]);
    await asAdmin(server, ["ACL", "SETUSER", "lesser", "+acl|dryrun"]);
    const provider = await openFor(server, lesser);
    expect(await provider.preflight(undefined)).toEqual([]);
    const next = await provider.choose(undefined);
    await provider.apply(next, undefined);
    await provider.revoke(next);
  });

  it("without the user, or with one that is off or open to all, is refused before anything is changed", async () => {
    await asAdmin(
      server,
      ["ACL", "SETUSER", "off", "off", ">test-password-of-off"],
      ["ACL", "SETUSER", "open", "on", "nopass"],
    );
    for (const [user, words] of Object.entries({ nobody: "does not exist", off: "turned off", open: "any password" })) {
      const provider = await openFor(server, { user });
      const message = { class: "auth", message: expect.stringContaining(words) };
      await expect(provider.preflight(undefined)).rejects.toMatchObject(message);
      await expect(provider.apply(await provider.choose(undefined), undefined)).rejects.toMatchObject(message);
    }
    const [list] = await asAdmin(server, ["ACL", "LIST"]);
    expect(String(list)).not.toContain("user nobody");
  });

  it("says how many passwords a user has when there are more than two", async () => {
    await asAdmin(server, ["ACL", "SETUSER", "many", "on", ">test-a", ">test-b", ">test-c"]);
    const remarks = await (await openFor(server, { user: "many" })).preflight(undefined);
    expect(remarks).toEqual([expect.stringContaining("has 3 passwords")]);
  });

  it("knows nothing of another user's credential", async () => {
    const provider = await openFor(server);
    expect(await provider.identify({ ...first, user: Secret.text("other") })).toBeUndefined();
    expect(await provider.identify({})).toBeUndefined();
  });
});

describe("a Redis that keeps its users nowhere", () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startWithUser({ users: "nowhere" });
  });
  afterAll(async () => await server.stop());

  it("is refused, unless the rule says that it may forget", async () => {
    const provider = await openFor(server);
    await expect(provider.preflight(undefined)).rejects.toMatchObject({
      class: "auth",
      message: expect.stringContaining("keeps its users nowhere"),
    });
    const accepted = await openFor(server, { users_in: "memory" });
    expect(await accepted.preflight(undefined)).toEqual([expect.stringContaining("FORGETS")]);
    const next = await accepted.choose(undefined);
    await accepted.apply(next, undefined);
    expect(await accepted.probe(next)).toBe("live");
  });

  it("may be two servers, which both have to know a password", async () => {
    const other = await startWithUser({ users: "nowhere" });
    try {
      const servers = [`127.0.0.1:${server.port}`, `127.0.0.1:${other.port}`];
      const both = await openFor(server, { servers, users_in: "memory" });
      const one = await openFor(server, { users_in: "memory" });
      const next = await both.choose(undefined);
      await one.apply(next, undefined);
      expect(await both.probe(next)).toBe("dead");
      await both.apply(next, undefined);
      expect(await both.probe(next)).toBe("live");
      await other.stop();
      expect(await both.probe(next)).toBe("unknown");
      expect(await classOf(both.apply(next, undefined))).toMatch(/transient|unknown/);
    } finally {
      await other.stop();
    }
  });

  it("that is not there is transient, and its credentials are unknown", async () => {
    const gone = await startWithUser({ users: "nowhere" });
    const provider = await openFor(gone, { users_in: "memory" });
    const next = await provider.choose(undefined);
    await gone.stop();
    expect(await classOf(provider.preflight(undefined))).toBe("transient");
    expect(await classOf(provider.apply(next, undefined))).toBe("transient");
    expect(await classOf(provider.identify(first))).toBe("transient");
    expect(await provider.probe(next)).toBe("unknown");
  });

  it("that drops the connection when it is told to change something is unknown", async () => {
    const replies = ["+OK\r\n", "*4\r\n+flags\r\n*1\r\n+on\r\n+passwords\r\n*0\r\n"];
    const fake = createServer((socket) => {
      let answered = 0;
      socket.on("error", () => undefined);
      socket.on("data", () => {
        const reply = replies[answered++];
        if (reply === undefined) socket.destroy();
        else socket.write(reply);
      });
    });
    await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
    try {
      const provider = await openFor({ port: (fake.address() as AddressInfo).port }, { users_in: "memory" });
      expect(await classOf(provider.apply(await provider.choose(undefined), undefined))).toBe("unknown");
    } finally {
      fake.close();
    }
  });
});

describe("the rotator redis", () => {
  let server: TestRedis;
  let users = 0;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => await server.stop());

  provesContract(
    async () => {
      const user = `contract_${++users}`;
      await asAdmin(server, ["ACL", "SETUSER", user, "on", `>${firstPassword}`]);
      return {
        provider: await openFor(server, { user }),
        present: first,
        strange: { password: Secret.text("test-of-something-else") },
        unreachable: async () => await openFor({ port: 1 }, { user }),
        logText: async () => `${server.logText()}\n${await server.slowLog()}`.replaceAll(/>test-\S+/g, ""),
      };
    },
    { kind: "chosen" },
  );
});

describe("a Redis with TLS alone", () => {
  it("is reached with its own authority, and with no other", async () => {
    const folder = makeServerFolder("redis-tls");
    const [port, { key, certificate, pem }] = await Promise.all([findFreePort(), makeCertificate(folder)]);
    const tls = ["--tls-port", String(port), "--tls-cert-file", certificate, "--tls-key-file", key];
    const args = [
      "--port",
      "0",
      ...tls,
      "--tls-auth-clients",
      "no",
      "--save",
      "",
      "--requirepass",
      "test-admin-password",
    ];
    const server = await startServerProcess(folder, {
      program: "redis-server",
      args,
      ready: /Ready to accept connections/,
    });
    try {
      const own = { user: "app", users_in: "memory", tls: "verify" };
      const message = expect.stringContaining("does not exist");
      await expect((await openFor({ port }, { ...own, ca: pem })).preflight(undefined)).rejects.toMatchObject({
        message,
      });
      const stranger = await openFor({ port }, own);
      const refusal = { class: "transient", message: expect.stringContaining("is not to be trusted") };
      await expect(stranger.preflight(undefined)).rejects.toMatchObject(refusal);
      expect(await stranger.probe(await stranger.choose(undefined))).toBe("unknown");
    } finally {
      await server.stop();
      removeServerFolder(folder);
    }
  });
});
