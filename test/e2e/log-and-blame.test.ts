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

describe("blame", () => {
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

describe("rollback to a time", () => {
  const rollback = (address: string, to: string) => repository.run(["rollback", address, "--to", to, "--dry-run"], now);

  it("takes what was in force then", async () => {
    for (const to of ["2026-11-01T10:59Z", "2026-11-01T11:59:59+01:00", "2h"]) {
      const { stderr } = await rollback("dev/app/B", to);
      expect(stderr).toContain("would change B");
    }
    const { stderr } = await rollback("dev/app", "2026-11-01T09:30Z");
    expect(stderr).toMatch(/roll back dev\/app\/A\n.*remove dev\/app\/B/s);
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
