import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readAudit } from "../../src/audit/read-log.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

interface LoggedVersion {
  version: number;
  event: string;
  value_id: string | null;
  commit: string;
  author: { name: string; email: string };
  reason: string | null;
  same_as: number | null;
  current: boolean;
}

interface Logged {
  versions: LoggedVersion[];
  uncommitted: { event: string; value_id: string | null } | null;
  warnings: string[];
}

const key = "dev/app/API_KEY";
const file = "secrets/dev/app.yaml";

async function createWithValues(...values: string[]): Promise<TestRepository> {
  const repository = await createSealedRepository();
  for (const value of values) await repository.ok(["set", key, "--stdin"], { stdin: value });
  return repository;
}

async function readLog(repository: TestRepository, ...options: string[]): Promise<Logged> {
  return (await repository.ok(["log", key, "--json", ...options])).json<Logged>();
}

async function reveal(repository: TestRepository, address = key): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
}

describe("log", () => {
  it("numbers versions from the oldest and shows the newest first", async () => {
    const repository = await createWithValues("test-one", "test-two", "test-three");
    const { versions, uncommitted, warnings } = await readLog(repository);
    expect(versions.map(({ version, current }) => [version, current])).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
    expect(versions[0]).toMatchObject({
      event: "set",
      commit: repository.git("rev-parse", "HEAD").trim(),
      author: { name: "Alice Example", email: "alice@example.test" },
      reason: "manual",
    });
    expect(versions[0]?.value_id).toMatch(/^[0-9a-f]{16}$/);
    expect({ uncommitted, warnings }).toEqual({ uncommitted: null, warnings: [] });
  });

  it("shows one line a version, the versions of other secrets left out", async () => {
    const repository = await createWithValues("test-one", "test-two");
    await repository.ok(["set", "dev/app/OTHER", "--stdin"], { stdin: "test-other" });
    expect((await readLog(repository, "--at", "HEAD~2")).versions).toHaveLength(1);
    const lines = (await repository.ok(["versions", key])).stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^version 2 {2}value [0-9a-f]{8} {2}[0-9a-f]{9} {2}just now {2}Alice Example {2}manual {2}current$/,
    );
  });

  it("takes a removal for a version and a value that was sealed again for none", async () => {
    const repository = await createWithValues("test-one");
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await repository.ok(["unset", key, "--yes"]);
    const { versions } = await readLog(repository);
    expect(versions.map(({ event }) => event)).toEqual(["removed", "set"]);
  });

  it("says which earlier version a rollback has the value of", async () => {
    const repository = await createWithValues("test-one", "test-two");
    await repository.ok(["rollback", key, "--to", "1", "--yes"]);
    const { versions } = await readLog(repository);
    expect(versions[0]).toMatchObject({ version: 3, same_as: 1, reason: "rollback", current: true });
    expect((await repository.ok(["log", key])).stdout).toContain("same value as version 1");
  });

  it("shows a value that is not committed", async () => {
    const repository = await createWithValues("test-one");
    await repository.ok(["set", key, "--stdin", "--no-commit"], { stdin: "test-two" });
    const logged = await readLog(repository);
    expect(logged.versions).toHaveLength(1);
    expect(logged.uncommitted).toMatchObject({ event: "set" });
    expect((await repository.ok(["log", key])).stdout).toMatch(/^work tree {2}value [0-9a-f]{8} {2}not committed\n/);
    expect((await readLog(repository, "--at", "HEAD")).uncommitted).toBeNull();
  });

  it("lists the changes of a scope by name", async () => {
    const repository = await createWithValues("test-one");
    await repository.ok(["set", "dev/app/OTHER", "--stdin"], { stdin: "test-other" });
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await repository.ok(["unset", key, "--yes"]);
    const { commits } = (await repository.ok(["log", "dev/app", "--json"])).json<{
      commits: { set: string[]; removed: string[]; resealed: string[]; reason: string }[];
    }>();
    expect(commits.map(({ set, removed, resealed, reason }) => ({ set, removed, resealed, reason }))).toEqual([
      { set: [], removed: ["API_KEY"], resealed: [], reason: "manual" },
      { set: [], removed: [], resealed: ["API_KEY", "OTHER"], reason: "rekey" },
      { set: ["OTHER"], removed: [], resealed: [], reason: "manual" },
      { set: ["API_KEY"], removed: [], resealed: [], reason: "manual" },
    ]);
    expect((await repository.ok(["history", "dev/app"])).stdout).toMatch(
      /manual {2}-API_KEY\n.*rekey {3}2 sealed again\n/,
    );
  });

  it("passes over what cannot be read in an old commit, with a warning that has no content", async () => {
    const repository = await createWithValues("test-one");
    const good = repository.read(file);
    repository.write(file, `${good}\nPLAIN: canary-value\n`);
    repository.git("commit", "--quiet", "--all", "--message", "a mistake");
    repository.write(file, good);
    repository.git("commit", "--quiet", "--all", "--message", "repaired");
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    const { versions, warnings } = await readLog(repository);
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    expect(warnings).toEqual([expect.stringMatching(/^passed over commit [0-9a-f]{9}: secrets\/dev\/app\.yaml:6: /)]);
    expect(warnings.join("")).not.toContain("canary-value");
  });

  it("needs no key and no policy", async () => {
    const repository = await createWithValues("test-one");
    repository.git("rm", "-r", "--quiet", "policies");
    const result = await repository.ok(["log", key, "--json"], {
      env: { HOME: "/nonexistent", GIT_CONFIG_GLOBAL: "/dev/null" },
    });
    expect(result.json<Logged>().versions).toHaveLength(1);
  });

  it("is not misled by the user's log settings, and escapes what a commit says", async () => {
    const repository = await createWithValues("test-one");
    for (const setting of ["log.follow", "log.showSignature", "log.showRoot"])
      repository.git("config", setting, "true");
    repository.git("config", "user.name", "Mallory \u202e Example");
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    const result = await repository.ok(["log", key]);
    expect(result.stdout.split("\n")).toHaveLength(3);
    expect(result.stdout).toContain("Mallory \\u{202e} Example");
  });

  it("follows merges, and takes no merge for a version that only joins both sides", async () => {
    const repository = await createWithValues("test-one");
    repository.git("switch", "--quiet", "--create", "topic");
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    repository.git("switch", "--quiet", "main");
    await repository.ok(["set", "dev/app/OTHER", "--stdin"], { stdin: "test-other" });
    repository.git("merge", "--quiet", "--no-edit", "topic");
    const { versions } = await readLog(repository);
    expect(versions.map(({ version, commit }) => [version, commit])).toEqual([
      [2, repository.git("rev-parse", "topic").trim()],
      [1, repository.git("rev-parse", "topic~1").trim()],
    ]);
  });

  it("says in a shallow clone that versions are missing", async () => {
    const repository = await createWithValues("test-one", "test-two");
    execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${repository.root}`, `${repository.home}/clone`], {
      stdio: "ignore",
    });
    const result = await repository.ok(["log", key, "--json", "-C", `${repository.home}/clone`]);
    expect(result.json<Logged>().warnings).toEqual([expect.stringContaining("this clone is shallow")]);
    const refused = await repository.run(["rollback", key, "--to", "1", "--yes", "-C", `${repository.home}/clone`]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("git fetch --unshallow")]);
  });

  it("names a near secret or scope when there is none", async () => {
    const repository = await createWithValues("test-one");
    const secret = await repository.run(["log", "dev/app/API_KEX"]);
    expect([secret.code, secret.stderr]).toEqual([4, expect.stringContaining("did you mean API_KEY?")]);
    const scope = await repository.run(["log", "dev"]);
    expect([scope.code, scope.stderr]).toEqual([4, expect.stringContaining("no scope dev")]);
  });

  it("takes a name for a scope when there is a file for it", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app", "--stdin"], { stdin: "test-one" });
    expect((await repository.ok(["log", "dev/app", "--json"])).json()).toHaveProperty("address", "dev/app");
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-two" });
    expect((await repository.ok(["log", "dev/app", "--json"])).json()).toHaveProperty("scope", "dev/app");
  });
});

describe("rollback", () => {
  it("brings back the value of a version, its id and its time, and keeps the comments of now", async () => {
    const repository = await createWithValues("test-one", "test-two");
    repository.write(file, repository.read(file).replace("API_KEY:", "# of the billing team\nAPI_KEY:"));
    const first = (await readLog(repository)).versions[1];
    const result = await repository.ok(["rollback", key, "--to", "1", "--yes", "--json"]);
    expect(result.json()).toMatchObject({ changed: ["API_KEY"], dry_run: false });
    expect(await reveal(repository)).toBe("test-one");
    expect((await readLog(repository)).versions[0]?.value_id).toBe(first?.value_id);
    expect(repository.read(file)).toContain("# of the billing team\nAPI_KEY:");
    expect(repository.git("log", "-1", "--format=%B")).toContain(
      `secrets(dev/app): roll back API_KEY\n\nto version 1, commit ${first?.commit.slice(0, 9) ?? ""}\n\nSealtree-Reason: rollback`,
    );
    expect(result.stderr).toContain("the provider does not know of this");
  });

  it("goes to a tag, a branch, a commit, and to the value before this one", async () => {
    const repository = await createWithValues("test-one");
    repository.git("tag", "first-tag");
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    repository.git("branch", "topic");
    const second = repository.git("rev-parse", "--short", "HEAD").trim();
    await repository.ok(["set", key, "--stdin"], { stdin: "test-three" });
    const found: string[] = [];
    for (const to of ["previous", "first-tag", "topic", "HEAD~1", second, "previous"]) {
      await repository.ok(["rollback", key, "--to", to, "--yes"]);
      found.push(await reveal(repository));
    }
    expect(found).toEqual(["test-two", "test-one", "test-two", "test-one", "test-two", "test-one"]);
  });

  it("brings back a secret that was removed, with its comments", async () => {
    const repository = await createWithValues("test-one");
    repository.write(file, repository.read(file).replace("API_KEY:", "# old\nAPI_KEY:"));
    repository.git("commit", "--quiet", "--all", "--message", "comment");
    await repository.ok(["unset", key, "--yes"]);
    await repository.ok(["rollback", key, "--to", "HEAD~1", "--yes"]);
    expect(repository.read(file)).toContain("# old\nAPI_KEY:");
    expect(await reveal(repository)).toBe("test-one");
  });

  it("seals under the current generation, across a rekey", async () => {
    const repository = await createWithValues("test-one", "test-two");
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await repository.ok(["rollback", key, "--to", "1", "--yes"]);
    expect(await reveal(repository)).toBe("test-one");
    const { secrets } = (await repository.ok(["list", "dev/app", "--json"])).json<{
      secrets: { generation: string }[];
    }>();
    const removed = repository.git(
      "log",
      "--diff-filter=A",
      "--format=",
      "--name-only",
      "-1",
      "--",
      "secrets/dev/app.keys",
    );
    expect(removed).toContain(secrets[0]?.generation);
  });

  it("opens a version whose generation is gone from the keyring with the file of its commit", async () => {
    const repository = await createWithValues("test-one");
    const [old = ""] = repository.git("ls-files", "secrets/dev/app.keys").trim().split("\n");
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    repository.git("rm", "--quiet", old);
    repository.git("commit", "--quiet", "--message", "lost");
    await repository.ok(["rollback", key, "--to", "1", "--yes"]);
    expect(await reveal(repository)).toBe("test-one");
  });

  it("says so when the value is the same already, and makes no commit", async () => {
    const repository = await createWithValues("test-one", "test-two");
    const head = repository.git("rev-parse", "HEAD");
    const result = await repository.ok(["rollback", key, "--to", "2"]);
    expect(result.stderr).toContain("it is as in version 2");
    expect((await repository.ok(["rollback", key, "--to", "2", "--json"])).json()).toMatchObject({
      unchanged: ["API_KEY"],
      commit: null,
    });
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  it("changes nothing on a dry run, and nothing unasked", async () => {
    const repository = await createWithValues("test-one", "test-two");
    const head = repository.git("rev-parse", "HEAD");
    expect((await repository.ok(["rollback", key, "--to", "1", "--dry-run"])).stderr).toContain("would change API_KEY");
    expect((await repository.run(["rollback", key, "--to", "1"])).code).toBe(2);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
    expect(await reveal(repository)).toBe("test-two");
  });

  it("refuses what is no version, and a secret whose policy forbids it", async () => {
    const repository = await createWithValues("test-one", "test-two");
    await repository.ok(["unset", key, "--yes"]);
    const cases = [
      [["--to", "9"], 4, "has no version 9"],
      [["--to", "3"], 4, "is its removal"],
      [["--to", "no-such-branch"], 4, "no commit has that name"],
      [["--to", "--help-me"], 4, "no commit has that name"],
      [["--to", "HEAD"], 4, "is not in commit"],
      [[], 2, "--to is missing"],
    ] as const;
    for (const [options, code, message] of cases) {
      const result = await repository.run(["rollback", key, "--yes", ...options]);
      expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)]);
    }
    repository.write("policies/rotation.yaml", `secrets:\n  ${key}: { rollback: false }\n`);
    const refused = await repository.run(["rollback", key, "--to", "1", "--yes"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("does not allow a rollback")]);
    expect((await repository.run(["get", key])).code).toBe(4);
  });

  it("brings a whole scope back, and removes what was not there", async () => {
    const repository = await createWithValues("test-one");
    await repository.ok(["set", "dev/app/GONE", "--stdin"], { stdin: "test-gone" });
    repository.git("tag", "then");
    await repository.ok(["set", key, "--stdin"], { stdin: "test-two" });
    await repository.ok(["unset", "dev/app/GONE", "--yes"]);
    await repository.ok(["set", "dev/app/NEW", "--stdin"], { stdin: "test-new" });
    const dry = await repository.ok(["rollback", "dev/app", "--to", "then", "--dry-run"]);
    expect(dry.stderr).toContain("remove dev/app/NEW, which was not there");
    const result = await repository.ok(["rollback", "dev/app", "--to", "then", "--yes", "--json"]);
    expect(result.json()).toMatchObject({ added: ["GONE"], changed: ["API_KEY"], removed: ["NEW"] });
    expect(await reveal(repository)).toBe("test-one");
    expect(await reveal(repository, "dev/app/GONE")).toBe("test-gone");
  });

  it("is audited", async () => {
    const repository = await createWithValues("test-one", "test-two");
    await repository.ok(["rollback", key, "--to", "1", "--yes"]);
    expect(readAudit(repository.env).at(-1)).toMatchObject({
      code: "HBSE-010",
      operation: "rollback",
      scope: "dev/app",
      name: "API_KEY",
      outcome: "ok",
      actor: { member: "alice-example" },
    });
  });
});
