import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/program.ts";
import { builtBin } from "../support/build.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;

beforeAll(async () => {
  repository = await createSealedRepository();
  for (const scope of ["dev/app", "dev/web", "prod/api"]) {
    await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin: '{"API_KEY": "1", "MAIL_KEY": "2"}' });
  }
});

describe("__complete", () => {
  it("offers the commands that --help lists, and the second word of a group", async () => {
    const all = await complete("");
    const visible = Object.entries(commands).flatMap(([name, entry]) => (entry.isHidden === true ? [] : [name]));
    expect(all).toEqual([...new Set(visible.map((name) => name.split(" ")[0]))]);
    expect(await complete("ex")).toEqual(["export", "exposure"]);
    expect(await complete("member", "")).toEqual(
      visible.filter((name) => name.startsWith("member ")).map((name) => name.split(" ")[1]),
    );
  });

  it("offers scopes, and addresses a step at a time", async () => {
    expect(await complete("edit", "")).toEqual(["dev/app", "dev/web", "prod/api"]);
    expect(await complete("run", "dev/app", "prod")).toEqual(["prod/api"]);
    expect(await complete("get", "dev/")).toEqual(["dev/app/", "dev/web/"]);
    expect(await complete("get", "dev/app/")).toEqual(["dev/app/API_KEY", "dev/app/MAIL_KEY"]);
    expect(await complete("mv", "dev/app/API_KEY", "prod/api/M")).toEqual(["prod/api/MAIL_KEY"]);
    expect(await complete("rm", "dev/web/A")).toEqual(["dev/web/API_KEY"]);
  });

  it("offers options, and what an option takes", async () => {
    expect(await complete("get", "--re")).toEqual(["--reveal"]);
    expect(await complete("export", "dev/app", "--format", "s")).toEqual(["shell", "systemd"]);
    expect(await complete("encrypt", "--scope", "pr")).toEqual(["prod/api"]);
    expect(await complete("completion", "z")).toEqual(["zsh"]);
    expect(await complete("export", "-o", "")).toEqual([]);
    expect(await complete("export", "-o", "out.env", "p")).toEqual(["prod/api"]);
  });

  it("leaves the command after the dashes to the shell", async () => {
    expect(await complete("run", "dev/app", "--", "")).toEqual([]);
  });

  it("needs no key and says nothing where there is nothing to say", async () => {
    const elsewhere = createRepository();
    expect((await repository.ok(["__complete", "--", "get", "d"], { env: { HOME: elsewhere.home } })).stdout).toBe(
      "dev/app/\ndev/web/\n",
    );
    const broken = await createSealedRepository();
    broken.write("secrets/dev/app.yaml", "canary: plaintext\n");
    for (const words of [["get", "dev/app/"], ["no-such", ""], ["get"], []]) {
      const result = await broken.run(["__complete", "--", ...words]);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      expect(result.stdout).not.toContain("canary");
    }
    const outside = await broken.run(["-C", "/", "__complete", "--", "get", ""]);
    expect(outside).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});

describe("completion", () => {
  it("prints a script for each shell, and refuses others", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      expect((await repository.ok(["completion", shell])).stdout).toContain("sealtree __complete --");
    }
    expect((await repository.run(["completion", "tcsh"])).code).toBe(2);
  });

  it("works in bash", () => {
    expect(inBash("ed")).toEqual(["edit"]);
    expect(inBash("get", "dev/app/")).toEqual(["dev/app/API_KEY", "dev/app/MAIL_KEY"]);
    expect(inBash("run", "dev/app", "--o")).toEqual(["--only"]);
  });
});

async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await repository.ok(["__complete", "--", ...words]);
  return stdout.split("\n").slice(0, -1);
}

/** What bash would offer, asked of the script as readline asks it. */
function inBash(...words: string[]): string[] {
  const folder = join(repository.home, "bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "sealtree"), `#!/bin/sh\nexec '${process.execPath}' '${builtBin}' "$@"\n`, {
    mode: 0o755,
  });
  const script = [
    "source <(sealtree completion bash)",
    'COMP_WORDS=(sealtree "$@")',
    "COMP_CWORD=$#",
    "_sealtree 2>/dev/null",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const env = { ...repository.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  const output = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], {
    cwd: repository.root,
    env,
    encoding: "utf8",
  });
  return output.split("\n").slice(0, -1);
}
