import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { startRedis, type TestRedis } from "../../support/servers/redis.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const first = "test-first-password";
const address = "dev/cache/PASSWORD";
const at = (time: string) => ({ now: new Date(time) });
const start = at("2026-03-01T02:00:00Z");

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

function redis(user: string, password: string, ...command: string[]): string {
  const args = ["-p", String(server.port), "--no-auth-warning", "--user", user, ...command];
  const env = { PATH: process.env["PATH"] ?? "", REDISCLI_AUTH: password };
  return execFileSync("redis-cli", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

const isLetIn = (password: string) => redis("app", password, "PING") === "PONG";

/** A team whose programs read the password, and an address with it, from files that are deployed. */
async function createTeam(): Promise<{ repository: TestRepository; files: string }> {
  redis("default", server.adminPassword, "ACL", "SETUSER", "app", "reset", "on", `>${first}`, "~*", "+@all");
  const repository = await createSealedRepository();
  const files = makeThrowAway("sealtree-files-");
  const base = makeThrowAway("sealtree-remote-");
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"], { cwd: base });
  await repository.ok(["set", address, "--stdin"], { stdin: first });
  await repository.ok(["set", "dev/admin/REDIS", "--stdin"], { stdin: server.adminPassword });
  const url = "redis://app:${secret:dev/cache/PASSWORD}@cache.example.com";
  await repository.ok(["set", "dev/app/CACHE_URL", "--stdin"], { stdin: url });
  const admin = "admin_password: '${secret:dev/admin/REDIS}'";
  repository.write(
    "policies/rotation.yaml",
    `secrets:\n  ${address}: { rotator: redis, grace: 24h, options: { servers: ["127.0.0.1:${server.port}"], user: app, ${admin} } }\n`,
  );
  repository.write(
    "policies/deploy.yaml",
    `targets:
  cache: { kind: dotenv, file: ${join(files, "cache.env")}, scopes: [dev/cache], required: true }
  app: { kind: dotenv, file: ${join(files, "app.env")}, scopes: [dev/app], required: true }
  notes: { kind: dotenv, file: ${join(files, "notes.env")}, scopes: [dev/cache] }
`,
  );
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", "policies");
  repository.git("remote", "add", "origin", join(base, "remote.git"));
  repository.git("push", "--quiet", "--set-upstream", "origin", "main");
  return { repository, files };
}

const valueOf = async (repository: TestRepository) =>
  (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;

describe("a rotation whose secret is deployed", () => {
  it("brings the new value to every target that has it, also within another value", async () => {
    const { repository, files } = await createTeam();
    const { stderr } = await repository.ok(["rotate", address, "--yes"], start);
    for (const target of ["cache", "app", "notes"]) expect(stderr).toContain(`deployed to ${target}\n`);
    const value = await valueOf(repository);
    for (const file of ["cache.env", "notes.env"]) expect(readFileSync(join(files, file), "utf8")).toContain(value);
    expect(readFileSync(join(files, "app.env"), "utf8")).toContain(`redis://app:${value}@cache.example.com`);
    expect((await repository.ok(["drift"], start)).code).toBe(0);
    expect(stderr).not.toContain(value);
  });

  it("never ends the old credential before every required target has the new one, and then only after a grace", async () => {
    const { repository, files } = await createTeam();
    await repository.ok(["deploy", "--yes"], start);
    // What stands there now is somebody else's, so that nothing can be sent.
    const mine = readFileSync(join(files, "app.env"), "utf8");
    writeFileSync(join(files, "app.env"), "WRITTEN_BY=somebody\n");
    const stopped = await repository.run(["rotate", address, "--yes"], start);
    expect(stopped.code).toBe(8);
    expect(stopped.stderr).toContain("not deployed to app: ");
    const value = await valueOf(repository);
    expect([isLetIn(first), isLetIn(value)]).toEqual([true, true]);

    const waits = await repository.run(["rotate", "--due", "--yes"], at("2026-03-03T02:00:00Z"));
    expect(waits.code).toBe(8);
    expect(waits.stderr).toContain(`kept the old credential of ${address}: app does not have the new one`);
    expect(waits.stderr).toContain("sealtree deploy app");
    expect(isLetIn(first)).toBe(true);

    writeFileSync(join(files, "app.env"), mine);
    const sent = await repository.ok(["rotate", "--due", "--yes"], at("2026-03-04T02:00:00Z"));
    expect(sent.stderr).toContain("deployed to app\n");
    expect(sent.stderr).toContain("is in grace until 2026-03-05 02:00 UTC");
    expect(isLetIn(first)).toBe(true);
    const end = await repository.ok(["rotate", "--due", "--yes"], at("2026-03-05T02:00:01Z"));
    expect(end.stderr).toContain(`ended the old credential of ${address}`);
    expect([isLetIn(first), isLetIn(value)]).toEqual([false, true]);
  });

  it("leaves the deploying to others with --no-deploy, and goes by what they recorded", async () => {
    const { repository, files } = await createTeam();
    await repository.ok(["rotate", address, "--no-deploy", "--yes"], start);
    expect(existsSync(join(files, "cache.env"))).toBe(false);
    const late = at("2026-03-02T03:00:00Z");
    const waits = await repository.run(["rotate", "--resume", "--no-deploy", "--yes"], late);
    expect([waits.code, isLetIn(first)]).toEqual([8, true]);
    await repository.ok(["deploy", "--yes"], late);
    const end = await repository.ok(["rotate", "--resume", "--no-deploy", "--yes"], late);
    expect(end.stderr).toContain(`ended the old credential of ${address}`);
    expect(isLetIn(first)).toBe(false);
  });

  it("does not wait for a target that is not required", async () => {
    const { repository, files } = await createTeam();
    writeFileSync(join(files, "notes.env"), "WRITTEN_BY=somebody\n");
    const { stderr } = await repository.ok(["rotate", address, "--yes"], start);
    expect(stderr).toContain("not deployed to notes: ");
    await repository.ok(["rotate", "--due", "--yes"], at("2026-03-02T02:00:01Z"));
    expect(isLetIn(first)).toBe(false);
  });

  it("deploys at once in an emergency, and ends the old credential when that is done and not before", async () => {
    const { repository, files } = await createTeam();
    await repository.ok(["deploy", "--yes"], start);
    const mine = readFileSync(join(files, "cache.env"), "utf8");
    writeFileSync(join(files, "cache.env"), "WRITTEN_BY=somebody\n");
    const stopped = await repository.run(["rotate", address, "--emergency", "--yes"], start);
    expect([stopped.code, isLetIn(first)]).toEqual([8, true]);
    writeFileSync(join(files, "cache.env"), mine);
    const { stderr } = await repository.ok(["rotate", address, "--emergency", "--yes"], start);
    expect(stderr).toContain("deployed to cache\n");
    expect(isLetIn(first)).toBe(false);
    expect(readFileSync(join(files, "cache.env"), "utf8")).toContain(await valueOf(repository));
    rmSync(files, { recursive: true });
  });
});
