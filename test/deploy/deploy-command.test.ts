import { cpSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findCanaries, findCanaryFiles } from "../support/canary.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const canary = "deploy-canary-8k3j-text";
const other = "deploy-canary-8k3j-other";

/** A repository with a scope, and a dotenv target for it that git leaves out. */
async function createDeployed(policy = defaultPolicy): Promise<TestRepository> {
  const repository = createRepository();
  const made = await (template ??= createTemplate());
  cpSync(made.root, repository.root, { recursive: true });
  cpSync(made.home, repository.home, { recursive: true });
  repository.write("policies/deploy.yaml", policy);
  repository.git("add", ".gitignore", "policies/deploy.yaml");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}

let template: Promise<TestRepository> | undefined;

async function createTemplate(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const names = JSON.stringify({ API_KEY: canary, DB_URL: other });
  await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: names });
  repository.write(".gitignore", ".env*\nout/\n");
  return repository;
}

const defaultPolicy = "targets:\n  local: {kind: dotenv, file: .env.local, scopes: [prod/api], required: true}\n";

describe("sealtree deploy", () => {
  it("writes what a target lacks, then nothing, and says so without a value", async () => {
    const repository = await createDeployed();
    const first = await repository.ok(["deploy", "--yes"]);
    expect(first.stdout).toMatch(/local +create +API_KEY +prod\/api\/API_KEY/);
    expect(first.stderr).toContain("local: in order, 2 written");
    const text = repository.read(".env.local");
    expect(text).toContain(`API_KEY=${canary}`);
    expect(statSync(join(repository.root, ".env.local")).mode & 0o777).toBe(0o600);
    const second = await repository.ok(["deploy", "--yes"]);
    expect(second.stdout).toBe("");
    expect(second.stderr).toContain("local: in order, nothing was changed");
    expect(
      findCanaries([first, second].map(({ stdout, stderr }) => stdout + stderr).join(""), [canary, other]),
    ).toEqual([]);
  });

  it("asks before it sends, and a dry run sends nothing", async () => {
    const repository = await createDeployed();
    expect((await repository.run(["deploy"])).code).toBe(2);
    const dry = await repository.ok(["deploy", "--dry-run", "--json"]);
    expect(dry.json()).toMatchObject({
      dry_run: true,
      targets: [
        { target: "local", outcome: "planned", plan: [{ name: "API_KEY", action: "create" }, { action: "create" }] },
      ],
    });
    expect(existsSync(join(repository.root, ".env.local"))).toBe(false);
  });

  it("leaves what somebody else wrote alone, with 7, until it is told to take it over", async () => {
    const repository = await createDeployed();
    repository.write(".env.local", "API_KEY=theirs\n");
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain("somebody else's");
    expect(repository.read(".env.local")).toBe("API_KEY=theirs\n");
    await repository.ok(["deploy", "--yes", "--adopt"]);
    expect(repository.read(".env.local")).toContain(canary);
  });

  it("removes what is not wanted any more only with --prune", async () => {
    const repository = await createDeployed();
    await repository.ok(["deploy", "--yes"]);
    await repository.ok(["unset", "prod/api/DB_URL", "--yes"]);
    const kept = await repository.ok(["deploy", "--yes"]);
    expect(kept.stdout).toContain("left over");
    expect(repository.read(".env.local")).toContain(other);
    await repository.ok(["deploy", "--yes", "--prune"]);
    expect(repository.read(".env.local")).not.toContain(other);
    expect(repository.read(".env.local")).toContain(canary);
  });

  it("refuses a scope that differs from its commit, and takes the values of a commit when asked", async () => {
    const repository = await createDeployed();
    await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--no-commit"], { stdin: "not-committed-yet" });
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("git add secrets/prod/api.yaml");
    await repository.ok(["deploy", "--yes", "--at", "HEAD"]);
    expect(repository.read(".env.local")).toContain(canary);
  });

  it("refuses everything when a required secret is missing, and audits it", async () => {
    const repository = await createDeployed();
    repository.write("policies/schema.yaml", "version: 1\nrules:\n  - {scopes: [prod/**], required: [STRIPE_KEY]}\n");
    repository.git("add", "policies/schema.yaml");
    repository.git("commit", "--quiet", "-m", "schema");
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("sealtree set prod/api/STRIPE_KEY");
    expect(existsSync(join(repository.root, ".env.local"))).toBe(false);
    expect((await repository.ok(["audit", "--code", "HBSE-003"])).stdout).toContain("STRIPE_KEY");
  });

  it("checks all targets before it sends anything to one", async () => {
    const repository = await createDeployed(
      "targets:\n  first: {kind: dotenv, file: out/first, scopes: [prod/api]}\n  second: {kind: dotenv, file: out/second, format: docker, scopes: [prod/api]}\n",
    );
    await repository.ok(["set", "prod/api/LINES", "--stdin"], { stdin: `${canary}\nsecond line` });
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("at second prod/api/LINES must be");
    expect(findCanaries(refused.stderr, [canary])).toEqual([]);
    expect(existsSync(join(repository.root, "out"))).toBe(false);
  });

  it("ends with 9 when a required target fails, deploys the others, and completes when run again", async () => {
    const repository = await createDeployed(
      "targets:\n  good: {kind: dotenv, file: out/good, scopes: [prod/api]}\n  bad: {kind: dotenv, file: shown.env, scopes: [prod/api], required: true}\n  late: {kind: dotenv, file: out/late, scopes: [prod/api], after: [bad]}\n",
    );
    const failed = await repository.run(["deploy", "--yes"]);
    expect(failed.code).toBe(9);
    expect(failed.stderr).toContain("git add would take it");
    expect(failed.stderr).toContain("late: not begun");
    expect(readFileSync(join(repository.root, "out/good"), "utf8")).toContain(canary);
    expect(existsSync(join(repository.root, "out/late"))).toBe(false);
    repository.write(".gitignore", ".env*\nout/\nshown.env\n");
    await repository.ok(["deploy", "--yes"]);
    expect(readFileSync(join(repository.root, "out/late"), "utf8")).toContain(canary);
    expect(repository.read("shown.env")).toContain(canary);
  });

  it("does not take values back to an older commit unless it is told to", async () => {
    const repository = await createDeployed();
    const older = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "newer-value" });
    await repository.ok(["deploy", "--yes"]);
    repository.git("checkout", "--quiet", older);
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`--at ${older.slice(0, 9)}`);
    expect(repository.read(".env.local")).toContain("newer-value");
    await repository.ok(["deploy", "--yes", "--at", older]);
    expect(repository.read(".env.local")).toContain(canary);
  });

  it("lets a target fail that is neither required nor named", async () => {
    const repository = await createDeployed("targets:\n  shown: {kind: dotenv, file: shown.env, scopes: [prod/api]}\n");
    const result = await repository.ok(["deploy", "--yes"]);
    expect(result.stderr).toContain("shown: not in order, nothing was changed\n  rejected: ");
    expect((await repository.run(["deploy", "shown", "--yes"])).code).toBe(9);
  });

  it("completes the names of targets", async () => {
    const repository = await createDeployed();
    expect((await repository.ok(["__complete", "--", "deploy", "l"])).stdout).toBe("local\n");
    expect((await repository.ok(["__complete", "--", "drift", ""])).stdout).toBe("local\n");
  });

  it("says which targets there are when one is not", async () => {
    const repository = await createDeployed();
    const refused = await repository.run(["deploy", "nope", "--yes"]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain("there are local");
    repository.write(
      "policies/deploy.yaml",
      `${defaultPolicy}  nope: {kind: dotenv, file: .env.nope, scopes: [prod/api]}\n`,
    );
    expect((await repository.run(["deploy", "nope", "--yes"])).stderr).toContain("git add policies/deploy.yaml");
  });

  it("refuses who may not deploy there", async () => {
    const repository = await createDeployed();
    const policy = repository.read("policies/access.yaml");
    repository.write("policies/access.yaml", policy.replaceAll(/(?:, )?deploy\b/g, ""));
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain("may not deploy in prod/api");
  });

  it("keeps values out of the log, the receipts and everything below the home", async () => {
    const repository = await createDeployed();
    await repository.ok(["deploy", "--yes"]);
    expect((await repository.ok(["audit", "--code", "HBSE-013"])).stdout).toContain("API_KEY");
    const receipt = repository.git("cat-file", "blob", "refs/sealtree/receipts/local:receipt.json");
    expect(JSON.parse(receipt)).toMatchObject({ target: "local", kind: "dotenv", items: [{ name: "API_KEY" }, {}] });
    expect(findCanaries(receipt, [canary, other])).toEqual([]);
    expect(findCanaryFiles([repository.home, join(repository.root, ".git")], [canary, other])).toEqual([]);
  });
});

describe("sealtree drift", () => {
  it("tells what is missing, changed and left over, with 1, and is silent when all is in sync", async () => {
    const repository = await createDeployed();
    const missing = await repository.run(["drift"]);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/local +missing +API_KEY/);
    await repository.ok(["deploy", "--yes"]);
    const good = await repository.ok(["drift"]);
    expect(good.stdout).toBe("");
    expect(good.stderr).toContain("local: in sync");
    repository.write(".env.local", repository.read(".env.local").replace(canary, "changed-by-hand"));
    const changed = await repository.run(["drift", "--json"]);
    expect(changed.code).toBe(1);
    expect(changed.json()).toMatchObject({
      targets: [
        {
          state: "drift",
          deployed: { by: "alice-example" },
          items: [{ name: "API_KEY", state: "changed", reason: "it was changed there" }, { state: "in sync" }],
        },
      ],
    });
    expect(findCanaries(changed.stdout + changed.stderr, [canary, other])).toEqual([]);
    expect((await repository.ok(["audit", "--code", "HBSE-014"])).stdout).toContain("API_KEY");
  });

  it("says unknown, and not in sync, when a target cannot be looked at", async () => {
    const repository = await createDeployed();
    await repository.ok(["deploy", "--yes"]);
    repository.write(".env.local", `${repository.read(".env.local")}not a line of the format\n`);
    const result = await repository.ok(["drift"]);
    expect(result.stderr).toContain("local: unknown: the file was changed by hand");
  });
});
