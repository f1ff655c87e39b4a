import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const file = "secrets/dev/app.yaml";

async function set(repository: TestRepository, name: string, value: string, at?: string): Promise<void> {
  const now = at === undefined ? {} : { now: new Date(at) };
  await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: value, ...now });
}

async function openAll(repository: TestRepository): Promise<Record<string, string>> {
  return (await repository.ok(["export", "dev/app", "--format", "json", "--yes"])).json<Record<string, string>>();
}

function mergeFails(repository: TestRepository, ...args: string[]): string {
  try {
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    execFileSync("git", args, { cwd: repository.root, env, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const said = error as { stdout: string; stderr: string };
    return said.stdout + said.stderr;
  }
  throw new Error("the merge went through");
}

const statusOf = (repository: TestRepository) => repository.git("status", "--porcelain", "--untracked-files=no");

/** Branches of one repository; each test begins with a merge of its own. */
let repository: TestRepository;

beforeAll(async () => {
  repository = await createSealedRepository();
  for (const name of ["A", "B", "C"]) await set(repository, name, `test-${name}`, "2026-01-01T00:00:00Z");
  repository.git("tag", "start");
  repository.git("switch", "--quiet", "--create", "topic");
  repository.git("config", "user.name", "Bob Example");
  for (const name of ["A", "B"]) await set(repository, name, `test-${name}-theirs`, "2026-02-02T00:00:00Z");
  await set(repository, "BB", "test-BB");
  repository.git("switch", "--quiet", "main");
  repository.git("config", "user.name", "Alice Example");
  await set(repository, "A", "test-A-ours", "2026-02-03T00:00:00Z");
  await set(repository, "B", "test-B-ours", "2026-02-01T00:00:00Z");
  await set(repository, "BA", "test-BA");
  repository.git("tag", "ours");
});

/** The start of a branch, with nothing in progress. */
function goTo(start: string): void {
  repository.git("checkout", "--quiet", "--force", "--detach", start);
  repository.git("clean", "--quiet", "--force", "-d");
}

/** `A` and `B` set on both sides, `BA` and `BB` new on one each; theirs of `B` is newer. */
function conflict(driver: "with the driver" | "without"): void {
  goTo("ours");
  const off = driver === "without" ? ["-c", "merge.sealtree.driver=git merge-file %A %O %B"] : [];
  mergeFails(repository, ...off, "merge", "--no-edit", "topic");
}

const joined = { BA: "test-BA", BB: "test-BB", C: "test-C" };

describe("resolve", () => {
  it("lists what both sides set, with who set it and when, and no value", async () => {
    conflict("with the driver");
    const listed = await repository.run(["resolve"], { now: new Date("2026-02-05T00:00:00Z") });
    expect(listed.code).toBe(1);
    expect(listed.stdout.replaceAll(/\b[0-9a-f]{8,9}\b/g, "ID")).toBe(
      [
        `${file}: A was set on both sides`,
        "  ours    value ID  set 2 days ago  by Alice Example in ID",
        "  theirs  value ID  set 3 days ago  by Bob Example in ID",
        `${file}: B was set on both sides`,
        "  ours    value ID  set 4 days ago  by Alice Example in ID",
        "  theirs  value ID  set 3 days ago  by Bob Example in ID",
        "",
      ].join("\n"),
    );
    expect(listed.stderr).toBe("2 conflicts left\ntake a side: sealtree resolve dev/app/A --ours|--theirs|--newest\n");
    const json = (await repository.run(["resolve", "--json"])).json();
    expect(json).toMatchObject({
      resolved: [],
      edited: [],
      open: [
        { path: file, scope: "dev/app", name: "A", ours: { by: "Alice Example", set_at: "2026-02-03T00:00:00.000Z" } },
        { name: "B", theirs: { by: "Bob Example" } },
      ],
      dry_run: false,
    });
  });

  it("takes a side of one secret, then the newest of the other, and the merge goes on", async () => {
    conflict("with the driver");
    repository.write("notes.txt", "mine\n");
    repository.git("add", "notes.txt");
    expect((await repository.run(["resolve", "dev/app/A", "--theirs"])).code).toBe(1);
    expect(repository.read(file).match(/^(?:[<=>]{7}.*|[A-Z]+:)/gm)).toEqual([
      "A:",
      "<<<<<<< ours",
      "B:",
      "=======",
      "B:",
      ">>>>>>> theirs",
      "BA:",
      "BB:",
      "C:",
    ]);
    expect(statusOf(repository)).toContain(`UU ${file}`);
    const done = await repository.ok(["resolve", "dev/app", "--newest"]);
    expect(done.stderr).toBe(`resolved ${file}\nall is settled: git merge --continue\n`);
    expect(statusOf(repository)).toContain("A  notes.txt");
    repository.git("-c", "core.editor=true", "merge", "--continue");
    expect(await openAll(repository)).toEqual({ A: "test-A-theirs", B: "test-B-theirs", ...joined });
    expect(statusOf(repository)).toBe("");
  });

  it.each(["ours", "newest"] as const)(
    "settles all at once with --%s, after a merge without the driver too",
    async (side) => {
      conflict("without");
      expect(repository.read(file)).toContain("BA: ");
      await repository.ok(["resolve", "--all", `--${side}`]);
      expect(statusOf(repository)).toBe(`M  ${file}\n`);
      repository.git("commit", "--quiet", "--no-edit");
      const b = side === "ours" ? "test-B-ours" : "test-B-theirs";
      expect(await openAll(repository)).toEqual({ A: "test-A-ours", B: b, ...joined });
      expect((await repository.ok(["resolve"])).stderr).toContain("no file of sealtree is in conflict");
    },
  );

  it("keeps what was settled by hand, and a value that was set since", async () => {
    conflict("with the driver");
    const theirs = /<{7} ours\n(?:A: .*\n)={7}\n(A: .*\n)>{7} theirs\n/;
    repository.write(file, repository.read(file).replace(theirs, "$1"));
    await repository.run(["resolve", "--all", "--ours"]);
    repository.git("commit", "--quiet", "--no-edit");
    expect(await openAll(repository)).toEqual({ A: "test-A-theirs", B: "test-B-ours", ...joined });
  });

  it("changes nothing with --dry-run", async () => {
    conflict("with the driver");
    const before = repository.read(file);
    expect((await repository.ok(["resolve", "--all", "--ours", "--dry-run"])).stderr).toContain(
      `would resolve ${file}`,
    );
    expect([repository.read(file), statusOf(repository)]).toEqual([before, `UU ${file}\n`]);
  });

  it("settles a removal for either side, and cannot say which is newest", async () => {
    goTo("start");
    await repository.ok(["unset", "dev/app/A", "--yes"]);
    repository.git("tag", "removed");
    goTo("ours");
    mergeFails(repository, "merge", "--no-edit", "removed");
    const newest = await repository.run(["resolve", "--all", "--newest"]);
    expect([newest.code, newest.stdout]).toEqual([1, expect.stringContaining("theirs  removed")]);
    await repository.ok(["resolve", "dev/app/A", "--theirs"]);
    repository.git("commit", "--quiet", "--no-edit");
    expect(await openAll(repository)).toEqual({ B: "test-B-ours", BA: "test-BA", C: "test-C" });
  });

  it("settles a scope that one side removed, secret by secret", async () => {
    goTo("start");
    repository.git("rm", "--quiet", file);
    repository.git("commit", "--quiet", "--message", "no scope");
    repository.git("tag", "no-scope");
    goTo("ours");
    mergeFails(repository, "merge", "--no-edit", "no-scope");
    expect((await repository.run(["resolve"])).stdout).toMatch(/: A was removed on one side and set on the other\n/);
    expect((await repository.run(["resolve", "dev/app/A", "--ours"])).code).toBe(1);
    await repository.ok(["resolve", "dev/app/B", "--theirs"]);
    repository.git("commit", "--quiet", "--no-edit");
    expect(await openAll(repository)).toEqual({ A: "test-A-ours", BA: "test-BA" });
  });

  it("names the commit that comes in also in a rebase, a cherry-pick and a revert", async () => {
    goTo("ours");
    for (const [start, theirs, end] of [
      [["cherry-pick", "topic~2"], { by: "Bob Example" }, "git cherry-pick --continue"],
      [["rebase", "topic"], { by: "Alice Example" }, "git rebase --continue"],
      [["revert", "--no-edit", "start~1"], null, "git revert --continue"],
    ] as const) {
      mergeFails(repository, ...start);
      const listed = (await repository.run(["resolve", "--json"])).json<{ open: unknown[] }>();
      expect(listed.open[0]).toMatchObject({ theirs });
      expect((await repository.ok(["resolve", "--all", "--theirs"])).stderr).toContain(`all is settled: ${end}`);
      repository.git(start[0], "--abort");
    }
  });

  it("says what is missing or too much, and that nothing is in conflict", async () => {
    conflict("with the driver");
    for (const argv of [["--ours"], ["--all"], ["--ours", "--theirs", "--all"], ["dev/app", "--all", "--ours"]])
      expect((await repository.run(["resolve", ...argv])).code).toBe(2);
    const other = await repository.run(["resolve", "dev/app/C", "--ours"]);
    expect([other.code, other.stderr]).toEqual([4, expect.stringContaining("dev/app/C is not in conflict")]);
    repository.git("merge", "--abort");
    for (const argv of [[], ["--all", "--ours"]]) {
      const none = await repository.ok(["resolve", "--json", ...argv]);
      expect([none.json(), none.stderr]).toEqual([{ resolved: [], edited: [], open: [], dry_run: false }, ""]);
    }
    const named = await repository.run(["resolve", "dev/app", "--ours", "--json"]);
    expect([named.code, named.stderr]).toEqual([4, expect.stringContaining("E_NO_CONFLICT")]);
  });

  it("is what status points to while a merge is in conflict, and the merge when it is not any more", async () => {
    conflict("with the driver");
    expect((await repository.ok(["status", "--json"])).json()).toMatchObject({
      operation: "a merge",
      conflicts: [file],
    });
    const before = (await repository.ok(["status"])).stdout;
    expect(before).toContain("a merge, 1 file in conflict; sealtree resolve, then git merge --continue\n");
    await repository.ok(["resolve", "--all", "--ours"]);
    expect((await repository.ok(["status"])).stdout).toContain("a merge; git merge --continue\n");
    repository.git("merge", "--abort");
    expect((await repository.ok(["status", "--json"])).json()).toMatchObject({ operation: null, conflicts: [] });
  });

  it("is not needed to see what is in conflict: git diff shows both sides by value", () => {
    conflict("with the driver");
    const shown = repository.git("diff");
    expect(shown).toMatch(
      /\+\+<<<<<<< ours\n \+B: value [0-9a-f]{8}, set 2026-02-01, .*\n\+\+=======\n\+ B: value [0-9a-f]{8}, set 2026-02-02, .*\n\+\+>>>>>>> theirs\n/,
    );
    expect(shown).not.toContain("st1.");
  });

  it("never keeps a side that is plaintext", async () => {
    goTo("start");
    repository.write(file, `${repository.read(file)}\nX: canary-value\n`);
    repository.git("commit", "--quiet", "--all", "--message", "a mistake");
    repository.git("tag", "mistake");
    goTo("ours");
    mergeFails(repository, "merge", "--no-edit", "mistake");
    const refused = await repository.run(["resolve", file, "--theirs"]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("theirs cannot be kept")]);
    await repository.ok(["resolve", file, "--ours"]);
    expect(repository.read(file) + refused.stderr).not.toContain("canary-value");
  });
});
