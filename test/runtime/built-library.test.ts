import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeThrowAway } from "../support/throw-away.ts";
import { createTeam } from "./open-team.ts";

const library = new URL("../../dist/lib/", import.meta.url);

describe("the built library", () => {
  it("reads a value and loads no chunk with yaml, zod, simple-git or a client of a service", async () => {
    const repository = await createTeam({ "prod/api/KEY": "built-test-value" });
    const folder = makeThrowAway("sealtree-coverage-");
    const program = join(makeThrowAway("sealtree-program-"), "program.mjs");
    const ask = 'process.stdout.write((await getSecret("prod/api/KEY")).revealText());';
    writeFileSync(program, `import { getSecret } from ${JSON.stringify(new URL("index.js", library).href)};\n${ask}\n`);
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env, NODE_V8_COVERAGE: folder };
    const text = execFileSync(process.execPath, [program], { cwd: repository.root, env, encoding: "utf8" });
    expect(text).toBe("built-test-value");
    const loaded = listLoaded(folder);
    expect(loaded).toContain("index");
    for (const chunk of ["yaml", "zod", "simple-git", "pg", "target-provider", "environment-policy"]) {
      expect(existsSync(fileURLToPath(new URL(`chunks/${chunk}.js`, library)))).toBe(true);
      expect(loaded).not.toContain(chunk);
    }
  });
});

/** Scripts of the library that a process loaded, by V8's coverage. */
function listLoaded(folder: string): string[] {
  const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result);
  return urls.flatMap(({ url }) => /\/dist\/lib\/(?:chunks\/)?(.+)\.js$/.exec(url)?.slice(1) ?? []);
}
