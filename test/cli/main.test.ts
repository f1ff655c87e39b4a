import { describe, expect, it } from "vitest";
import { errorCatalogue, exitCodes } from "../../src/errors.ts";
import { commands, groups } from "../../src/cli/program.ts";
import { createRepository, createSealedRepository } from "../support/repository.ts";

describe("help", () => {
  it("lists every command that is not hidden, by group", async () => {
    const { code, stdout } = await createRepository().run(["--help"]);
    expect(code).toBe(0);
    for (const [name, entry] of Object.entries(commands)) {
      if (entry.isHidden !== true) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
      expect(groups).toContain(entry.group);
    }
  });

  it.each(Object.keys(commands))("of %s shows its examples, its options and its JSON", async (name) => {
    const repository = createRepository();
    const module = await commands[name]?.load();
    const { code, stdout, stderr } = await repository.run([...name.split(" "), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(module?.examples.length).toBeGreaterThanOrEqual(2);
    for (const example of module?.examples ?? []) expect(stdout).toContain(example.command);
    for (const { flags } of module?.options ?? []) expect(stdout).toContain(flags.split(" ")[0]);
    expect(stdout).toContain("--json");
    expect((await repository.run(["help", ...name.split(" ")])).stdout).toBe(stdout);
  });

  it("is shown with a usage status when there is no command", async () => {
    const { code, stdout } = await createRepository().run([]);
    expect({ code, shown: stdout.includes("Usage:") }).toEqual({ code: 2, shown: true });
  });
});

describe("a mistake on the command line", () => {
  it.each([
    [["lst"], "did you mean list?"],
    [["get", "--revel", "dev/app/KEY"], "did you mean --reveal?"],
    [["get"], "an argument is missing"],
    [["get", "a/B", "c/D"], "too many arguments"],
    [["set", "a/B", "--from-file"], "an option needs a value"],
    [["member"], "member needs one of its commands"],
    [["-C"], "-C needs a directory"],
  ])("%j ends with 2 and says what to type", async (argv, words) => {
    const { code, stderr, stdout } = await createRepository().run(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/^sealtree: error: /);
  });

  it.each([
    ["canary-word"],
    ["get", "--canary-word"],
    ["get", "--canary-word=canary-word"],
    ["help", "canary-word"],
    ["set", "CANARY WORD canary-word"],
  ])("does not repeat what was typed: %j %j", async (...argv) => {
    const { stderr, stdout } = await createRepository().run(argv);
    expect(stdout + stderr).not.toMatch(/canary-word/i);
  });
});

describe("an error", () => {
  it("is one JSON object on stderr with --json, and nothing on stdout", async () => {
    const repository = await createSealedRepository();
    const { code, stdout, stderr } = await repository.run(["get", "dev/app/KEY", "--json"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({ ok: false, error: { code: "E_SCOPE_NOT_FOUND", exit: 4 } });
  });

  it("outside a repository names the way in", async () => {
    const repository = createRepository();
    const { code, stderr } = await repository.run(["list"], { cwd: repository.home });
    expect(code).toBe(4);
    expect(stderr).toContain("git init && sealtree init");
  });

  it("has an exit status for each code", () => {
    for (const exitClass of Object.values(errorCatalogue)) expect(exitCodes[exitClass]).toBeGreaterThan(0);
  });

  it("before init says how to start", async () => {
    const { code, stderr } = await createRepository().run(["set", "dev/app/KEY", "--generate", "hex"]);
    expect(code).toBe(4);
    expect(stderr).toContain("sealtree init");
  });
});

describe("where a command runs", () => {
  it("is the nearest repository upward, or -C, or SEALTREE_REPO", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--generate", "hex"]);
    repository.write("deep/below/file.txt", "");
    const expected = (await repository.ok(["list"])).stdout;
    expect((await repository.ok(["list"], { cwd: `${repository.root}/deep/below` })).stdout).toBe(expected);
    expect((await repository.ok(["-C", repository.root, "list"], { cwd: repository.home })).stdout).toBe(expected);
    expect((await repository.ok(["list", "-C", repository.root], { cwd: repository.home })).stdout).toBe(expected);
    expect(
      (await repository.ok(["list"], { cwd: repository.home, env: { SEALTREE_REPO: repository.root } })).stdout,
    ).toBe(expected);
  });

  it("is any commit for a read with --at", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "first" });
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "second" });
    expect((await repository.ok(["get", "dev/app/KEY", "--reveal", "--yes", "--at", "HEAD~1"])).stdout).toBe("first");
    expect((await repository.run(["get", "dev/app/KEY", "--at", "--output=x"])).code).toBe(4);
    expect((await repository.run(["get", "dev/app/KEY", "--at=--output=x"])).code).toBe(4);
    expect((await repository.run(["get", "dev/app/KEY", "--at", "nowhere"])).code).toBe(4);
  });
});

describe("identities", () => {
  it("a bad source does not hide a good one", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    const env = {
      SEALTREE_IDENTITY: "not an identity",
      SEALTREE_IDENTITY_FILE: "/nowhere",
      SEALTREE_IDENTITY_CMD: "false",
    };
    expect((await repository.ok(["get", "dev/app/KEY", "--reveal", "--yes"], { env })).stdout).toBe("test-value");
  });

  it("come from text, file and command", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    const file = `${repository.home}/.config/sealtree/identity.txt`;
    const read = (env: Record<string, string>) =>
      repository.run(["get", "dev/app/KEY", "--reveal", "--yes"], {
        env: { HOME: `${repository.home}/empty`, ...env },
      });
    const { readFileSync } = await import("node:fs");
    expect((await read({})).code).toBe(5);
    expect((await read({ SEALTREE_IDENTITY: readFileSync(file, "utf8") })).stdout).toBe("test-value");
    expect((await read({ SEALTREE_IDENTITY_FILE: file })).stdout).toBe("test-value");
    expect((await read({ SEALTREE_IDENTITY_CMD: `cat '${file}'` })).stdout).toBe("test-value");
  });

  it("that are missing are an error that lists where it looked", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    const { code, stderr } = await repository.run(["get", "dev/app/KEY"], {
      env: { HOME: `${repository.home}/empty`, SEALTREE_IDENTITY: "CANARY-KEY" },
    });
    expect(code).toBe(5);
    for (const place of ["SEALTREE_IDENTITY:", "SEALTREE_IDENTITY_FILE", "SEALTREE_IDENTITY_CMD", "identity.txt"])
      expect(stderr).toContain(place);
    expect(stderr).not.toContain("CANARY-KEY");
  });

  it("of a stranger are refused and the readers are named", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    await repository.ok(["keygen", "--x25519", "-o", `${repository.home}/stranger.key`]);
    const env = { HOME: `${repository.home}/empty`, SEALTREE_IDENTITY_FILE: `${repository.home}/stranger.key` };
    const refused = await repository.run(["get", "dev/app/KEY"], { env });
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("readers: alice-example");
    const write = await repository.run(["set", "dev/app/KEY", "--generate", "hex", "--json"], { env });
    expect(JSON.parse(write.stderr)).toMatchObject({ error: { code: "E_PERMISSION_DENIED", exit: 5 } });
  });
});
