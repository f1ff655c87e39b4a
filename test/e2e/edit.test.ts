import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scriptEditor } from "../support/editor.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { startCli } from "../support/start-cli.ts";

const vimSettings = "set noswapfile noundofile nobackup nowritebackup viminfo=";
const buffer = "# the first\nA: one\n\n# the second\n# in two lines\nB: two\n\nC: three\n";

describe("edit", () => {
  it("writes what was changed in one commit, and no other record", async () => {
    const repository = await repositoryWith(buffer);
    const before = records(repository);
    const { env } = scriptEditor(`sed -i -e 's/^A: one/A: changed/' -e '/^C: /d' "$1"; printf '\\nD: four\\n' >> "$1"`);
    const result = await repository.ok(["edit", "dev/app", "--json", "--reason", "spring"], { env });
    expect(result.json()).toMatchObject({ added: ["D"], changed: ["A"], removed: ["C"], dry_run: false });
    expect(records(repository).get("B")).toBe(before.get("B"));
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      [
        "secrets(dev/app): edit 3 secrets\n",
        "spring\n",
        "Sealtree-Reason: manual",
        ...["A", "C", "D"].map((name) => `Sealtree-Secret: dev/app/${name}`),
      ].join("\n"),
    );
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("keeps comments, and moves them with their record", async () => {
    const repository = await repositoryWith(buffer);
    const { env } = scriptEditor(`sed -i 's/^B: two/Z_LAST: two/' "$1"`);
    await repository.ok(["edit", "dev/app"], { env });
    const plain = (await repository.ok(["decrypt", "dev/app", "--yes"])).stdout;
    expect(plain).toBe("# the first\nA: one\nC: three\n\n# the second\n# in two lines\nZ_LAST: two\n");
  });

  it("changes a comment and leaves the record as it is", async () => {
    const repository = await repositoryWith(buffer);
    const before = records(repository);
    const { env } = scriptEditor(`sed -i 's/^# the first/# the very first/' "$1"`);
    await repository.ok(["edit", "dev/app"], { env });
    expect(repository.read("secrets/dev/app.yaml")).toContain("# the very first\nA: ");
    expect(records(repository)).toEqual(before);
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("secrets(dev/app): edit comments");
  });

  it("makes no commit when nothing was changed", async () => {
    const repository = await repositoryWith(buffer);
    const head = repository.git("rev-parse", "HEAD");
    const result = await repository.ok(["edit", "dev/app"], scriptEditor(":"));
    expect(result).toMatchObject({ stdout: "", stderr: "no changes\n" });
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  it("starts a new scope empty", async () => {
    const repository = await createSealedRepository();
    const editor = scriptEditor(`echo 'FIRST: value' >> "$1"`);
    await repository.ok(["edit", "dev/new"], editor);
    expect(
      editor
        .seen(1)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#|")),
    ).toEqual([]);
    expect((await repository.ok(["export", "dev/new"])).stdout).toBe("FIRST=value\n");
  });

  it("writes nothing on a dry run", async () => {
    const repository = await repositoryWith(buffer);
    const result = await repository.ok(["edit", "dev/app", "--dry-run"], scriptEditor(`sed -i '/^C: /d' "$1"`));
    expect(result.stderr).toContain("would remove C");
    expect(records(repository).has("C")).toBe(true);
  });

  it("gives the editor a private file in a private folder, and no identity", async () => {
    const repository = await repositoryWith(buffer);
    const report = join(repository.home, "report");
    const { env, runtime } = scriptEditor(`{ stat -c %a "$1" "$(dirname "$1")"; echo "$1"; env; } > '${report}'`);
    const identity = readFileSync(join(repository.home, ".config/sealtree/identity.txt"), "utf8");
    await repository.ok(["edit", "dev/app"], { env: { ...env, SEALTREE_IDENTITY: identity } });
    const [fileMode, folderMode, path, ...rest] = readFileSync(report, "utf8").split("\n");
    expect([fileMode, folderMode]).toEqual(["600", "700"]);
    expect(path?.startsWith(`${runtime}/`)).toBe(true);
    expect(path).toMatch(/\.yaml$/);
    expect(rest.join("\n")).not.toContain("AGE-SECRET-KEY");
  });

  it("says the line of a mistake, writes nothing and keeps no plaintext when nobody can be asked", async () => {
    const repository = await repositoryWith(buffer);
    const editor = scriptEditor(`printf 'A: canary-value\\n' >> "$1"`);
    const result = await repository.run(["edit", "dev/app"], editor);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/line 13 of the text: .*A twice/);
    expect(result.stderr).not.toContain("canary");
    expect(readdirSync(editor.runtime)).toEqual([]);
  });

  it("refuses a comment that a scope file cannot hold", async () => {
    const repository = await repositoryWith(buffer);
    const result = await repository.run(["edit", "dev/app"], scriptEditor(`printf '# a\\tb\\nE: 1\\n' >> "$1"`));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("a comment above E has a control character");
  });
});

describe("the editor", () => {
  it("that fails changes nothing", async () => {
    const repository = await repositoryWith(buffer);
    const before = repository.read("secrets/dev/app.yaml");
    const result = await repository.run(["edit", "dev/app"], scriptEditor(`echo 'E: 1' >> "$1"; exit 3`));
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("the editor ended with 3");
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
    const missing = await repository.run(["edit", "dev/app", "--json"], { env: { EDITOR: "no-such-editor" } });
    expect(JSON.parse(missing.stderr.split("\n").at(-2) ?? "")).toMatchObject({ error: { code: "E_EDITOR_FAILED" } });
  });

  it("is VISUAL before EDITOR, with the arguments that stand there", async () => {
    const repository = await repositoryWith(buffer);
    const { env } = scriptEditor(`sed -i 's/^A: one/A: visual/' "$1"`);
    await repository.ok(["edit", "dev/app"], { env: { ...env, VISUAL: env["EDITOR"] ?? "", EDITOR: "false" } });
    expect((await repository.ok(["get", "dev/app/A", "--reveal", "--yes"])).stdout).toBe("visual");
  });

  it.each([
    ["vim", ["-n", "-i", "NONE", "--cmd", vimSettings, "-c", vimSettings]],
    ["nvim", ["-n", "-i", "NONE", "--cmd", vimSettings, "-c", vimSettings]],
    ["gvim", ["-f", "-n", "-i", "NONE"]],
    ["nano", ["--ignorercfiles"]],
    ["other", []],
  ])("%s is told to leave no copies", async (program, expected) => {
    const repository = await repositoryWith(buffer);
    const folder = join(repository.home, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, program), `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/arguments'\n`, { mode: 0o755 });
    const { env } = scriptEditor();
    await repository.ok(["edit", "dev/app"], { env: { ...env, EDITOR: `${folder}/${program} -x` } });
    const given = readFileSync(join(folder, "arguments"), "utf8").trim().split("\n");
    expect(given.slice(0, expected.length + 1)).toEqual(["-x", ...expected]);
    expect(given.at(-1)).toMatch(/\/dev-app\.yaml$/);
  });

  it("with a window that returns at once gets a hint to wait", async () => {
    const repository = await repositoryWith(buffer);
    const folder = join(repository.home, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, "code"), "#!/bin/sh\n", { mode: 0o755 });
    const { env } = scriptEditor();
    const hasty = await repository.ok(["edit", "dev/app"], { env: { ...env, EDITOR: `${folder}/code` } });
    expect(hasty.stderr).toContain("EDITOR='code --wait'");
    const patient = await repository.ok(["edit", "dev/app"], { env: { ...env, EDITOR: `${folder}/code --wait` } });
    expect(patient.stderr).toBe("no changes\n");
  });
});

describe("a process that is ended while the editor is open", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)("removes the plaintext: %s", async (signal) => {
    const repository = await repositoryWith(buffer);
    const before = repository.read("secrets/dev/app.yaml");
    const editor = scriptEditor(`echo 'E: 1' >> "$1"; echo open; exec sleep 60`);
    const started = startCli(["edit", "dev/app"], { cwd: repository.root, env: { ...repository.env, ...editor.env } });
    await started.untilOutput("open");
    expect(readdirSync(editor.runtime)).toHaveLength(1);
    started.kill(signal);
    const { code } = await started.ended;
    expect(code).toBe(128 + { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 }[signal]);
    expect(readdirSync(editor.runtime)).toEqual([]);
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
  });

  it("leaves it to the next edit when it was killed outright, which leaves those of the living alone", async () => {
    const repository = await repositoryWith(buffer);
    const editor = scriptEditor("echo open; exec sleep 1", ":");
    const started = startCli(["edit", "dev/app"], { cwd: repository.root, env: { ...repository.env, ...editor.env } });
    await started.untilOutput("open");
    const living = join(editor.runtime, `sealtree-edit-${process.pid}-living`);
    mkdirSync(living);
    started.kill("SIGKILL");
    await started.ended;
    expect(readdirSync(editor.runtime)).toHaveLength(2);
    await repository.ok(["edit", "dev/app"], editor);
    expect(readdirSync(editor.runtime)).toEqual([`sealtree-edit-${process.pid}-living`]);
    expect(existsSync(living)).toBe(true);
  });
});

async function repositoryWith(yaml: string): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["encrypt", "-", "--scope", "dev/app", "--format", "yaml"], { stdin: yaml });
  return repository;
}

function records(repository: TestRepository): Map<string, string> {
  const lines = repository.read("secrets/dev/app.yaml").split("\n");
  return new Map(lines.filter((line) => line.includes(": st1.")).map((line) => line.split(": ") as [string, string]));
}
