import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "./support/repository.ts";
import { makeThrowAway } from "./support/throw-away.ts";

const script = fileURLToPath(new URL("../scripts/release-commit.js", import.meta.url));

function createSources(): { repository: TestRepository; bundle: string; source: string } {
  const repository = createRepository();
  repository.write("package.json", '{"version": "1.2.3"}\n');
  repository.write(".gitignore", "dist/\n");
  repository.write(".gitattributes", "* text=auto\n");
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "sources");
  const bundle = makeThrowAway("sealtree-bundle-");
  mkdirSync(join(bundle, "chunks"));
  writeFileSync(join(bundle, "main.js"), "require('./chunks/a.js');\r\n");
  writeFileSync(join(bundle, "chunks/a.js"), "// built\n");
  return { repository, bundle, source: repository.git("rev-parse", "HEAD").trim() };
}

function makeCommit(
  { root, env }: TestRepository,
  bundle: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const args = [script, "--version", "v1.2.3", "--bundle", bundle, "--repository", root];
  const options = {
    env: { PATH: process.env["PATH"] ?? "", ...env, ...more },
    encoding: "utf8",
    stdio: "pipe",
  } as const;
  return execFileSync(process.execPath, args, options).trim();
}

describe("the commit of a release", () => {
  it("is the sources with the bundle, and nothing else changed", () => {
    const { repository, bundle, source } = createSources();
    const commit = makeCommit(repository, bundle);
    expect(repository.git("diff-tree", "-r", "--name-status", source, commit)).toBe(
      "A\tdist/action/chunks/a.js\nA\tdist/action/main.js\n",
    );
    expect(repository.git("rev-parse", `${commit}^`).trim()).toBe(source);
    // As built, although the attributes would have changed the line end.
    expect(repository.git("cat-file", "blob", `${commit}:dist/action/main.js`)).toBe("require('./chunks/a.js');\r\n");
    expect([repository.git("rev-parse", "HEAD").trim(), repository.git("status", "--porcelain")]).toEqual([source, ""]);
  });

  it("has the same id for everybody who builds the same bundle, and another for another", () => {
    const { repository, bundle } = createSources();
    const commit = makeCommit(repository, bundle);
    const somebody = { GIT_AUTHOR_NAME: "Somebody", GIT_COMMITTER_DATE: "2001-01-01T00:00:00Z", TZ: "Asia/Tokyo" };
    expect(makeCommit(repository, bundle, somebody)).toBe(commit);
    writeFileSync(join(bundle, "chunks/a.js"), "// built otherwise\n");
    expect(makeCommit(repository, bundle)).not.toBe(commit);
  });

  it("is made of sources alone, for the version of the package", () => {
    const { repository, bundle } = createSources();
    repository.write("package.json", '{"version": "1.2.4"}\n');
    expect(() => makeCommit(repository, bundle)).toThrow(/has to be v1\.2\.4/);
    repository.write("package.json", '{"version": "1.2.3"}\n');
    expect(() => makeCommit(repository, join(bundle, "chunks"))).toThrow(/no main\.js/);
    repository.write("dist/action/main.js", "// committed\n");
    repository.git("add", "--force", "dist");
    repository.git("commit", "--quiet", "-m", "built by hand");
    expect(() => makeCommit(repository, bundle)).toThrow(/made of sources/);
  });
});
