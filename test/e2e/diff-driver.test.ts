import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRepository, createSealedRepository } from "../support/repository.ts";

const file = "secrets/dev/app.yaml";

describe("the diff driver", () => {
  it("is what git diff, git log -p and git show read, with names and no sealed text", async () => {
    const repository = await createSealedRepository("it's 100% here");
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-one" });
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-two" });
    const shown = repository.git("diff", "HEAD~1", "HEAD");
    expect(shown).toMatch(/\n-API_KEY: value [0-9a-f]{8}, set .*\n\+API_KEY: value [0-9a-f]{8}, set /);
    expect(repository.git("log", "-p", "-1", "--", file)).toContain("+API_KEY: value ");
    expect(repository.git("show", "HEAD~1")).toContain("can open it:\n+  alice-example ");
    expect(repository.git("diff", "--no-textconv", "HEAD~1", "HEAD")).toContain("+API_KEY: st1.");
    repository.write(file, `${repository.read(file)}\nPLAIN: canary-value\n`);
    expect(repository.git("diff")).toContain("+<not a scope file: line 6>\n");
    repository.git(
      "config",
      "diff.sealtree.textconv",
      repository.git("config", "diff.sealtree.textconv").trimEnd().replaceAll(process.execPath, "/nonexistent/node"),
    );
    expect(repository.git("diff", "HEAD~1", "HEAD")).toContain("+API_KEY: st1.");
  });

  it("is set up by git-setup in a clone, and missed by doctor and git-setup --check", async () => {
    const repository = await createSealedRepository();
    const clone = join(repository.home, "clone");
    execFileSync("git", ["clone", "--quiet", repository.root, clone]);
    const check = await repository.run(["git-setup", "--check", "--json", "-C", clone]);
    expect(check.code).toBe(1);
    expect(check.json()).toMatchObject({ driver: "missing", diff_driver: "missing", attributes: true, changed: false });
    expect((await repository.run(["doctor", "-C", clone])).stdout).toContain(
      "git diff shows sealed text in this clone",
    );
    await repository.ok(["git-setup", "-C", clone]);
    expect((await repository.ok(["git-setup", "--check", "--json", "-C", clone])).json()).toMatchObject({
      diff_driver: "installed",
    });
    expect((await repository.run(["check", "--json"])).code).toBe(0);
  });

  it("shows a file without a repository, and nothing of one that is not ours", async () => {
    const repository = createRepository();
    const { root, home } = repository;
    const run = async (name: string) => {
      const { code, stdout, stderr } = await repository.run(["diff-driver", name], { cwd: home });
      return [code, stdout, stderr];
    };
    writeFileSync(join(home, "odd"), "canary-value \u001b[2J\n");
    writeFileSync(join(home, "long"), Buffer.alloc(5_000_000, "A"));
    symlinkSync(join(root, ".git", "config"), join(home, "link"));
    expect(await run("odd")).toEqual([0, "<not a scope file: line 1>\n", ""]);
    for (const name of ["long", "link", "missing", "."])
      expect(await run(name)).toEqual([0, "<not a file of sealtree>\n", ""]);
    writeFileSync(join(home, "good"), "$sealtree: 1\n$scope: dev/app\n");
    expect(await run("good")).toEqual([0, "scope dev/app\n", ""]);
  });
});
