import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { readFixture } from "../migrate/fixtures.ts";
import { testIdentity } from "../vectors/test-keys.ts";

async function begin(fixture = "sops-yaml", name = "secrets.enc.yaml") {
  const repository = await createSealedRepository();
  const file = join(repository.home, name);
  writeFileSync(file, readFixture(fixture));
  return { repository, file, env: { SOPS_AGE_KEY: testIdentity } };
}

async function headOf(repository: TestRepository): Promise<string> {
  return repository.git("rev-parse", "HEAD").trim();
}

describe("import --from", () => {
  test("moves a file in one commit, reads every value back, and says what is left to do", async () => {
    const { repository, file, env } = await begin();
    const result = await repository.ok(["import", "prod/api", file, "--from", "sops", "--yes"], { env });
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain("9 values from sops to prod/api");
    expect(result.stderr).toMatch(/^db\.port +integer$/m);
    expect(result.stderr).toContain("region_unencrypted  text     in the open in the source");
    expect(result.stderr).toContain("gone: null, which is no value");
    expect(result.stderr).toContain("git rm the SOPS file");
    expect(result.stderr).toContain("read back and compared: 9 values");
    expect(result.stderr).not.toContain("joe");
    expect(repository.git("rev-list", "--count", "HEAD").trim()).toBe("2");
    expect((await repository.ok(["get", "prod/api/db.user", "--reveal", "--yes"])).stdout).toBe("joe");
  });

  test("leaves private comments out unless they are asked for", async () => {
    const { repository, file, env } = await begin();
    const argv = ["import", "prod/api", file, "--from", "sops", "--yes"];
    const left = await repository.ok([...argv, "--json"], { env });
    expect(left.json()).toMatchObject({
      left_out: expect.arrayContaining([
        { source: "api_key", reason: expect.stringContaining("--comments keeps them") },
      ]),
    });
    expect(repository.read("secrets/prod/api.yaml")).not.toContain("about");
    await repository.ok([...argv, "--comments"], { env });
    expect(repository.read("secrets/prod/api.yaml")).toMatch(/^# about user\ndb\.user: /m);
  });

  test("with --dry-run shows the plan as Markdown or JSON and writes nothing", async () => {
    const { repository, file, env } = await begin();
    const before = await headOf(repository);
    const argv = ["import", "prod/api", file, "--from", "sops", "--dry-run", "--prefix", "X_", "--dots", "underscore"];
    const { stdout } = await repository.ok([...argv, "--markdown"], { env });
    expect(stdout).toContain("This is a plan: nothing was written.");
    expect(stdout).toContain("| `X_db_user` | `db.user` | text |");
    expect((await repository.ok([...argv, "--json"], { env })).json()).toMatchObject({
      from: "sops",
      scope: "prod/api",
      verified: 0,
      commit: null,
      dry_run: true,
      values: expect.arrayContaining([
        { name: "X_db_port", source: "db.port", type: "integer", renamed: true, open: false, comments: 0 },
      ]),
    });
    expect(await headOf(repository)).toBe(before);
  });

  test("does nothing the second time, and only what differs later", async () => {
    const { repository, file, env } = await begin();
    const argv = ["import", "prod/api", file, "--from", "sops", "--yes", "--json"];
    await repository.ok(argv, { env });
    const before = await headOf(repository);
    expect((await repository.ok(argv, { env })).json()).toMatchObject({
      added: [],
      changed: [],
      commit: null,
      verified: 9,
    });
    await repository.ok(["set", "prod/api/db.user", "--stdin"], { stdin: "other" });
    expect((await repository.ok(argv, { env })).json()).toMatchObject({ added: [], changed: ["db.user"] });
    expect(await headOf(repository)).not.toBe(before);
  });

  test("refuses all of it when one name or value cannot come", async () => {
    const { repository } = await begin();
    const before = await headOf(repository);
    const run = async (stdin: string) =>
      await repository.run(["import", "prod/api", "--from", "json", "--yes"], { stdin });
    expect(await run('{"a": "1", "2b": "x"}')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("2b: it does not begin"),
    });
    expect(await run('{"a": {"b": "1"}, "a.b": "x"}')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a.b: a.b, a.b"),
    });
    expect(await run('{"a": "1",\n "b": }')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("line 2 of the source"),
    });
    expect(await run("{}")).toMatchObject({ code: 2, stderr: expect.stringContaining("holds no values") });
    expect(await headOf(repository)).toBe(before);
  });

  test("asks before it writes, and takes no plaintext file that git has", async () => {
    const { repository, file, env } = await begin();
    expect(await repository.run(["import", "prod/api", file, "--from", "sops"], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("9 to add, 0 to change, 0 to remove, 0 the same"),
    });
    repository.write("open.json", '{"a": "1"}');
    expect(await repository.run(["import", "prod/api", "open.json", "--from", "json", "--yes"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--allow-plaintext"),
    });
  });

  test("reads a key file beside a .env file of dotenvx, and a folder for ejson", async () => {
    const { repository, file } = await begin("dotenvx", ".env.test");
    writeFileSync(join(repository.home, ".env.keys"), `DOTENV_PRIVATE_KEY_TEST=${"07".repeat(32)}\n`);
    await repository.ok(["import", "dev/app", file, "--from", "dotenvx", "--yes"]);
    expect((await repository.ok(["get", "dev/app/DOUBLE", "--reveal", "--yes"])).stdout).toBe("to hello world");
    const ejson = join(repository.home, "secrets.ejson");
    writeFileSync(ejson, readFixture("ejson"));
    await repository.ok(["import", "dev/ejson", ejson, "--from", "ejson", "--keys", "-", "--yes"], {
      stdin: Buffer.from("sealtree test ejson key, public!").toString("hex"),
    });
    expect((await repository.ok(["get", "dev/ejson/database.password", "--reveal", "--yes"])).stdout).toBe("p$w\n");
  });

  test("says which options it knows, and that some need --from", async () => {
    const { repository } = await begin();
    expect(await repository.run(["import", "dev/app", "--from", "keepass"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("sops, dotenvx"),
    });
    const both = ["import", "dev/app", "--from", "json", "--format", "yaml"];
    expect(await repository.run(both, { stdin: "{}" })).toMatchObject({ code: 2 });
    expect(await repository.run(["import", "dev/app", "--prefix", "X_"])).toMatchObject({ code: 2 });
    expect(
      await repository.run(["import", "dev/app", "--from", "json", "--dots", "none"], { stdin: "{}" }),
    ).toMatchObject({ code: 2 });
    expect(await repository.run(["import", "dev/app", "a/b", "--from", "vault", "--yes"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("VAULT_ADDR and no VAULT_TOKEN"),
    });
    expect(await repository.run(["import", "dev/app", "a", "--from", "aws-secrets-manager", "--yes"])).toMatchObject({
      code: 2,
    });
  });
});
