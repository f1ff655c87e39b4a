import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const outside = mkdtempSync(join(tmpdir(), "sealtree-outside-"));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

describe("import", () => {
  it("adds and changes, removes nothing, and says import in the commit", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { KEPT: "1", CHANGED: "2", SAME: "3" });
    const before = repository.read("secrets/dev/app.yaml");
    const stdin = "CHANGED=two\nSAME=3\nADDED=4\n";
    const result = await repository.ok(["import", "dev/app", "--format", "dotenv", "--yes", "--json"], { stdin });
    expect(result.json()).toMatchObject({ added: ["ADDED"], changed: ["CHANGED"], unchanged: ["SAME"], removed: [] });
    expect(await exported(repository, "dev/app")).toEqual({ ADDED: "4", CHANGED: "two", KEPT: "1", SAME: "3" });
    expect(line(repository, "SAME")).toBe(/^SAME: .*$/m.exec(before)?.[0]);
    expect(repository.git("log", "-1", "--format=%(trailers:key=Sealtree-Reason,valueonly)").trim()).toBe("import");
  });

  it("removes what the input does not have only with --replace", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { GONE: "1", KEPT: "2" });
    const result = await repository.ok(["import", "dev/app", "--format", "json", "--replace", "--yes", "--json"], {
      stdin: '{"KEPT": "2"}',
    });
    expect(result.json()).toMatchObject({ removed: ["GONE"], unchanged: ["KEPT"] });
    expect(await exported(repository, "dev/app")).toEqual({ KEPT: "2" });
  });

  it("shows the plan and writes nothing when nobody can say yes", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { GONE: "1", CHANGED: "2" });
    const before = repository.read("secrets/dev/app.yaml");
    const argv = ["import", "dev/app", "--format", "json", "--replace"];
    const result = await repository.run(argv, { stdin: '{"CHANGED": "canary", "ADDED": "canary"}' });
    expect(result.code).toBe(2);
    for (const row of [/add +ADDED/, /change +CHANGED/, /remove +GONE/]) expect(result.stderr).toMatch(row);
    expect(result.stderr).not.toContain("canary");
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
  });

  it("takes the format from the file's name, and - for stdin", async () => {
    const repository = await createSealedRepository();
    for (const [name, text] of [
      ["a.env", "A=1\n"],
      [".env.local", "A=1\n"],
      ["a.json", '{"A":"1"}'],
      ["a.YML", "A: 1\n"],
    ] as const) {
      writeFileSync(join(outside, name), text);
      await repository.ok(["import", "dev/app", join(outside, name), "--yes"]);
      expect(await exported(repository, "dev/app")).toEqual({ A: "1" });
    }
    expect((await repository.run(["import", "dev/app", "-", "--yes"], { stdin: "A=1" })).code).toBe(2);
    await repository.ok(["import", "dev/app", "-", "--format", "dotenv", "--yes"], { stdin: "A=2" });
    expect(await exported(repository, "dev/app")).toEqual({ A: "2" });
  });

  it.each([
    ["json", '{"A": "canary",\n "A": "canary"}', "line 2 of the input"],
    ["json", '{"A": 5}', "line 1 of the input"],
    ["yaml", "A: canary\nB: [canary]\n", "line 2 of the input"],
    ["dotenv", "A=canary\n-B=canary\n", "line 2 of the input"],
    ["dotenv", "", "no values"],
  ])("refuses a wrong %s input %j with its line and without its content", async (format, stdin, said) => {
    const repository = await createSealedRepository();
    const result = await repository.run(["import", "dev/app", "--format", format, "--replace", "--yes"], { stdin });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(said);
    expect(result.stdout + result.stderr).not.toContain("canary");
    expect(existsSync(join(repository.root, "secrets/dev/app.yaml"))).toBe(false);
  });

  it("refuses bytes that are not UTF-8", async () => {
    const repository = await createSealedRepository();
    const result = await repository.run(["import", "dev/app", "--format", "dotenv", "--yes"], {
      stdin: Buffer.from([0x41, 0x3d, 0xff]),
    });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("not UTF-8");
  });

  it("takes 10,000 values and no more", async () => {
    const repository = await createSealedRepository();
    const lines = Array.from({ length: 10_000 }, (_, index) => `NAME_${index}=value-${index}\n`);
    const argv = ["import", "dev/many", "--format", "dotenv", "--yes"];
    const result = await repository.ok(argv, { stdin: lines.join("") });
    expect(result.stderr).toContain("read back and compared: 10000 values");
    expect((await repository.ok(["get", "dev/many/NAME_9999", "--reveal", "--yes"])).stdout).toBe("value-9999");
    const more = await repository.run(argv, { stdin: "ONE_MORE=1\n" });
    expect(more.code).toBe(2);
    expect(more.stderr).toContain("more than 10,000");
  });
});

describe("a plaintext file that git has or would take", () => {
  it.each([
    ["import", ["import", "dev/app", "plain.env", "--yes"]],
    ["encrypt", ["encrypt", "plain.env", "--scope", "dev/app"]],
  ])("is refused by %s with the way out, and taken with --allow-plaintext", async (_name, argv) => {
    const repository = await createSealedRepository();
    repository.write("plain.env", "A=1\n");
    const untracked = await repository.run(argv);
    expect(untracked.code).toBe(2);
    expect(untracked.stderr).toContain(".gitignore");
    repository.git("add", "plain.env");
    const tracked = await repository.run(argv);
    expect(tracked.code).toBe(2);
    expect(tracked.stderr).toContain("git rm --cached");
    expect(existsSync(join(repository.root, "secrets/dev/app.yaml"))).toBe(false);
    await repository.ok([...argv, "--allow-plaintext"]);
  });

  it("is fine once it is ignored, but not through a link to one that is not", async () => {
    const repository = await createSealedRepository();
    repository.write(".gitignore", "*.env\n");
    repository.write("plain.env", "A=1\n");
    await repository.ok(["import", "dev/app", "plain.env", "--yes"]);
    repository.write("plain.txt", "A=1\n");
    symlinkSync("plain.txt", join(repository.root, "link.env"));
    expect((await repository.run(["import", "dev/app", "link.env", "--yes"])).code).toBe(2);
  });

  it("may have any letters in its name", async () => {
    const repository = await createSealedRepository();
    for (const name of [":(top)x.env", "*.env", "a b\\c.env"]) {
      repository.write(name, "A=1\n");
      expect((await repository.run(["import", "dev/app", name, "--yes"])).stderr).toContain(".gitignore");
    }
  });

  it("is not written by export", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { A: "1" });
    const result = await repository.run(["export", "dev/app", "-o", "new/plain.env"]);
    expect(result.code).toBe(2);
    expect(existsSync(join(repository.root, "new"))).toBe(false);
    await repository.ok(["export", "dev/app", "-o", "new/plain.env", "--allow-plaintext"]);
    expect(repository.read("new/plain.env")).toBe("A=1\n");
  });
});

describe("export", () => {
  it.each([
    ["dotenv", "A.B", "A_B='it is'\n"],
    ["shell", "A.B", "export A_B='it is'\n"],
    ["docker", "A.B", "A_B=it is\n"],
    ["systemd", "A.B", 'A_B="it is"\n'],
    ["json", "A.B", '{\n  "A.B": "it is"\n}\n'],
    ["yaml", "A.B", 'A.B: "it is"\n'],
  ])("prints %s", async (format, name, expected) => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { [name]: "it is" });
    expect((await repository.ok(["export", "dev/app", "--format", format])).stdout).toBe(expected);
  });

  it("takes several scopes, and refuses two secrets of one name with both addresses", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/a", { ONE: "1", "x.y": "2" });
    await importJson(repository, "dev/b", { ONE: "3", X_Y: "4" });
    const clash = await repository.run(["export", "dev/a", "dev/b", "--format", "json"]);
    expect(clash.stderr).toContain("dev/a/ONE and dev/b/ONE");
    const only = ["export", "dev/a", "dev/b", "--only", "x.y,X_Y"];
    expect((await repository.run(only)).stderr).toContain("dev/a/x.y and dev/b/X_Y would both be X_Y");
    expect((await repository.ok([...only, "--format", "json"])).json()).toEqual({ "x.y": "2", X_Y: "4" });
  });

  it("writes a file that only its owner may read, also over one that others may", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { A: "1" });
    const file = join(outside, "out.env");
    writeFileSync(file, "", { mode: 0o644 });
    const result = await repository.ok(["export", "dev/app", "-o", file]);
    expect(result.stdout).toBe("");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toBe("A=1\n");
  });

  it("does not write through a link or over a device", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { A: "1" });
    const link = join(outside, "link");
    symlinkSync(join(outside, "elsewhere"), link);
    expect((await repository.run(["export", "dev/app", "-o", link])).code).toBe(6);
    expect((await repository.run(["export", "dev/app", "-o", "/dev/null"])).code).toBe(6);
    expect(existsSync(join(outside, "elsewhere"))).toBe(false);
  });

  it("is audited, one event a secret", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { A: "1", B: "2" });
    await repository.ok(["export", "dev/app"]);
    await repository.ok(["decrypt", "dev/app"]);
    const log = readFileSync(join(repository.home, ".local/state/sealtree/audit.jsonl"), "utf8").trim().split("\n");
    const events = log.slice(-4).map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(events.map(({ code, operation, name }) => [code, operation, name])).toEqual([
      ["HBSE-008", "export", "A"],
      ["HBSE-008", "export", "B"],
      ["HBSE-008", "decrypt", "A"],
      ["HBSE-008", "decrypt", "B"],
    ]);
  });
});

describe("encrypt and decrypt", () => {
  it("keep comments, and refuse a scope that is there already", async () => {
    const repository = await createSealedRepository();
    const text = "#| like a heading\nA: one\n\n# of B\nB: |-\n  two\n  lines\n";
    await repository.ok(["encrypt", "-", "--scope", "dev/app", "--format", "yaml"], { stdin: `\n${text}` });
    expect(repository.read("secrets/dev/app.yaml")).toMatch(/\n#\| like a heading\nA: st1\.[^\n]*\n\n# of B\nB: st1\./);
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe(`\n${text}`);
    const again = await repository.run(["encrypt", "-", "--scope", "dev/app", "--format", "yaml"], { stdin: text });
    expect(again.code).toBe(7);
    expect(again.stderr).toContain("--merge");
  });

  it("makes the scope hold exactly the file with --replace, and adds to it with --merge", async () => {
    const repository = await createSealedRepository();
    const encrypt = async (stdin: string, ...flags: string[]) =>
      await repository.ok(["encrypt", "-", "--scope", "dev/app", "--format", "yaml", "--yes", ...flags], { stdin });
    await encrypt("# of A\nA: 1\nB: 2\n");
    await encrypt("A: one\nC: 3\n", "--merge");
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe('# of A\nA: one\nB: "2"\nC: "3"\n');
    await encrypt("A: one\n", "--replace");
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("A: one\n");
  });

  it("decrypts an earlier commit", async () => {
    const repository = await createSealedRepository();
    await importJson(repository, "dev/app", { A: "first" });
    await importJson(repository, "dev/app", { A: "second" });
    expect((await repository.ok(["decrypt", "dev/app", "--at", "HEAD~1"])).stdout).toBe("A: first\n");
  });
});

async function importJson(
  repository: TestRepository,
  scope: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
}

async function exported(repository: TestRepository, scope: string): Promise<unknown> {
  return (await repository.ok(["export", scope, "--format", "json"])).json();
}

function line(repository: TestRepository, name: string): string | undefined {
  return new RegExp(`^${name}: .*$`, "m").exec(repository.read("secrets/dev/app.yaml"))?.[0];
}
