import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { startRedis, type TestRedis } from "../../support/servers/redis.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const first = "test-first-password";
const address = "dev/cache/PASSWORD";

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

/** One command as a user; gives what the server says. */
function redis(user: string, password: string, ...command: string[]): string {
  return execFileSync("redis-cli", ["-p", String(server.port), "--no-auth-warning", "--user", user, ...command], {
    env: { PATH: process.env["PATH"] ?? "", REDISCLI_AUTH: password },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

function isLetIn(password: string): boolean {
  return redis("app", password, "PING") === "PONG";
}

/** A team's repository with a remote, where the password of the user `app` is rotated. */
async function createTeam(options = ""): Promise<TestRepository> {
  redis("default", server.adminPassword, "ACL", "SETUSER", "app", "reset", "on", `>${first}`, "~*", "+@all");
  const repository = await createSealedRepository();
  const base = makeThrowAway("sealtree-remote-");
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"], { cwd: base });
  await repository.ok(["set", address, "--stdin"], { stdin: first });
  await repository.ok(["set", "dev/admin/REDIS", "--stdin"], { stdin: server.adminPassword });
  const admin = "admin_password: '${secret:dev/admin/REDIS}'";
  repository.write(
    "policies/rotation.yaml",
    `secrets:\n  ${address}: { rotator: redis, grace: 24h, options: { servers: ["127.0.0.1:${server.port}"], user: app, ${admin}${options} } }\n`,
  );
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", "rotation policy");
  repository.git("remote", "add", "origin", join(base, "remote.git"));
  repository.git("push", "--quiet", "--set-upstream", "origin", "main");
  return repository;
}

async function valueOf(repository: TestRepository): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
}

describe("sealtree rotate with a credential at a server", () => {
  it("gives a new value that is pushed, keeps the old for a day, and ends it", async () => {
    const repository = await createTeam();
    const { stderr } = await repository.ok(["rotate", address, "--yes"], { now: new Date("2026-03-01T02:00:00Z") });
    expect(stderr.split("\n")[0]).toBe(`rotated ${address}; the old credential is good until 2026-03-02 02:00 UTC`);
    const now = await valueOf(repository);
    expect(now).not.toBe(first);
    expect([isLetIn(now), isLetIn(first)]).toEqual([true, true]);
    expect(repository.git("status", "--short")).toBe("");
    expect(repository.git("rev-parse", "HEAD")).toBe(repository.git("rev-parse", "origin/main"));
    expect(repository.git("log", "-2", "--format=%s")).toBe(
      "secrets(dev/cache): rotate PASSWORD\nsecrets(dev/cache): begin rotating PASSWORD\n",
    );

    const later = { now: new Date("2026-03-02T02:00:01Z") };
    const end = await repository.ok(["rotate", "--resume", "--yes", "--json"], later);
    expect(end.json()).toMatchObject({ at_providers: [{ address, outcome: "ended" }] });
    expect([isLetIn(now), isLetIn(first)]).toEqual([true, false]);
    expect((await repository.ok(["check"])).code).toBe(0);
    expect(`${server.logText()}${await server.slowLog()}`).not.toContain(now);
  });

  it("ends a grace that began in another clone, and that this one has not heard of", async () => {
    const repository = await createTeam();
    const root = join(makeThrowAway("sealtree-clone-"), "clone");
    repository.git("clone", "--quiet", repository.git("remote", "get-url", "origin").trim(), root);
    await repository.ok(["rotate", address, "--yes"], { now: new Date("2026-03-01T02:00:00Z") });
    const later = { cwd: root, now: new Date("2026-03-02T02:00:01Z") };
    const end = await repository.ok(["rotate", "--resume", "--yes", "--json"], later);
    expect(end.json()).toMatchObject({ at_providers: [{ address, outcome: "ended" }] });
    expect([isLetIn(await valueOf(repository)), isLetIn(first)]).toEqual([true, false]);
  });

  it("ends the old value at once in an emergency", async () => {
    const repository = await createTeam();
    await repository.ok(["rotate", address, "--emergency", "--reason", "laptop lost", "--yes"]);
    expect([isLetIn(await valueOf(repository)), isLetIn(first)]).toEqual([true, false]);
  });

  it("looks at everything on a dry run and changes nothing", async () => {
    const repository = await createTeam();
    const before = repository.git("ls-remote", "origin");
    const { stderr } = await repository.ok(["rotate", address, "--dry-run"]);
    expect(stderr).toContain(`ready to rotate ${address}\n`);
    expect(repository.git("ls-remote", "origin")).toBe(before);
    expect(await valueOf(repository)).toBe(first);
  });

  it("says what is wrong and what to do, and begins nothing", async () => {
    const repository = await createTeam();
    await repository.ok(["set", "dev/admin/REDIS", "--stdin"], { stdin: "test-wrong-password" });
    const unpushed = await repository.run(["rotate", address, "--yes"]);
    expect([unpushed.code, unpushed.stderr.split("\n")[0]]).toEqual([
      7,
      "sealtree: error: the present branch has commits that origin/main does not have",
    ]);
    repository.git("push", "--quiet");
    const refused = await repository.run(["rotate", address, "--yes"]);
    expect(refused.code).toBe(9);
    expect(refused.stderr).not.toContain("test-wrong-password");
    expect(repository.git("log", "-1", "--format=%s")).toBe("secrets(dev/admin): set REDIS\n");
    repository.git("remote", "remove", "origin");
    expect((await repository.run(["rotate", address, "--yes"])).stderr).toContain("there is no remote");
  });

  it("goes back to the old credential while it is in grace, and gives any earlier value again after", async () => {
    const repository = await createTeam();
    await repository.ok(["rotate", address, "--yes"]);
    const newer = await valueOf(repository);
    const back = await repository.ok(["rollback", address, "--to", "previous", "--yes"]);
    expect(back.stderr).toContain(`rolled back ${address}, at its provider too`);
    expect(await valueOf(repository)).toBe(first);
    expect([isLetIn(first), isLetIn(newer)]).toEqual([true, true]);
    await repository.ok(["rotate", "--resume", "--yes"], { now: new Date(Date.now() + 25 * 3_600_000) });
    expect([isLetIn(first), isLetIn(newer)]).toEqual([true, false]);
    const later = { now: new Date(Date.now() + 26 * 3_600_000) };
    const again = await repository.ok(["rollback", address, "--to", "2", "--yes"], later);
    expect(again.stderr).toContain(`rolled back ${address}, at its provider too`);
    expect(await valueOf(repository)).toBe(newer);
    expect([isLetIn(first), isLetIn(newer)]).toEqual([true, true]);
    await repository.ok(["rollback", address, "--to", "1", "--yes"], later);
    expect(await valueOf(repository)).toBe(first);
  });

  it("finds a git revert without a key, and a dead value by asking", async () => {
    const repository = await createTeam();
    await repository.ok(["rotate", address, "--yes"]);
    repository.git("checkout", "--quiet", "HEAD~1", "--", "secrets/dev/cache.yaml");
    repository.git("commit", "--quiet", "-m", "back to the old one");
    const check = await repository.run(["check", "--json"]);
    expect(check.json()["findings"]).toContainEqual(
      expect.objectContaining({
        rule: "rotation-journal",
        severity: "error",
        message: expect.stringContaining("again") as string,
      }),
    );
    expect((await repository.run(["check", "--live", "--json"])).stdout).not.toContain('"live"');
    redis("default", server.adminPassword, "ACL", "SETUSER", "app", "reset", "on", ">test-other-password");
    const live = await repository.run(["check", "--live", "--json"]);
    expect(live.json()["findings"]).toContainEqual(
      expect.objectContaining({ rule: "live", severity: "error", hint: `sealtree rotate ${address}` }),
    );
  });
});
