import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCanaries } from "../support/canary.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { startOpenBao, type TestOpenBao } from "../support/servers/openbao.ts";

const canary = "real-deploy-canary-4m9p";

let bao: TestOpenBao;
beforeAll(async () => {
  bao = await startOpenBao();
});
afterAll(async () => await bao.stop());

async function createTeam(path: string): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const values = JSON.stringify({ API_KEY: canary, DB_URL: "postgres://test@db.test/${secret:prod/api/API_KEY}" });
  await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: values });
  const ca = JSON.stringify(bao.ca);
  repository.write(
    "policies/deploy.yaml",
    `targets:
  vault: {kind: vault, scopes: [prod/api], required: true, canary: true, address: "${bao.url}", path: ${path}, auth: {token: "\${env:VAULT_TOKEN}"}, ca: ${ca}}
  file: {kind: dotenv, scopes: [prod/api], file: .env}
`,
  );
  repository.write(".gitignore", ".env\n");
  repository.git("add", ".gitignore", "policies/deploy.yaml");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}

async function dataOf(path: string): Promise<Record<string, string>> {
  const answer = await bao.admin("GET", `secret/data/${path}`, undefined, [404]);
  return (answer as { data?: { data?: Record<string, string> | null } }).data?.data ?? {};
}

const policyOf = (path: string) => `
path "secret/data/${path}" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/${path}" { capabilities = ["patch"] }`;

describe("sealtree deploy to a real OpenBao and a file", () => {
  it("brings both in order, finds drift, and mends it", async () => {
    const path = "test/deploy-good";
    const repository = await createTeam(path);
    const env = { VAULT_TOKEN: await bao.createToken(policyOf(path)) };
    const first = await repository.ok(["deploy", "--yes"], { env });
    expect(await dataOf(path)).toEqual({ API_KEY: canary, DB_URL: `postgres://test@db.test/${canary}` });
    expect(readFileSync(join(repository.root, ".env"), "utf8")).toContain(canary);
    expect((await repository.ok(["drift"], { env })).stderr).toContain("vault: in sync");
    await bao.admin("PATCH", `secret/data/${path}`, { data: { API_KEY: "changed-there", theirs: "kept" } });
    const drift = await repository.run(["drift", "--json"], { env });
    expect([drift.code, drift.json()]).toMatchObject([
      1,
      { targets: [{ target: "vault", state: "drift", items: [{ name: "API_KEY", state: "changed" }, {}] }, {}] },
    ]);
    const second = await repository.ok(["deploy", "--yes", "--json"], { env });
    expect(second.json()).toMatchObject({ targets: [{ written: ["API_KEY"], outcome: "in order" }, { written: [] }] });
    expect(await dataOf(path)).toMatchObject({ API_KEY: canary, theirs: "kept" });
    const said = [first, drift, second].map(({ stdout, stderr }) => stdout + stderr).join("");
    expect(findCanaries(said, [canary])).toEqual([]);
    expect(said).not.toContain(env.VAULT_TOKEN);
  });

  it("sends nothing anywhere when the canary's token may not write, and says what is next", async () => {
    const path = "test/deploy-refused";
    const repository = await createTeam(path);
    const env = { VAULT_TOKEN: await bao.createToken(policyOf("test/elsewhere")) };
    const refused = await repository.run(["deploy", "--yes"], { env });
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain("  auth: ");
    expect(refused.stderr).toContain("file: not begun");
    expect(refused.stderr).not.toContain(env.VAULT_TOKEN);
    expect(await dataOf(path)).toEqual({});
    const good = { VAULT_TOKEN: await bao.createToken(policyOf(path)) };
    await repository.ok(["deploy", "--yes"], { env: good });
    expect(await dataOf(path)).toMatchObject({ API_KEY: canary });
  });

  it("names the variable that is not there", async () => {
    const repository = await createTeam("test/deploy-without");
    const refused = await repository.run(["deploy", "--yes"]);
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain("the environment has no VAULT_TOKEN, which the target vault needs");
  });
});
