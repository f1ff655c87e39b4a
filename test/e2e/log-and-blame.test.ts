import { beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

interface Logged {
  versions: { version: number; reason: string }[];
  former: { address: string; moved_in: string; versions: { version: number }[] }[];
}

/** Commits one hour apart: A is set twice, then moved to B, set again by Bob, and rotated in an emergency. */
let repository: TestRepository;
const hours = ["08", "09", "10", "11", "12"].map((hour) => `2026-11-01T${hour}:00:00Z`);
const now = { now: new Date("2026-11-01T12:30:00Z") };

beforeAll(async () => {
  repository = await createSealedRepository();
  const at = async (hour: number, argv: readonly string[], stdin = "", env: Record<string, string> = {}) => {
    const when = hours[hour] ?? "";
    const dates = { GIT_COMMITTER_DATE: when, GIT_AUTHOR_DATE: when };
    await repository.ok(argv, { stdin, now: new Date(when), env: { ...dates, ...env } });
  };
  await at(0, ["set", "dev/app/A", "--stdin"], "test-one");
  await at(1, ["set", "dev/app/A", "--stdin"], "test-two");
  await at(2, ["mv", "dev/app/A", "dev/app/B", "--yes"]);
  const bob = { GIT_AUTHOR_NAME: "Bob Example", GIT_AUTHOR_EMAIL: "123+bobby@users.example.test" };
  await at(3, ["set", "dev/app/B", "--stdin"], "test-three", bob);
  await at(4, ["rotate", "dev/app/B", "--emergency", "--generate", "password", "--yes"]);
});

describe("log", () => {
  it("goes on where a secret was moved from, unless told not to", async () => {
    const { versions, former } = (await repository.ok(["log", "dev/app/B", "--json"])).json<Logged>();
    expect(versions.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(former).toMatchObject([{ address: "dev/app/A", versions: [{ version: 2 }, { version: 1 }] }]);
    expect(former[0]?.moved_in).toBe(repository.git("rev-parse", "HEAD~2").trim());
    const { stdout } = await repository.ok(["log", "dev/app/B"]);
    expect(stdout.split("\n")[3]).toMatch(/^version 2 .* moved here from dev\/app\/A in [0-9a-f]{9}$/);
    expect((await repository.ok(["log", "dev/app/B", "--no-follow"])).stdout.split("\n")).toHaveLength(4);
  });

  it("shows the commits of one member, of one reason, and so many", async () => {
    const versionsOf = async (...args: string[]) =>
      (await repository.ok(["log", "dev/app/B", "--json", ...args]))
        .json<Logged>()
        .versions.map(({ version }) => version);
    expect(await versionsOf("--member", "bob-example")).toEqual([2]);
    expect(await versionsOf("--member", "bobby")).toEqual([2]);
    expect(await versionsOf("--reason", "emergency")).toEqual([3]);
    expect(await versionsOf("-n", "2")).toEqual([3, 2]);
    const { former } = (await repository.ok(["log", "dev/app/B", "--json", "-n", "4"])).json<Logged>();
    expect(former.map(({ versions }) => versions.map(({ version }) => version))).toEqual([[2]]);
    expect((await repository.ok(["log", "dev/app/B", "-n", "3"])).stdout.trimEnd().split("\n")).toHaveLength(3);
    expect((await repository.ok(["log", "dev/app/B", "--reason", "nothing"])).stderr).toBe("no commit fits\n");
    expect((await repository.ok(["log", "dev/app", "--member", "bob-example"])).stdout.split("\n")).toHaveLength(2);
    expect((await repository.run(["log", "-n", "0"])).code).toBe(2);
  });

  it("lists the changes of the whole repository, newest first", async () => {
    const { stdout, stderr } = await repository.ok(["log", "-n", "3"]);
    expect(stdout.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/emergency {2}\+dev\/app\/B$/),
      expect.stringMatching(/Bob Example .*\+dev\/app\/B$/),
      expect.stringMatching(/dev\/app\/A moved to dev\/app\/B$/),
    ]);
    expect(stderr).toBe("");
    const { commits, more } = (await repository.ok(["log", "--json", "--reason", "manual", "-n", "1"])).json<{
      commits: { scopes: { set: string[] }[] }[];
      more: boolean;
    }>();
    expect([commits[0]?.scopes, more]).toEqual([[{ scope: "dev/app", set: ["B"], removed: [], resealed: [] }], true]);
    expect((await repository.ok(["log", "--member", "nobody"])).stderr).toBe("no commit fits\n");
  });
});

describe("the words of --reason", () => {
  it("stand in log and blame, escaped and cut, and only those of sealtree's own commits", async () => {
    const other = await createSealedRepository();
    const key = "dev/app/KEY";
    await other.ok(["set", key, "--stdin", "--reason", `leaked \u202e in ${"chat ".repeat(40)}`], {
      stdin: "test-one",
    });
    await other.ok(["set", key, "--stdin"], { stdin: "test-two" });
    const saved = other.read("secrets/dev/app.yaml");
    await other.ok(["set", key, "--stdin", "--no-commit"], { stdin: "test-three" });
    other.git("commit", "--quiet", "--all", "--message", "by hand\n\nin words of git");
    other.write("secrets/dev/app.yaml", saved);
    other.git("commit", "--quiet", "--all", "--message", "back");
    await other.ok(["rollback", key, "--to", "1", "--yes"]);
    const notes = (await other.ok(["log", key, "--json"])).json<{ versions: { note: string | null }[] }>();
    expect(notes.versions.map(({ note }) => note)).toEqual([
      expect.stringMatching(/^to version 1, commit [0-9a-f]{9}$/),
      null,
      null,
      null,
      expect.stringMatching(/^leaked .* in chat chat/),
    ]);
    const lines = (await other.ok(["log", key])).stdout.split("\n");
    expect(lines[0]).toMatch(/ {2}"to version 1, commit [0-9a-f]{9}"$/);
    expect(lines[4]).toMatch(/ {2}"leaked \\u\{202e\} in chat chat [a-z ]*…"$/);
    expect((await other.ok(["log", "dev/app"])).stdout).toMatch(/\+KEY {2}"leaked /);
    expect((await other.ok(["blame", key])).stdout).toMatch(/rollback {2}"to version 1, commit /);
  });
});

describe("blame", () => {
  it("takes one secret, and says what was meant by one that is not there", async () => {
    const { secrets } = (await repository.ok(["blame", "dev/app/B", "--json"])).json<{ secrets: { name: string }[] }>();
    expect(secrets.map(({ name }) => name)).toEqual(["B"]);
    const missing = await repository.run(["blame", "dev/app/BB"]);
    expect([missing.code, missing.stdout, missing.stderr]).toEqual([4, "", expect.stringContaining("did you mean B?")]);
    const then = await repository.run(["blame", "dev/app/X", "--at", "HEAD~1"]);
    const short = repository.git("rev-parse", "HEAD~1").slice(0, 9);
    expect(then.stderr).toContain(`sealtree list dev/app --at ${short} shows what is there`);
    const folder = await repository.run(["blame", "dev"]);
    expect([folder.code, folder.stderr]).toEqual([4, expect.stringContaining("dev is a folder of scopes: dev/app\n")]);
  });

  it("says who set each secret, when and why, and marks what is not committed", async () => {
    await repository.ok(["set", "dev/app/C", "--stdin", "--no-commit"], { stdin: "test-c" });
    const { stdout } = await repository.ok(["blame", "dev/app"], now);
    expect(stdout).toMatch(
      /^B {2}value [0-9a-f]{8} {2}set 30 minutes ago {2}[0-9a-f]{9} {6}Alice Example {2}emergency\nC .*not committed\n$/,
    );
    const { secrets } = (await repository.ok(["blame", "dev/app", "--at", "HEAD~1", "--json"])).json<{
      secrets: { name: string; author: { name: string }; committed: boolean }[];
    }>();
    expect(secrets).toMatchObject([{ name: "B", committed: true, author: { name: "Bob Example" } }]);
    repository.git("checkout", "--quiet", "--", "secrets");
    const missing = await repository.run(["blame", "dev/apq"]);
    expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining("did you mean dev/app?")]);
  });
});

describe("rollback", () => {
  const rollback = (...args: string[]) => repository.run(["rollback", ...args, "--dry-run"], now);

  it("says which value comes back", async () => {
    const { stderr } = await rollback("dev/app/B", "--to", "1");
    expect(stderr).toMatch(/^roll back dev\/app\/B to value [0-9a-f]{8}, set 3 hours ago\n/);
  });

  it("says what was meant by a name that no commit has, and by a version of a scope", async () => {
    const cases = [
      [["dev/app/BC", "--to", "1"], 4, "did you mean B?"],
      [["dev/apq/B", "--to", "previous"], 4, "did you mean dev/app?"],
      [["dev/app/BC", "--to", "HEAD"], 4, "did you mean B?"],
      [["dev", "--to", "HEAD"], 4, "dev is a folder of scopes: dev/app"],
      [["dev/app", "--to", "1"], 2, "one secret: sealtree rollback dev/app/NAME --to 1"],
      [["dev/app", "--to", "previous"], 2, "versions are counted for one secret"],
      [["dev/app/B", "--to", "1 hour ago"], 4, "a time is written as 2026-11-01"],
    ] as const;
    for (const [args, code, message] of cases) {
      const result = await rollback(...args);
      expect([args, result.code, result.stderr]).toEqual([args, code, expect.stringContaining(message)]);
    }
  });
});

describe("rollback to a time", () => {
  const rollback = (address: string, to: string) => repository.run(["rollback", address, "--to", to, "--dry-run"], now);

  it("takes what was in force then", async () => {
    for (const to of ["2026-11-01T10:59Z", "2026-11-01T11:59:59+01:00", "2h"]) {
      const { stderr } = await rollback("dev/app/B", to);
      expect(stderr).toContain("would change B");
    }
    const { stderr } = await rollback("dev/app", "2026-11-01T09:30Z");
    expect(stderr).toMatch(/roll back dev\/app\/A to value [0-9a-f]{8}, set .* ago\n.*remove dev\/app\/B/s);
  });

  it("is refused where it cannot be right, with the reason", async () => {
    const cases = [
      ["dev/app/B", "2026-11-01T09:30Z", 4, "is not in commit"],
      ["dev/app/B", "2026-11-01T09:30Z", 4, "it was dev/app/A then"],
      ["dev/app/B", "2026-11-02", 4, "still to come"],
      ["dev/app/B", "2020-01-01", 4, "no commit of this branch is that old"],
      ["dev/app/B", "2026-02-30", 4, "no commit has that name"],
      ["dev/app/B", "2", 2, "an emergency rotation replaced it"],
      ["dev/app", "2026-11-01T11:59Z", 2, "an emergency rotation replaced it"],
    ] as const;
    for (const [address, to, code, message] of cases) {
      const result = await rollback(address, to);
      expect([to, result.code, result.stderr]).toEqual([to, code, expect.stringContaining(message)]);
    }
    repository.git("tag", "2026-11-01");
    const both = await rollback("dev/app/B", "2026-11-01");
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("also the name of a commit")]);
  });
});
