import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startGitServer, type GitServer } from "../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const first = { now: new Date("2026-03-01T02:00:00Z") };
const due = { now: new Date("2026-06-01T02:00:00Z") };
const keys = ["dev/app/SESSION_KEY", "dev/web/COOKIE_KEY"];
const asked = ["rotate", "--due", "--push", "--yes", "--json"];

interface Report {
  rotated: unknown[];
  at_providers: { address: string; outcome: string; code?: string }[];
}

/** A team whose main branch is on a server, with two generated secrets that are due in June. */
async function createTeam(): Promise<{ repository: TestRepository; server: GitServer }> {
  const server = await startGitServer();
  const repository = await createSealedRepository();
  for (const address of keys) await repository.ok(["set", address, "--stdin"], { stdin: "test-first-value", ...first });
  const rule = "{ rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }";
  repository.write("policies/rotation.yaml", `secrets:\n${keys.map((it) => `  ${it}: ${rule}\n`).join("")}`);
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", "rotation policy");
  // By the path: the server is in this process, which waits here.
  repository.git("remote", "add", "origin", server.folder);
  repository.git("push", "--quiet", "--set-upstream", "origin", "main");
  repository.git("config", "remote.origin.url", server.urlWithToken);
  return { repository, server };
}

const tip = (server: GitServer) => server.git("rev-parse", "main").trim();
const head = (repository: TestRepository) => repository.git("rev-parse", "HEAD").trim();
const outcomes = (report: Report) => report.at_providers.map(({ address, outcome }) => [address, outcome]);

describe("rotate --push", () => {
  it("records generated values in one commit that the remote has, with the reason of whoever asked", async () => {
    const { repository, server } = await createTeam();
    const before = tip(server);
    const done = (await repository.ok([...asked, "--reason", "quarterly"], due)).json<Report>();
    expect([done.rotated, outcomes(done)]).toEqual([[], keys.map((address) => [address, "rotated"])]);
    expect([head(repository), repository.git("status", "--short")]).toEqual([tip(server), ""]);
    expect(server.git("rev-list", "--count", `${before}..main`).trim()).toBe("1");
    expect(server.git("log", "-1", "--format=%b", "main")).toMatch(/^quarterly\n\nSealtree-Reason: rotation\n/);
    for (const address of keys)
      expect((await repository.ok(["get", address, "--reveal", "--yes"])).stdout).toMatch(/^[0-9a-f]{32}$/);
    const again = (await repository.ok(asked, due)).json<Report>();
    expect([outcomes(again), head(repository)]).toEqual([[], tip(server)]);
  });

  it("changes nothing anywhere on a dry run, also where the remote is ahead", async () => {
    const { repository, server } = await createTeam();
    const before = head(repository);
    await repository.ok(["set", "dev/app/OTHER", "--stdin"], { stdin: "test-other-value", ...first });
    repository.git("push", "--quiet", server.folder, "main");
    repository.git("reset", "--quiet", "--hard", before);
    const refs = server.git("for-each-ref");
    const done = (await repository.ok([...asked, "--dry-run"], due)).json<Report>();
    expect(outcomes(done)).toEqual(keys.map((address) => [address, "ready"]));
    expect([server.git("for-each-ref"), head(repository)]).toEqual([refs, before]);
  });

  it("goes on what the remote has by now, and leaves alone what somebody set there", async () => {
    const { repository, server } = await createTeam();
    const before = head(repository);
    await repository.ok(["set", keys[0] ?? "", "--stdin"], { stdin: "test-of-a-person", ...due });
    repository.git("push", "--quiet", server.folder, "main");
    repository.git("reset", "--quiet", "--hard", before);
    const done = (await repository.ok(asked, due)).json<Report>();
    expect(outcomes(done)).toEqual([[keys[1], "rotated"]]);
    expect(head(repository)).toBe(tip(server));
    expect((await repository.ok(["get", keys[0] ?? "", "--reveal", "--yes"])).stdout).toBe("test-of-a-person");
  });

  it("gives each secret one new value when two runners do it at once", async () => {
    const { repository, server } = await createTeam();
    const other = join(makeThrowAway("sealtree-clone-"), "clone");
    repository.git("clone", "--quiet", server.folder, other);
    repository.git("-C", other, "config", "remote.origin.url", server.urlWithToken);
    const before = tip(server);
    const runs = await Promise.all([repository.run(asked, due), repository.run(asked, { ...due, cwd: other })]);
    const rotated = runs.flatMap((run) => outcomes(run.json<Report>()).filter(([, outcome]) => outcome === "rotated"));
    expect(new Set(rotated.map(([address]) => address))).toEqual(new Set(keys));
    expect(rotated.length).toBe(keys.length);
    const named = server.git("log", "--format=%(trailers:key=Sealtree-Secret,valueonly)", `${before}..main`);
    expect(named.split("\n").filter(Boolean)).toHaveLength(keys.length);
  });

  it.each(["fetch refs", "push"] as const)("says of each that nothing was done when %s fails", async (request) => {
    const { repository, server } = await createTeam();
    const before = [tip(server), head(repository)];
    if (request === "push") server.protect("main");
    else server.spoil(request, { kind: "status", status: 503 }, 20);
    const result = await repository.run(asked, due);
    const code = request === "push" ? "E_PUSH_REFUSED" : "E_NETWORK";
    expect([result.code, result.json<Report>().at_providers.map((it) => [it.outcome, it.code])]).toEqual([
      8,
      keys.map(() => ["failed", code]),
    ]);
    expect([tip(server), head(repository), repository.git("status", "--short")]).toEqual([...before, ""]);
    if (request === "push") return;
    server.spoil(request, { kind: "status", status: 503 }, 20);
    expect((await repository.run(["rotate", keys[0] ?? "", "--push", "--yes"], due)).code).toBe(9);
  });

  it("does not let a scope that cannot be opened stop the others", async () => {
    const { repository, server } = await createTeam();
    const keyring = repository.git("ls-files", "secrets/dev/app.keys").trim().split("\n");
    for (const path of keyring) repository.write(path, "not a generation\n");
    repository.git("commit", "--quiet", "--all", "-m", "broken");
    repository.git("push", "--quiet", server.folder, "main");
    const result = await repository.run(asked, due);
    expect([result.code, outcomes(result.json<Report>())]).toEqual([
      8,
      [
        [keys[0], "failed"],
        [keys[1], "rotated"],
      ],
    ]);
    expect(head(repository)).toBe(tip(server));
  });

  it("says that there is no remote, and does nothing", async () => {
    const { repository } = await createTeam();
    repository.git("remote", "remove", "origin");
    const before = head(repository);
    const result = await repository.run(asked, due);
    expect([result.code, result.stderr.includes('"code":"E_NO_REMOTE"'), head(repository)]).toEqual([4, true, before]);
  });

  it("gives the report as Markdown within the JSON", async () => {
    const { repository } = await createTeam();
    const { markdown } = (await repository.ok([...asked, "--markdown"], due)).json<{ markdown: string }>();
    expect(markdown).toContain("## Rotation");
    expect(markdown).toContain("dev/app/SESSION");
    // Made here, and at no provider.
    expect(markdown).toContain("### Secret by secret");
    expect(markdown).not.toContain("At providers");
  });
});
