import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeThrowAway } from "./support/throw-away.ts";

const script = fileURLToPath(new URL("../scripts/bundle-digest.js", import.meta.url));

function createBundle(): string {
  const bundle = makeThrowAway("sealtree-bundle-");
  mkdirSync(join(bundle, "chunks"));
  mkdirSync(join(bundle, "empty"));
  writeFileSync(join(bundle, "main.js"), "require('./chunks/a.js');\r\n");
  writeFileSync(join(bundle, "chunks/a.js"), "// built\n");
  writeFileSync(join(bundle, "chunks/B.js"), "// built\n");
  return bundle;
}

function run(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { code: status, stdout, stderr };
}

describe("the digest of a bundle", () => {
  it("is what find, sort and sha256sum make of it, as the page says", () => {
    const bundle = createBundle();
    const command = "find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum";
    const { stdout } = spawnSync("sh", ["-c", command], { cwd: bundle, encoding: "utf8" });
    expect(stdout).toMatch(/^[0-9a-f]{64} {2}-\n$/);
    expect(run(bundle)).toEqual({ code: 0, stdout: `${stdout.slice(0, 64)}\n`, stderr: "" });
  });

  it("changes with a byte, a name and a file", () => {
    const bundle = createBundle();
    const digests = [run(bundle).stdout];
    writeFileSync(join(bundle, "main.js"), "require('./chunks/a.js');\n");
    digests.push(run(bundle).stdout);
    renameSync(join(bundle, "chunks/a.js"), join(bundle, "chunks/c.js"));
    digests.push(run(bundle).stdout);
    writeFileSync(join(bundle, ".hidden"), "");
    digests.push(run(bundle).stdout);
    expect(new Set(digests).size).toBe(4);
  });

  it("fails for another than it expects, also for none", () => {
    const bundle = createBundle();
    const digest = run(bundle).stdout.trim();
    expect(run(bundle, "--expect", digest).code).toBe(0);
    const other = createHash("sha256").update("other").digest("hex");
    for (const expected of [other, "", digest.toUpperCase()])
      expect(run(bundle, "--expect", expected)).toMatchObject({ code: 1, stdout: "" });
  });

  it("is refused for a folder without files, a link, and a name that sha256sum prints otherwise", () => {
    expect(run(makeThrowAway("sealtree-bundle-")).stderr).toContain("has no files");
    expect(run(join(makeThrowAway("sealtree-bundle-"), "none")).code).toBe(1);
    const linked = createBundle();
    symlinkSync("main.js", join(linked, "other.js"));
    expect(run(linked).stderr).toContain("other.js is no plain file");
    const named = createBundle();
    writeFileSync(join(named, "a\nb"), "");
    expect(run(named)).toMatchObject({ code: 1, stdout: "" });
  });
});
