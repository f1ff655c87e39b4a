import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHostileRepository, outsideText, type HostileRepository } from "../support/hostile-repository.ts";

// oxlint-disable-next-line no-control-regex -- the point is that there are none
const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;
const formats = ["text", "github", "json", "sarif"];
let repository: HostileRepository;

beforeAll(async () => {
  repository = await createHostileRepository();
}, 30_000);
afterAll(() => repository.close());

describe("on a hostile repository, check", () => {
  it.each(formats.flatMap((format) => [[format], [format, "--at", "HEAD"], [format, "--base", "HEAD~1"]]))(
    "runs no program, leaves the repository alone and prints nothing raw: --format %s %s %s",
    async (...words) => {
      const { code, stdout, stderr } = await repository.run(["check", "--format", ...words]);
      expect(code).toBe(1);
      expect(stdout + stderr).not.toMatch(raw);
      expect(stdout + stderr).not.toContain(outsideText);
      expect(stdout + stderr).not.toContain("root:");
      expect(stdout + stderr).not.toMatch(/##(?:\[|vso\[)/);
      const commands = `${stdout}\n${stderr}`.split("\n").filter((line) => /^\s*::/.test(line));
      expect(
        commands.filter((line) => words[0] !== "github" || !/^::(?:error|warning|notice) file=/.test(line)),
      ).toEqual([]);
      expect(existsSync(repository.canary)).toBe(false);
    },
  );

  it("names what is odd in the work tree", async () => {
    const { findings } = (await repository.run(["check", "--json"])).json<{
      findings: { rule: string; file: string; line: number | null; message: string }[];
    }>();
    const strays = findings
      .filter(({ rule }) => rule === "stray-file")
      .map(({ file }) => file.replace(/^secrets\/dev\//, ""));
    for (const name of [
      "passwd.yaml",
      "link.yaml",
      "folder",
      "web.keys",
      "pipe.yaml",
      "socket.yaml",
      "large.yaml",
      "program.yaml",
      "two\nlines.yaml",
      "policies/rotation-link.yaml",
      "policies/members/mallory.pub",
    ])
      expect(strays).toContain(name);
    expect(strays.some((name) => name.startsWith("bytes"))).toBe(true);
    expect(strays.filter((name) => name.startsWith("deep/"))).toHaveLength(1);
    const attributes = findings
      .filter(({ rule }) => rule === "hostile-attributes")
      .map(({ file, line }) => `${file}:${line ?? "-"}`);
    expect([...new Set(attributes)]).toEqual([".gitattributes:2", ".gitattributes:3", ".gitmodules:2"]);
  });

  it("names links, submodules and programs in a commit", async () => {
    const { findings } = (await repository.run(["check", "--json", "--at", "HEAD"])).json<{
      findings: { rule: string; file: string }[];
    }>();
    const strays = findings.filter(({ rule }) => rule === "stray-file").map(({ file }) => file);
    for (const name of ["passwd.yaml", "link.yaml", "folder", "module", "program.yaml"])
      expect(strays).toContain(`secrets/dev/${name}`);
  });
});

describe("on a hostile repository, a command that reads", () => {
  // All of them, and more kinds of traps: test/real/hostile-commands.test.ts.
  it.each([["status"], ["audit"], ["doctor"], ["list"], ["log"], ["review", "HEAD~1..HEAD"]])(
    "compares files, walks commits and checks signatures without a program of the repository: %s %s",
    async (...argv) => {
      const { stdout, stderr } = await repository.run(argv);
      expect(stdout + stderr).not.toMatch(/##(?:\[|vso\[)/);
      expect(existsSync(repository.canary)).toBe(false);
    },
  );
});
