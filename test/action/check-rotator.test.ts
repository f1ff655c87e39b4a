import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { createRepository, createSealedRepository } from "../support/repository.ts";
import { createRotationTeam, day } from "../support/rotation-team.ts";
import { ed25519TestKey, opensshFile } from "../crypto/ssh-keys.ts";

const address = "dev/app/SESSION_KEY";
const rules = `secrets:\n  ${address}: { rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }\n`;
const createTeam = () => createRotationTeam({ [address]: "test-first-value", "dev/app/NO_RULE": "test-value" }, rules);
const token = { GITHUB_TOKEN: "test-token" };
const rotate = { command: "rotate" };

describe("a rotation whose commits nobody would accept", () => {
  it.each([
    ["", "the policy wants signed commits, and SEALTREE_SIGNING_KEY is not set"],
    ["a stranger", "SEALTREE_SIGNING_KEY is no signing key of member bot"],
  ])("is refused before anything is rotated, with the key %j", async (seed, words) => {
    const team = await createTeam();
    const refs = team.server.git("for-each-ref");
    const env = { ...token, SEALTREE_SIGNING_KEY: seed === "" ? "" : await opensshFile(ed25519TestKey(seed)) };
    const result = await act(await team.clone(), rotate, { env, now: day(40) });
    expect([result.code, team.server.git("for-each-ref")]).toEqual([5, refs]);
    expect(result.annotations[0]?.message).toContain(words);
    expect(result.annotations[0]?.message).toContain("gh secret set SEALTREE_SIGNING_KEY --env rotation");
    const dry = await act(await team.clone(), { ...rotate, "dry-run": "true" }, { env, now: day(40) });
    expect([dry.code, dry.annotations[0]?.level]).toEqual([0, "warning"]);
  });

  it("takes a key with blanks at its line ends, and tells of secrets without a rule", async () => {
    const team = await createTeam();
    const env = { ...token, SEALTREE_SIGNING_KEY: team.signingKey.replaceAll("\n", "  \r\n") };
    const result = await act(await team.clone(), rotate, { env, now: day(40) });
    expect([result.code, result.outputs.get("names")]).toEqual([0, address]);
    expect(result.summary).toContain("without a rule: 1");
    expect(result.annotations).toMatchObject([{ level: "notice" }]);
    expect(result.annotations[0]?.message).toContain("secrets without a rule, which nothing rotates: 1");
  });
});

describe("an identity that rotates nothing", () => {
  it.each([
    ["", "looked in SEALTREE_IDENTITY: not set"],
    ["test text", "line 1 of the identity file is not"],
  ])("fails although nothing is due: %j", async (identity, words) => {
    const team = await createTeam();
    for (const inputs of [rotate, { ...rotate, "dry-run": "true" }]) {
      const env = { ...token, SEALTREE_IDENTITY: identity };
      const result = await act(await team.clone(), inputs, { env, now: day(1) });
      expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_NO_IDENTITY"]);
      expect(result.annotations[0]?.message).toContain(words);
      expect(result.annotations[0]?.message).toContain("gh secret set SEALTREE_IDENTITY --env NAME < FILE");
    }
  });

  it("is told when it is of no member", async () => {
    const team = await createTeam();
    const other = createRepository();
    await other.ok(["keygen", "-o", `${other.home}/other.key`, "--x25519"]);
    const env = { ...token, SEALTREE_IDENTITY: readFileSync(`${other.home}/other.key`, "utf8") };
    const result = await act(await team.clone(), rotate, { env, now: day(1) });
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_PERMISSION_DENIED"]);
    expect(result.annotations[0]?.message).toContain("belongs to no member");
  });
});

describe("a place without what it takes", () => {
  it.each(["rotate", "drift"])("%s fails where there is no sealtree", async (command) => {
    const repository = createRepository();
    repository.write("README.md", "# Test\n");
    repository.git("add", "--all");
    repository.git("-c", "user.name=Test", "-c", "user.email=test@example.test", "commit", "-qm", "first");
    const result = await act(repository, { command });
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([4, "E_NOT_INITIALISED"]);
    const cli = await repository.run([command, ...(command === "rotate" ? ["--due"] : [])]);
    expect(cli.code).toBe(4);
  });

  it("rotates nothing in a clone without a remote, but says what it would", async () => {
    const repository = await createSealedRepository();
    const result = await act(repository, rotate);
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([4, "E_NO_REMOTE"]);
    expect((await act(repository, { ...rotate, "dry-run": "true" })).code).toBe(0);
  });

  it("says that there are no targets to compare", async () => {
    const result = await act(await createSealedRepository(), { command: "drift" });
    expect([result.code, result.annotations[0]?.level]).toEqual([0, "notice"]);
    expect(result.summary).toContain("Nothing was compared: there are no targets in policies/deploy.yaml.");
  });

  it("names what the job must give when the remote lets nobody in", async () => {
    const team = await createTeam();
    const result = await act(await team.clone(), rotate, { now: day(40) });
    expect(result.code).toBe(8);
    expect(result.annotations[0]?.message).toContain('env: { GITHUB_TOKEN: "${{ github.token }}" }');
    expect(result.annotations[0]?.message).toContain("permissions: { contents: write }");
  });
});

describe("deploy", () => {
  it("says of whom a name is, and that receipts stay in the clone", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-value-123" });
    repository.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/api], file: .env}\n");
    repository.write(".gitignore", ".env\n");
    repository.write(".env", "API_KEY=test-other\n");
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "-m", "target");
    const result = await act(repository, { command: "deploy" });
    expect(result.code).toBe(7);
    expect(result.annotations[0]?.message).toMatch(/file: conflict: API_KEY: it is there .*\n.*adopt: true/);
    expect(result.summary).toContain("API_KEY: it is there");

    rmSync(join(repository.root, ".env"));
    repository.git("remote", "add", "origin", `${repository.root}/none.git`);
    const warned = await act(repository, { command: "deploy" });
    expect([warned.code, warned.annotations[0]?.level]).toEqual([0, "warning"]);
    expect(warned.annotations.map(({ message }) => message).join()).toContain("in this clone alone");
    expect(warned.summary).toContain("Warning: `origin does not take the receipts");
  });
});

describe("export", () => {
  it("judges a name before the length of its value", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "prod/api/LD_PRELOAD", "--stdin"], { stdin: "x" });
    const result = await act(repository, { command: "export", scopes: "prod/api", only: "LD_PRELOAD" });
    expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([2, "E_NAME_REFUSED"]);
  });
});
