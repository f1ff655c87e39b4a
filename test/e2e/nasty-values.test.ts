import { beforeAll, describe, expect, it } from "vitest";
import { scriptEditor } from "../support/editor.ts";
import { nastyValues } from "../support/nasty-values.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;

beforeAll(async () => {
  repository = await createSealedRepository();
  for (const [name, stdin] of Object.entries(nastyValues)) {
    await repository.ok(["set", `dev/nasty/${name}`, "--stdin"], { stdin });
  }
});

describe("nasty values", () => {
  it("come through set and get", async () => {
    for (const [name, value] of Object.entries(nastyValues)) {
      const { stdoutBytes } = await repository.ok(["get", `dev/nasty/${name}`, "--reveal", "--yes"]);
      expect([name, stdoutBytes.equals(value)]).toEqual([name, true]);
    }
  });

  it.each(["json", "yaml"])("come through export and import of %s", async (format) => {
    const { stdoutBytes } = await repository.ok(["export", "dev/nasty", "--format", format]);
    await repository.ok(["import", `dev/${format}`, "--format", format, "--yes"], { stdin: stdoutBytes });
    await expectSame(`dev/${format}`);
  });

  it("come through decrypt and encrypt, and the same text comes out again", async () => {
    const first = await repository.ok(["decrypt", "dev/nasty", "--yes"]);
    await repository.ok(["encrypt", "-", "--scope", "dev/again", "--format", "yaml"], { stdin: first.stdoutBytes });
    await expectSame("dev/again");
    const second = await repository.ok(["decrypt", "dev/again", "--yes"]);
    expect(second.stdoutBytes.equals(first.stdoutBytes)).toBe(true);
  });

  it("are as they were after an edit of another value", async () => {
    await repository.ok(["cp", "dev/nasty", "dev/edited"]);
    const before = records("dev/edited");
    const { env } = scriptEditor(`printf 'ADDED: new\\n' >> "$1"`);
    await repository.ok(["edit", "dev/edited"], { env });
    const after = records("dev/edited");
    expect([...after.keys()].filter((name) => after.get(name) !== before.get(name))).toEqual(["ADDED"]);
    expect(after.size).toBe(before.size + 1);
  });

  it("come through mv and cp, of a scope and of one secret", async () => {
    await repository.ok(["cp", "dev/nasty", "dev/copied"]);
    await expectSame("dev/copied");
    await repository.ok(["mv", "dev/copied", "dev/moved"]);
    await expectSame("dev/moved");
    for (const name of ["NUL", "MIB", "SEPARATORS"]) {
      await repository.ok(["mv", `dev/moved/${name}`, `dev/singly/other.${name}`]);
      const { stdoutBytes } = await repository.ok(["get", `dev/singly/other.${name}`, "--reveal", "--yes"]);
      expect([name, nastyValues[name]?.equals(stdoutBytes)]).toEqual([name, true]);
    }
  });

  it("come through run, as far as an environment can hold them", async () => {
    const fit = Object.keys(nastyValues).filter((name) => !["NUL", "NOT_UTF8", "MIB"].includes(name));
    const print = "process.stdout.write(JSON.stringify(process.env))";
    const line = ["run", "dev/nasty", "--only", fit.join(","), "--no-mask", "--", process.execPath, "-e", print];
    const result = await repository.ok(line);
    const environment = result.json<Record<string, string>>();
    for (const name of fit) expect([name, environment[name]]).toEqual([name, nastyValues[name]?.toString("utf8")]);
  });

  it.each(["NUL", "NOT_UTF8"])("that no environment can hold are refused by run: %s", async (name) => {
    const result = await repository.run(["run", "dev/nasty", "--only", name, "--", "true"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(name);
  });
});

async function expectSame(scope: string): Promise<void> {
  const [expected, found] = await Promise.all(
    ["dev/nasty", scope].map(async (path) => (await repository.ok(["decrypt", path, "--json", "--yes"])).json()),
  );
  expect(found?.["secrets"]).toEqual(expected?.["secrets"]);
  for (const name of Object.keys(nastyValues)) {
    const { stdoutBytes } = await repository.ok(["get", `${scope}/${name}`, "--reveal", "--yes"]);
    expect([name, nastyValues[name]?.equals(stdoutBytes)]).toEqual([name, true]);
  }
}

function records(scope: string): Map<string, string> {
  const lines = repository.read(`secrets/${scope}.yaml`).split("\n");
  return new Map(lines.filter((line) => line.includes(": st1.")).map((line) => line.split(": ") as [string, string]));
}
