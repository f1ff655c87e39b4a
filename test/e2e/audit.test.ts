import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { SourcedRecord } from "../../src/audit/list-events.ts";
import { testRecipient } from "../vectors/test-keys.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const address = "dev/app/API_KEY";
let model: TestRepository;

beforeAll(async () => {
  model = await createSealedRepository();
  await model.ok(["set", address, "--stdin"], { stdin: "test-value" });
  model.write("policies/rotation.yaml", `secrets:\n  ${address}: { rotator: generate, options: { kind: hex } }\n`);
});

/** A repository with one secret and a rule for it, whose audit log holds the init and the set. */
function createAudited(): TestRepository {
  const repository = createRepository();
  cpSync(model.home, repository.home, { recursive: true });
  cpSync(model.root, repository.root, { recursive: true });
  return repository;
}

/** Environment of somebody with a key that is nobody's in the policy. */
async function createStranger(repository: TestRepository): Promise<Readonly<Record<string, string>>> {
  const home = join(repository.home, "stranger");
  mkdirSync(home);
  await repository.ok(["keygen"], { env: { HOME: home } });
  return { HOME: home };
}

const logPath = (home: string) => join(home, ".local", "state", "sealtree", "audit.jsonl");

function readLog(home: string): SourcedRecord[] {
  const lines = readFileSync(logPath(home), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as SourcedRecord);
}

async function events(repository: TestRepository, argv: readonly string[] = [], env = {}): Promise<SourcedRecord[]> {
  return (await repository.ok(["audit", "--json", ...argv], { env })).json<{ events: SourcedRecord[] }>().events;
}

describe("the audit event", () => {
  it("of init is HBSE-012 and names the first member", () => {
    expect(readLog(model.home)[0]).toMatchObject({
      code: "HBSE-012",
      operation: "init",
      outcome: "ok",
      actor: { member: "alice-example", known_by: "identity" },
    });
  });

  it("of a set is HBSE-009, with the commit and the repository", () => {
    expect(readLog(model.home)[1]).toMatchObject({
      code: "HBSE-009",
      level: "info",
      operation: "set",
      scope: "dev/app",
      name: "API_KEY",
      outcome: "ok",
      actor: { member: "alice-example" },
      commit: model.git("rev-parse", "HEAD").trim(),
      repository: model.root,
    });
  });

  it.each([
    ["unset", "HBSE-001", ["unset", address, "--yes"], 0],
    ["unset of what is not there", "HBSE-002", ["unset", "dev/app/GONE", "--yes"], 4],
    ["unset in a scope that is not there", "HBSE-002", ["unset", "dev/gone/KEY", "--yes"], 4],
    ["get --reveal", "HBSE-008", ["get", address, "--reveal", "--yes"], 0],
    ["a name that is none", "HBSE-007", ["set", "dev/app/1-BAD", "--generate", "hex"], 2],
    ["rotate", "HBSE-005", ["rotate", address, "--yes"], 0],
    ["rotate --emergency", "HBSE-011", ["rotate", "--all", "--emergency", "--yes"], 0],
  ])("of %s is %s", async (_what, code, argv, exit) => {
    const repository = createAudited();
    const before = readLog(repository.home).length;
    expect((await repository.run(argv)).code).toBe(exit);
    const added = readLog(repository.home).slice(before);
    expect(added).toHaveLength(1);
    expect(added[0]).toMatchObject({ code, operation: argv[0], outcome: exit === 0 ? "ok" : "refused" });
    if (exit === 0)
      expect(added[0]).toMatchObject({ scope: "dev/app", name: "API_KEY", actor: { member: "alice-example" } });
  });

  it.each([
    ["HBSE-008", ["export", "dev/app", "--format", "json", "--yes"]],
    ["HBSE-008", ["decrypt", "dev/app", "--yes"]],
    ["HBSE-008", ["run", "dev/app", "--", "true"]],
    ["HBSE-009", ["import", "dev/app", "--format", "dotenv", "--yes"]],
    ["HBSE-009", ["cp", address, "dev/app/COPY", "--yes"]],
    ["HBSE-009 HBSE-001", ["mv", address, "dev/app/MOVED", "--yes"]],
    ["HBSE-010", ["rollback", address, "--to", "1", "--yes"]],
    ["HBSE-012", ["rekey", "dev/app", "--yes"]],
    ["HBSE-012", ["member", "add", "bob-example", "--role", "analyst", "--recipient", testRecipient, "--yes"]],
  ])("is %s for %j", async (codes, argv) => {
    const repository = createAudited();
    await repository.ok(["set", address, "--stdin"], { stdin: "test-value-two" });
    const before = readLog(repository.home).length;
    await repository.ok(argv, { stdin: "OTHER=test-other\n" });
    const added = readLog(repository.home).slice(before);
    expect(added.map(({ code }) => code).join(" ")).toBe(codes);
    for (const record of added)
      expect(record).toMatchObject({ outcome: "ok", scope: "dev/app", actor: { member: "alice-example" } });
  });

  it("of a read, a write and a rotation without access is HBSE-006", async () => {
    const repository = createAudited();
    const env = await createStranger(repository);
    for (const argv of [
      ["get", address, "--reveal", "--yes"],
      ["set", address, "--generate", "hex"],
      ["rotate", address, "--yes"],
      ["rotate", "--all", "--yes"],
    ]) {
      await repository.run(argv, { env });
    }
    const refused = readLog(env["HOME"] ?? "");
    expect(refused.map(({ code, operation, error }) => `${code} ${operation} ${error ?? ""}`)).toEqual([
      "HBSE-006 get E_NO_ACCESS",
      "HBSE-006 set E_PERMISSION_DENIED",
      "HBSE-006 rotate E_PERMISSION_DENIED",
      "HBSE-006 rotate E_PERMISSION_DENIED",
    ]);
    for (const record of refused)
      expect(record).toMatchObject({ level: "error", outcome: "refused", scope: "dev/app" });
    const again = await repository.run(["get", address, "--reveal", "--yes"], { env });
    expect(again.stderr).toContain("your one identity cannot open dev/app");
  });

  it("of a record that does not open is HBSE-004", async () => {
    const repository = createAudited();
    const text = repository.read("secrets/dev/app.yaml");
    repository.write(
      "secrets/dev/app.yaml",
      text.replace(/..\n$/, (end) => (end === "AA\n" ? "BA\n" : "AA\n")),
    );
    expect((await repository.run(["get", address, "--reveal", "--yes"])).code).toBe(6);
    expect(readLog(repository.home).at(-1)).toMatchObject({
      code: "HBSE-004",
      level: "error",
      outcome: "failed",
      scope: "dev/app",
      name: "API_KEY",
    });
  });

  it("of a value that is too large is HBSE-007", async () => {
    const repository = createAudited();
    expect((await repository.run(["set", address, "--stdin"], { stdin: Buffer.alloc(1024 * 1024 + 1, 97) })).code).toBe(
      2,
    );
    expect(readLog(repository.home).at(-1)).toMatchObject({
      code: "HBSE-007",
      error: "E_VALUE_TOO_LARGE",
      name: "API_KEY",
    });
  });

  it("is not there for a dry run, and never holds the value", async () => {
    const repository = createAudited();
    const before = readLog(repository.home).length;
    await repository.ok(["set", address, "--stdin", "--dry-run"], { stdin: "canary-value" });
    await repository.ok(["rotate", "--all", "--dry-run"]);
    expect(readLog(repository.home)).toHaveLength(before);
    await repository.ok(["set", address, "--stdin"], { stdin: "canary-value" });
    await repository.ok(["get", address, "--reveal", "--yes"]);
    await repository.run(["set", "dev/app/canary-value=x", "--stdin"], { stdin: "canary-value" });
    expect(readFileSync(logPath(repository.home), "utf8")).not.toContain("canary-value");
  });
});

describe("audit", () => {
  it("joins the log with the history and lists a write that is in both once", async () => {
    const repository = createAudited();
    await repository.ok(["get", address, "--reveal", "--yes"]);
    const listed = await events(repository, ["--source", "all"]);
    // The log of the model names the model's folder as its repository, so only the read is from here.
    expect(listed.map(({ code, source }) => `${code} ${source}`)).toEqual([
      "HBSE-012 git",
      "HBSE-009 git",
      "HBSE-008 local",
    ]);
    await repository.ok(["rotate", address, "--yes"]);
    expect((await events(repository)).map(({ code, source }) => `${code} ${source}`).slice(3)).toEqual([
      "HBSE-005 local",
    ]);
  });

  it("shows others what the commits say: who, what, when and why", async () => {
    const repository = createAudited();
    await repository.ok(["rotate", address, "--yes"]);
    await repository.ok(["rotate", address, "--emergency", "--yes"]);
    await repository.ok(["unset", address, "--yes"]);
    await repository.ok(["rekey", "dev/app", "--yes"]);
    const listed = await events(repository, [], await createStranger(repository));
    expect(
      listed.map(({ code, operation, reason, source }) => `${code} ${operation} ${reason ?? ""} ${source}`),
    ).toEqual([
      "HBSE-012 set setup git",
      "HBSE-009 set manual git",
      "HBSE-005 rotate rotation git",
      "HBSE-011 rotate emergency git",
      "HBSE-001 unset manual git",
      "HBSE-012 rekey rekey git",
    ]);
    expect(listed[2]).toMatchObject({
      scope: "dev/app",
      name: "API_KEY",
      actor: { user: "Alice Example <alice@example.test>" },
      commit: repository.git("rev-parse", "HEAD~3").trim(),
    });
    expect(listed[5]).toMatchObject({ scope: "dev/app" });
  });

  it("filters by code, scope, member and time, and keeps the newest", async () => {
    const repository = createAudited();
    await repository.ok(["set", "dev/other/KEY", "--generate", "hex"]);
    await repository.run(["unset", "dev/app/GONE", "--yes"]);
    const names = async (...argv: string[]) =>
      (await events(repository, argv)).map(({ scope, code }) => `${scope ?? "-"} ${code}`);
    expect(await names("--code", "HBSE-009")).toEqual(["dev/app HBSE-009", "dev/other HBSE-009"]);
    expect(await names("--scope", "dev/app")).toEqual(["dev/app HBSE-009", "dev/app HBSE-002"]);
    expect(await names("--scope", "dev", "--limit", "1")).toEqual(["dev/app HBSE-002"]);
    expect(await names("--member", "alice-example")).toEqual(["dev/other HBSE-009"]);
    expect(await names("--member", "alice@example.test")).toEqual(["- HBSE-012", "dev/app HBSE-009"]);
    expect(await names("--source", "local")).toEqual(["dev/other HBSE-009", "dev/app HBSE-002"]);
    expect(await names("--since", "1h", "--limit", "0")).toHaveLength(4);
    expect(await names("--since", "2999-01-01")).toEqual([]);
  });

  it.each([
    ["--code", "HBSE-999"],
    ["--source", "cloud"],
    ["--since", "yesterday"],
    ["--limit", "many"],
    ["--scope", "No Scope"],
  ])("does not understand %s %j, and does not repeat it", async (flag, text) => {
    const result = await createAudited().run(["audit", flag, text]);
    expect(result.code).toBe(2);
    expect(result.stderr).not.toContain(text);
  });

  it("prints one line an event and escapes what others wrote", async () => {
    const repository = createAudited();
    repository.git(
      "-c",
      "user.name=Mallory\u001b[2J",
      "commit",
      "-q",
      "--allow-empty",
      "-m",
      "secrets: x\u001b[31m\n\nSealtree-Reason: manual\nSealtree-Secret: dev/app/API_KEY\nSealtree-Secret: \u001b[31m/BAD",
    );
    const { stdout } = await repository.ok(["audit"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +info +HBSE-009 +git +dev\/app\/API_KEY +secret written +Alice Example <alice@example.test> +manual [0-9a-f]{9}$/m,
    );
  });

  it("works outside of a repository with the user's own log, and in one without commits", async () => {
    const repository = createAudited();
    const outside = await repository.ok(["audit", "--json"], { cwd: repository.home });
    expect(outside.json<{ events: SourcedRecord[] }>().events.map(({ code }) => code)).toEqual([
      "HBSE-012",
      "HBSE-009",
    ]);
    const empty = createRepository();
    expect((await empty.ok(["audit"])).stderr).toContain("no events");
  });
});
