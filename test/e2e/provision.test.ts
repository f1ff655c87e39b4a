import { describe, expect, test } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const template = `version: 1
scopes:
  \${env}/api:
    SESSION_KEY: { generate: "base64url:bytes=32" }
    DATABASE_URL: { prompt: the URL of the database }
    SENTRY_DSN: { copy: shared/web/SENTRY_DSN }
    SMTP_PASSWORD: { prompt: empty without mail, optional: true }
  \${env}/jobs:
    TOKEN: { generate: "hex:bytes=16" }
`;

const answers = JSON.stringify({ "qa/api/DATABASE_URL": "postgres://test" });

async function begin(text = template): Promise<TestRepository> {
  const repository = await createSealedRepository();
  repository.write("template.yaml", text);
  await repository.ok(["set", "shared/web/SENTRY_DSN", "--stdin"], { stdin: "https://test@sentry" });
  return repository;
}

async function valueOf(repository: TestRepository, address: string): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
}

const argv = ["provision", "qa", "--template", "template.yaml"];

describe("provision", () => {
  test("makes, asks for and copies the secrets of an environment in one commit", async () => {
    const repository = await begin();
    const before = Number(repository.git("rev-list", "--count", "HEAD"));
    const result = await repository.ok([...argv, "--stdin", "--yes"], { stdin: answers });
    expect(result.stderr).toMatch(/^qa\/api\/SESSION_KEY +generate +base64url:bytes=32$/m);
    expect(result.stderr).toMatch(/^qa\/api\/SENTRY_DSN +copy +shared\/web\/SENTRY_DSN$/m);
    expect(result.stderr).toMatch(/^qa\/api\/SMTP_PASSWORD +ask, optional$/m);
    expect(result.stderr).toContain("wrote 4 secrets for qa");
    expect(result.stderr).not.toContain("postgres:");
    expect(Number(repository.git("rev-list", "--count", "HEAD"))).toBe(before + 1);
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("secrets: provision qa");
    expect(await valueOf(repository, "qa/api/DATABASE_URL")).toBe("postgres://test");
    expect(await valueOf(repository, "qa/api/SENTRY_DSN")).toBe("https://test@sentry");
    expect(await valueOf(repository, "qa/api/SESSION_KEY")).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await valueOf(repository, "qa/jobs/TOKEN")).toMatch(/^[0-9a-f]{32}$/);
  });

  test("never writes over what is there, and can be run again", async () => {
    const repository = await begin();
    await repository.ok(["set", "qa/api/SESSION_KEY", "--stdin"], { stdin: "mine" });
    await repository.ok([...argv, "--stdin", "--yes"], { stdin: answers });
    expect(await valueOf(repository, "qa/api/SESSION_KEY")).toBe("mine");
    const head = repository.git("rev-parse", "HEAD");
    const again = await repository.ok([...argv, "--yes", "--json"]);
    expect(again.json()).toMatchObject({
      commit: null,
      secrets: expect.arrayContaining([expect.objectContaining({ step: "stays" })]),
    });
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  test("with --dry-run shows the plan, needs no answers and writes nothing", async () => {
    const repository = await begin();
    repository.write("policies/schema.yaml", 'version: 1\nrules: [{ scopes: ["qa/**"], required: [TOKEN] }]\n');
    const head = repository.git("rev-parse", "HEAD");
    const plan = (await repository.ok([...argv, "--dry-run", "--json"])).json();
    expect(plan).toEqual({
      env: "qa",
      secrets: [
        {
          address: "qa/api/SESSION_KEY",
          step: "generate",
          optional: false,
          from: "base64url:bytes=32",
          written: false,
        },
        { address: "qa/api/DATABASE_URL", step: "prompt", optional: false, from: null, written: false },
        { address: "qa/api/SENTRY_DSN", step: "copy", optional: false, from: "shared/web/SENTRY_DSN", written: false },
        { address: "qa/api/SMTP_PASSWORD", step: "prompt", optional: true, from: null, written: false },
        { address: "qa/jobs/TOKEN", step: "generate", optional: false, from: "hex:bytes=16", written: false },
      ],
      missing: ["qa/api/TOKEN"],
      commit: null,
      dry_run: true,
    });
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  test("says what is needed when nobody can be asked, and writes nothing", async () => {
    const repository = await begin();
    const head = repository.git("rev-parse", "HEAD");
    const refused = await repository.run([...argv, "--yes"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("needed: qa/api/DATABASE_URL") });
    expect(refused.stderr).not.toContain("needed: qa/api/SMTP_PASSWORD");
    for (const [stdin, message] of [
      ["{}", "needed: qa/api/DATABASE_URL"],
      ['{"qa/api/DATABASE_URL": "x", "qa/api/OTHER": "y"}', "asked for: qa/api/DATABASE_URL"],
      ['{"qa/api/DATABASE_URL": 5}', "an answer is not a text"],
      ["{", "line 1 of stdin"],
    ] as const) {
      expect(await repository.run([...argv, "--stdin", "--yes"], { stdin })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(message),
      });
    }
    expect(await repository.run([...argv, "--stdin"], { stdin: answers })).toMatchObject({ code: 2 });
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  test("refuses a copy of what is not there, unless it is optional", async () => {
    const copy = "version: 1\nscopes:\n  ${env}/api:\n    A: { copy: shared/web/NONE }\n    B: { generate: hex }\n";
    const repository = await begin(copy);
    expect(await repository.run([...argv, "--yes"])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("qa/api/A is a copy of shared/web/NONE"),
    });
    expect(await repository.run(["list", "qa/api"])).not.toMatchObject({ code: 0 });
    repository.write("template.yaml", copy.replace("NONE }", "NONE, optional: true }"));
    expect((await repository.ok([...argv, "--yes", "--json"])).json()).toMatchObject({
      secrets: [
        { address: "qa/api/A", step: "no source", written: false },
        { address: "qa/api/B", written: true },
      ],
    });
  });

  test("says that a template has to be named, and what is wrong in one", async () => {
    const repository = await begin("version: 1\nscopes:\n  ${env}/api:\n    KEY: { value: x }\n");
    expect(await repository.run(["provision", "qa"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--template FILE"),
    });
    expect(await repository.run(argv)).toMatchObject({ code: 2, stderr: expect.stringContaining("template.yaml:4") });
    expect(await repository.run(["provision", "qa", "--template", "none.yaml"])).toMatchObject({ code: 4 });
  });
});
