import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCanaries, findCanaryFiles } from "../support/canary.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { canaries, stored } from "./command-lines.ts";

const outer = process.env["TMPDIR"];
const temporary = mkdtempSync(join(tmpdir(), "sealtree-leaks-"));
const [plain, odd] = stored;
let repository: TestRepository;

beforeAll(async () => {
  process.env["TMPDIR"] = temporary;
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/ODD", "--stdin"], { stdin: plain });
  await repository.ok(["set", "dev/app/ODD", "--stdin"], { stdin: odd });
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: plain });
  const forms = [odd, JSON.stringify(odd), encodeURIComponent(odd), Buffer.from(odd).toString("base64url")];
  repository.write("leak.txt", [plain, ...forms, Buffer.from(odd).toString("hex")].join("\n\n"));
  repository.write("utf16.txt", Buffer.from(odd, "utf16le"));
  repository.write(`dir-${plain}/${plain}.txt`, plain);
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "--message", "test: a leak");
  repository.git("rm", "--quiet", "--cached", "leak.txt");
});

afterAll(() => {
  if (outer === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = outer;
  rmSync(temporary, { recursive: true, force: true });
});

describe("scan", () => {
  it("repeats none of the values that it finds, in contents, names or the history, in any format", async () => {
    const sources = [[], ["--ignored"], ["--history"], ["--all-versions"], ["leak.txt"], [`dir-${plain}`]];
    const formats = [[], ["--json"], ["--sarif"], ["--format", "github"]];
    const leaks: string[] = [];
    for (const source of sources) {
      for (const format of formats) {
        const { code, stdout, stderr } = await repository.run(["scan", ...format, ...source]);
        expect([source, code, /own-value/.test(stdout)]).toEqual([source, 1, true]);
        leaks.push(
          ...findCanaries(stdout + stderr, canaries).map((what) => `${source.join(" ")} ${format.join(" ")}: ${what}`),
        );
      }
    }
    expect(leaks).toEqual([]);
  });

  it("writes none of them into a file of its own or the audit log", () => {
    const isInput = (path: string) => path.startsWith(repository.root);
    expect(findCanaryFiles([temporary, repository.home], canaries, isInput)).toEqual([]);
  });
});
