import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { installDrivers } from "../../src/history/git-setup.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { builtBin } from "../support/run-cli.ts";

const file = "secrets/dev/app.yaml";
const values = { A: "test-a", B: "test-b", C: "test-c" };

/** A repository with `dev/app/A`, `B` and `C`; `start` is a tag. */
async function createWithValues(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  for (const [name, value] of Object.entries(values)) await set(repository, name, value);
  repository.git("tag", "start");
  return repository;
}

async function set(repository: TestRepository, name: string, value: string): Promise<void> {
  await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: value });
}

/** Every value of the scope; each is opened. */
async function openAll(repository: TestRepository): Promise<Record<string, string>> {
  return (await repository.ok(["export", "dev/app", "--format", "json", "--yes"])).json<Record<string, string>>();
}

/** Runs git where a failure is an answer. */
function tryGit(repository: TestRepository, ...args: string[]): { ok: boolean; output: string } {
  try {
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    return {
      ok: true,
      output: execFileSync("git", args, { cwd: repository.root, env, encoding: "utf8", stdio: "pipe" }),
    };
  } catch (error) {
    const said = error as { stdout: string; stderr: string };
    return { ok: false, output: said.stdout + said.stderr };
  }
}

/** Does `ours` on main and `theirs` on the branch topic, and stays on main. */
async function diverge(
  repository: TestRepository,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<void> {
  repository.git("switch", "--quiet", "--create", "topic", "start");
  await theirs();
  repository.git("switch", "--quiet", "main");
  await ours();
}

describe("git merge", () => {
  it("joins different secrets, new neighbours and a removal, without a key", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      async () => {
        await set(repository, "B", "test-b2");
        await set(repository, "N1", "test-n1");
      },
      async () => {
        await set(repository, "C", "test-c2");
        await set(repository, "N2", "test-n2");
        await repository.ok(["unset", "dev/app/A", "--yes"]);
      },
    );
    renameSync(`${repository.home}/.config`, `${repository.home}/away`);
    repository.git("merge", "--quiet", "--no-edit", "topic");
    renameSync(`${repository.home}/away`, `${repository.home}/.config`);
    expect(await openAll(repository)).toEqual({ B: "test-b2", C: "test-c2", N1: "test-n1", N2: "test-n2" });
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("joins values that were there before, also where the driver is not set up", async () => {
    const repository = await createWithValues();
    repository.git("config", "--remove-section", "merge.sealtree");
    await diverge(
      repository,
      () => set(repository, "A", "test-a2"),
      () => set(repository, "B", "test-b2"),
    );
    repository.git("merge", "--quiet", "--no-edit", "topic");
    expect(await openAll(repository)).toEqual({ ...values, A: "test-a2", B: "test-b2" });
  });

  it("merges by line when this program has moved and is not in PATH", async () => {
    const repository = await createWithValues();
    const driver = repository.git("config", "merge.sealtree.driver").replaceAll(process.execPath, "/nonexistent/node");
    repository.git("config", "merge.sealtree.driver", driver.trimEnd());
    await diverge(
      repository,
      () => set(repository, "A", "test-a2"),
      () => set(repository, "B", "test-b2"),
    );
    repository.git("merge", "--quiet", "--no-edit", "topic");
    expect(await openAll(repository)).toEqual({ ...values, A: "test-a2", B: "test-b2" });
  });

  it("joins a rekey with values that were set beside it", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      () => repository.ok(["rekey", "dev/app", "--yes"]),
      async () => {
        await set(repository, "A", "test-a2");
        await set(repository, "N", "test-n");
      },
    );
    repository.git("merge", "--quiet", "--no-edit", "topic");
    expect(await openAll(repository)).toEqual({ ...values, A: "test-a2", N: "test-n" });
  });

  it("joins two rekeys to the same file whichever way it goes", async () => {
    const repository = await createWithValues();
    const rekey = () => repository.ok(["rekey", "dev/app", "--yes"]);
    await diverge(repository, rekey, rekey);
    repository.git("tag", "ours");
    repository.git("merge", "--quiet", "--no-edit", "topic");
    const merged = repository.read(file);
    expect(await openAll(repository)).toEqual(values);
    repository.git("switch", "--quiet", "topic");
    repository.git("merge", "--quiet", "--no-edit", "ours");
    expect(repository.read(file)).toBe(merged);
    await set(repository, "A", "test-a2");
    expect(await openAll(repository)).toEqual({ ...values, A: "test-a2" });
  });

  it("stops at a secret that both sides set, names it, and merges the others", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      async () => {
        await set(repository, "A", "test-a2");
        await set(repository, "B", "canary-value-ours");
      },
      async () => {
        await set(repository, "C", "test-c2");
        await set(repository, "B", "canary-value-theirs");
      },
    );
    const { ok, output } = tryGit(repository, "merge", "--no-edit", "topic");
    expect(ok).toBe(false);
    expect(output).toContain(`conflict in ${file}: B was set on both sides`);
    expect(output).toContain(`CONFLICT (content): Merge conflict in ${file}`);
    expect(output).not.toMatch(/canary|st1\./);
    const conflicted = repository.read(file);
    expect(conflicted.match(/^(?:[<=>]{7}.*|[A-Z]+:)/gm)).toEqual([
      "A:",
      "<<<<<<< ours",
      "B:",
      "=======",
      "B:",
      ">>>>>>> theirs",
      "C:",
    ]);

    const read = await repository.run(["get", "dev/app/A"]);
    expect([read.code, read.stderr]).toEqual([7, expect.stringContaining("conflict markers around B")]);

    repository.write(file, conflicted.replace(/<<<<<<<[^]*?=======\n/, "").replace(/>>>>>>>.*\n/, ""));
    repository.git("add", file);
    repository.git("commit", "--quiet", "--no-edit");
    expect(await openAll(repository)).toEqual({ A: "test-a2", B: "canary-value-theirs", C: "test-c2" });
  });

  it("stops at a secret that one side removed and the other set", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      () => repository.ok(["unset", "dev/app/B", "--yes"]),
      () => set(repository, "B", "test-b2"),
    );
    const { output } = tryGit(repository, "merge", "--no-edit", "topic");
    expect(output).toContain("B was removed on one side and set on the other");
    expect(repository.read(file)).toMatch(/\n\n<<<<<<< ours\n=======\nB: st1\.\S+\n>>>>>>> theirs\n\nC: /);
  });

  it("joins branches that were merged into each other before, in spite of a conflict between their bases", async () => {
    const repository = await createWithValues();
    const keepOurs = (name: string) => {
      expect(tryGit(repository, "merge", "--no-edit", name).ok).toBe(false);
      repository.git("checkout", "--quiet", "--ours", file);
      repository.git("commit", "--quiet", "--all", "--no-edit");
    };
    await diverge(
      repository,
      () => set(repository, "B", "test-b-main"),
      () => set(repository, "B", "test-b-topic"),
    );
    repository.git("tag", "main-1");
    repository.git("tag", "topic-1", "topic");
    keepOurs("topic-1");
    await set(repository, "A", "test-a2");
    repository.git("switch", "--quiet", "topic");
    keepOurs("main-1");
    await set(repository, "C", "test-c2");
    const crossed = tryGit(repository, "merge", "--no-edit", "main");
    expect(crossed.output).toContain(`conflict in ${file}: B was set on both sides`);
    expect(crossed.output).not.toContain("A was");
    expect(repository.read(file).match(/^[A-Z]+:/gm)).toEqual(["A:", "B:", "B:", "C:"]);
  });

  it("keeps ours and says so when a side is not a scope file, without its content", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      () => set(repository, "A", "test-a2"),
      () => {
        repository.write(file, `${repository.read(file)}\nD: canary-value\n`);
        repository.git("commit", "--quiet", "--all", "--message", "a mistake");
        return Promise.resolve();
      },
    );
    const ours = repository.read(file);
    const { ok, output } = tryGit(repository, "merge", "--no-edit", "topic");
    expect(ok).toBe(false);
    expect(output).toMatch(
      /cannot merge secrets\/dev\/app\.yaml: their side: secrets\/dev\/app\.yaml:\d+: the line is not a sealed record/,
    );
    expect(output).not.toContain("canary-value");
    expect(repository.read(file)).toBe(ours);
    expect(repository.git("status", "--porcelain", file)).toBe(`UU ${file}\n`);
  });

  it("keeps a keyring file whole when both sides wrapped it again", async () => {
    const repository = await createWithValues();
    const [generation = ""] = repository.git("ls-files", "secrets/dev/app.keys").trim().split("\n");
    const commitAs = (text: string) => {
      repository.write(generation, `${repository.read(generation)}${text}\n`);
      repository.git("commit", "--quiet", "--all", "--message", text);
      return Promise.resolve();
    };
    await diverge(
      repository,
      () => commitAs("ours"),
      () => commitAs("theirs"),
    );
    const ours = repository.read(generation);
    expect(tryGit(repository, "merge", "--no-edit", "topic").ok).toBe(false);
    expect(repository.read(generation)).toBe(ours);
  });
});

describe("git revert, cherry-pick and rebase", () => {
  it("takes back one value across a rekey and changes no other", async () => {
    const repository = await createWithValues();
    await set(repository, "A", "test-a2");
    const commit = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await set(repository, "B", "test-b2");
    repository.git("revert", "--no-edit", commit);
    expect(await openAll(repository)).toEqual({ ...values, B: "test-b2" });
  });

  it("takes back a removal and an addition", async () => {
    const repository = await createWithValues();
    await repository.ok(["unset", "dev/app/A", "--yes"]);
    await set(repository, "N", "test-n");
    repository.git("revert", "--no-edit", "HEAD~1");
    repository.git("revert", "--no-edit", "HEAD~1");
    expect(await openAll(repository)).toEqual(values);
  });

  it("stops at a value that was set again since", async () => {
    const repository = await createWithValues();
    await set(repository, "A", "test-a2");
    await set(repository, "A", "test-a3");
    const { ok, output } = tryGit(repository, "revert", "--no-edit", "HEAD~1");
    expect([ok, output]).toEqual([false, expect.stringContaining("A was set on both sides")]);
  });

  it("takes back a rekey that nothing was built on", async () => {
    const repository = await createWithValues();
    await repository.ok(["rekey", "dev/app", "--yes"]);
    repository.git("revert", "--no-edit", "HEAD");
    expect(await openAll(repository)).toEqual(values);
  });

  it("stops at a rekey that a later value needs, and the hint leads out", async () => {
    const repository = await createWithValues();
    await repository.ok(["rekey", "dev/app", "--yes"]);
    await set(repository, "B", "test-b2");
    const { ok, output } = tryGit(repository, "revert", "--no-edit", "HEAD~1");
    expect([ok, output]).toEqual([
      false,
      expect.stringMatching(/B is sealed under generation \w+, which their side takes back/),
    ]);
    const hint = /keep its file: git (checkout HEAD -- \S+)/.exec(output)?.[1] ?? "";
    repository.git(...hint.split(" "));
    repository.git("add", file);
    repository.git("-c", "core.editor=true", "revert", "--continue");
    expect(await openAll(repository)).toEqual({ ...values, B: "test-b2" });
  });

  it("picks one commit across a rekey", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      () => repository.ok(["rekey", "dev/app", "--yes"]),
      async () => {
        await set(repository, "A", "test-a2");
        await set(repository, "B", "test-b2");
      },
    );
    repository.git("cherry-pick", "topic");
    expect(await openAll(repository)).toEqual({ ...values, B: "test-b2" });
  });

  it("rebases commits onto a rekey", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      async () => {
        await set(repository, "C", "test-c2");
        await repository.ok(["rekey", "dev/app", "--yes"]);
      },
      async () => {
        await set(repository, "A", "test-a2");
        await set(repository, "N", "test-n");
      },
    );
    repository.git("switch", "--quiet", "topic");
    repository.git("rebase", "--quiet", "main");
    expect(await openAll(repository)).toEqual({ A: "test-a2", B: "test-b", C: "test-c2", N: "test-n" });
  });
});

describe("a write in the middle of a merge", () => {
  it("is refused with the way out, and nothing is written", async () => {
    const repository = await createWithValues();
    await diverge(
      repository,
      () => set(repository, "B", "test-b2"),
      () => set(repository, "B", "test-b3"),
    );
    tryGit(repository, "merge", "--no-edit", "topic");
    const conflicted = repository.read(file);
    for (const argv of [
      ["set", "dev/other/N", "--stdin"],
      ["rollback", "dev/app/B", "--to", "start", "--yes"],
    ]) {
      const result = await repository.run(argv, { stdin: "test-n" });
      expect(result.code).toBe(7);
    }
    const refused = await repository.run(["set", "dev/other/N", "--stdin"], { stdin: "test-n" });
    expect(refused.stderr).toContain("git merge --continue, or give it up: git merge --abort");
    expect(repository.read(file)).toBe(conflicted);
    const logged = await repository.ok(["log", "dev/app/B"]);
    expect(logged.stderr).toContain("passed over the work tree");
    repository.git("merge", "--abort");
    await set(repository, "N", "test-n");
    expect(await openAll(repository)).toEqual({ ...values, B: "test-b2", N: "test-n" });
  });
});

describe("git-setup", () => {
  it("sets up a clone, and --check tells whether it is", async () => {
    const repository = await createWithValues();
    const clone = `${repository.home}/clone`;
    repository.git("clone", "--quiet", repository.root, clone);
    const check = () => repository.run(["git-setup", "--check", "--json", "-C", clone]);
    const before = await check();
    expect([before.code, before.json()]).toEqual([
      1,
      { driver: "missing", diff_driver: "missing", hook: "missing", attributes: true, changed: false, commit: null },
    ]);
    expect((await repository.ok(["git-setup", "--json", "-C", clone])).json()).toMatchObject({
      driver: "installed",
      changed: true,
    });
    expect((await check()).code).toBe(0);
    expect((await repository.ok(["git-setup", "-C", clone])).stderr).toContain("set up already");
  });

  it("adds the attributes beside what is there, in one commit", async () => {
    const repository = await createWithValues();
    repository.write(".gitattributes", "*.png binary");
    repository.git("commit", "--quiet", "--all", "--message", "attributes");
    expect((await repository.run(["git-setup", "--check"])).code).toBe(1);
    await repository.ok(["git-setup"]);
    expect(repository.read(".gitattributes")).toMatch(/^\*\.png binary\n# sealtree: begin\n[^]*# sealtree: end\n$/);
    expect(repository.git("show", "--format=%s", "--name-only")).toBe("secrets: set up git\n\n.gitattributes\n");
    expect((await repository.run(["git-setup", "--check"])).code).toBe(0);
  });

  it("finds attributes that another line overrules", async () => {
    const repository = await createWithValues();
    repository.write(".gitattributes", `${repository.read(".gitattributes")}*.yaml merge=union\n`);
    const result = await repository.run(["git-setup"]);
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining("sends scope files elsewhere")]);
  });

  it("merges where the repository and the program have hostile paths", async () => {
    const repository = await createSealedRepository('it\'s $(touch x) %A; "repo"');
    await set(repository, "A", "test-a");
    repository.git("tag", "start");
    const program = join(repository.home, "it's 100%A $(touch x)", "bin.mjs");
    mkdirSync(dirname(program));
    writeFileSync(program, `import ${JSON.stringify(pathToFileURL(builtBin).href)};\n`);
    await installDrivers({ root: repository.root, env: repository.env }, [process.execPath, program]);
    await diverge(
      repository,
      () => set(repository, "N1", "test-1"),
      () => set(repository, "N2", "test-2"),
    );
    repository.git("merge", "--quiet", "--no-edit", "topic");
    expect(await openAll(repository)).toEqual({ A: "test-a", N1: "test-1", N2: "test-2" });
  });
});
