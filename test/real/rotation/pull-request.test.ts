import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitServer, type GitServer } from "../../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { startRedis, type TestRedis } from "../../support/servers/redis.ts";

const first = "test-first-password";
const address = "dev/cache/PASSWORD";
const branch = "sealtree/rotation";
const start = { now: new Date("2026-03-01T02:00:00Z") };
const dayLater = { now: new Date("2026-03-02T02:00:01Z") };

let server: TestRedis;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

function isLetIn(password: string): boolean {
  const args = ["-p", String(server.port), "--no-auth-warning", "--user", "app", "PING"];
  const env = { PATH: process.env["PATH"] ?? "", REDISCLI_AUTH: password };
  return (
    execFileSync("redis-cli", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim() === "PONG"
  );
}

/** A team whose main branch takes no pushes, as behind a ruleset that asks for pull requests. */
async function createTeam(): Promise<{ repository: TestRepository; host: GitServer }> {
  const setUser = ["ACL", "SETUSER", "app", "reset", "on", `>${first}`, "~*", "+@all"];
  execFileSync("redis-cli", ["-p", String(server.port), "--no-auth-warning", "--user", "default", ...setUser], {
    env: { PATH: process.env["PATH"] ?? "", REDISCLI_AUTH: server.adminPassword },
    stdio: "ignore",
  });
  const host = await startGitServer();
  const repository = await createSealedRepository();
  await repository.ok(["set", address, "--stdin"], { stdin: first });
  await repository.ok(["set", "dev/admin/REDIS", "--stdin"], { stdin: server.adminPassword });
  await repository.ok(["set", "dev/app/SESSION_KEY", "--stdin"], { stdin: "test-session-key" });
  const admin = "admin_password: '${secret:dev/admin/REDIS}'";
  repository.write(
    "policies/rotation.yaml",
    `secrets:
  ${address}: { rotator: redis, grace: 24h, options: { servers: ["127.0.0.1:${server.port}"], user: app, ${admin} } }
  dev/app/SESSION_KEY: { rotator: generate, options: { kind: hex, bytes: 32 } }
`,
  );
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", "rotation policy");
  // By the path: the server is in this process, which waits here.
  repository.git("remote", "add", "origin", host.folder);
  repository.git("push", "--quiet", "--set-upstream", "origin", "main");
  repository.git("config", "remote.origin.url", host.urlWithToken);
  host.protect("main");
  return { repository, host };
}

/** Merges the branch into main at the host, as the button of a pull request does. */
function mergeAtHost(host: GitServer): void {
  host.git("config", "user.name", "Test Host");
  host.git("config", "user.email", "host@example.com");
  const commit = host.git("commit-tree", `${branch}^{tree}`, "-p", "main", "-p", branch, "-m", "merged").trim();
  host.git("update-ref", "refs/heads/main", commit);
}

describe("sealtree rotate where main takes no pushes", () => {
  it("is refused with the two ways out, and the server is not touched", async () => {
    const { repository } = await createTeam();
    const { code, stderr } = await repository.run(["rotate", address, "--yes"], start);
    expect(code).toBe(9);
    expect(stderr).toContain("does not take a push to main");
    expect(stderr).toContain("sealtree rotate --due --branch sealtree/rotation");
    expect(isLetIn(first)).toBe(true);
    expect(repository.git("status", "--short")).toBe("");
  });

  it("goes by a branch and a pull request with --branch, and old and new are good until the merge", async () => {
    const { repository, host } = await createTeam();
    const before = repository.git("rev-parse", "HEAD");
    const asked = ["rotate", "--all", "--branch", branch, "--yes"];
    const done = await repository.ok([...asked, "--json"], start);
    expect(done.json()).toMatchObject({
      rotated: [],
      at_providers: [
        { address, outcome: "rotated", awaits_merge: true },
        { address: "dev/app/SESSION_KEY", outcome: "rotated" },
      ],
      branch: `origin/${branch}`,
      trunk: "main",
    });
    expect(repository.git("rev-parse", "HEAD")).toBe(before);
    expect(repository.git("status", "--short")).toBe("");
    repository.git("fetch", "--quiet", host.folder, "+refs/heads/*:refs/remotes/origin/*");
    const read = async (what: string, at: string) =>
      (await repository.ok(["get", what, "--at", at, "--reveal", "--yes"])).stdout;
    const proposed = await read(address, `origin/${branch}`);
    expect([isLetIn(first), isLetIn(proposed)]).toEqual([true, true]);
    expect(await read("dev/app/SESSION_KEY", `origin/${branch}`)).toMatch(/^[0-9a-f]{64}$/);

    const waits = await repository.ok(["rotate", "--resume", "--branch", branch, "--yes"], dayLater);
    expect(waits.stderr).toContain(`nothing to do for ${address}: its new value waits for the pull request`);
    expect(isLetIn(first)).toBe(true);

    mergeAtHost(host);
    repository.git("pull", "--quiet", "--ff-only", host.folder, "main");
    expect((await repository.ok(["check"])).code).toBe(0);
    expect((await repository.ok(["rotation", "status"], dayLater)).stdout).toContain("ok, grace");
    const seen = await repository.ok(["rotate", "--resume", "--branch", branch, "--yes"], dayLater);
    expect(seen.stderr).toContain("is in grace until 2026-03-03 02:00 UTC");
    const end = await repository.ok(["rotate", "--resume", "--branch", branch, "--yes"], {
      now: new Date("2026-03-03T02:00:02Z"),
    });
    expect(end.stderr).toContain(
      `ended the old credential of ${address}\nrecorded on origin/${branch}: open a pull request into main\n`,
    );
    expect([isLetIn(first), isLetIn(proposed)]).toEqual([false, true]);
  });

  it("shows with --dry-run what it would do, and makes no branch", async () => {
    const { repository, host } = await createTeam();
    const { stderr } = await repository.ok(["rotate", "--all", "--branch", branch, "--dry-run"], start);
    expect(stderr).toContain(`ready to rotate ${address}`);
    expect(host.git("for-each-ref", "--format=%(refname)").trim()).toBe("refs/heads/main");
  });

  it.each(["-x", "a..b", "@{-1}", "a b", ""])("refuses %j as a branch", async (name) => {
    const { repository } = await createTeam();
    const { code, stderr } = await repository.run(["rotate", "--due", `--branch=${name}`, "--yes"], start);
    expect([code, stderr.includes("--branch takes the name of a branch")]).toEqual([2, true]);
  });
});
