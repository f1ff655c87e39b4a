import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deploySecrets } from "../../src/deploy/deploy-secrets.ts";
import { loadIdentities } from "../../src/identity/load.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { randomBytes } from "node:crypto";
import { startGitServer } from "../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const policy = `targets:
  own: {kind: dotenv, file: out/own.json, format: json, scopes: [prod/api], required: true}
  through: {kind: dotenv, file: out/through, scopes: [prod/web]}
  apart: {kind: dotenv, file: out/apart, scopes: [prod/apart]}
`;

async function createTeam(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const set = async (address: string, stdin: string) => await repository.ok(["set", address, "--stdin"], { stdin });
  await set("prod/api/TOKEN", "remote-canary-token");
  await set("prod/web/URL", "https://user:${secret:prod/api/TOKEN}@host.test/$${secret:x}");
  await set("prod/apart/OTHER", "remote-canary-other");
  repository.write(".gitignore", "out/\n");
  repository.write("policies/deploy.yaml", policy);
  repository.git("add", ".gitignore", "policies/deploy.yaml");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}

const outOf = (repository: TestRepository, file: string) => readFileSync(join(repository.root, "out", file), "utf8");

describe("sealtree deploy with references", () => {
  it("sends what they stand for, and notices when what is referred to changes", async () => {
    const repository = await createTeam();
    await repository.ok(["deploy", "--yes"]);
    expect(outOf(repository, "through")).toContain("https://user:remote-canary-token@host.test/${secret:x}");
    await repository.ok(["set", "prod/api/TOKEN", "--stdin"], { stdin: "remote-canary-newer" });
    const drift = await repository.run(["drift", "--json"]);
    expect(drift.json()).toMatchObject({
      targets: [
        { target: "own", state: "drift", items: [{ name: "TOKEN", state: "changed" }] },
        { target: "through", state: "drift", items: [{ name: "URL", state: "changed", reason: "it has a new value" }] },
        { target: "apart", state: "in sync" },
      ],
    });
    await repository.ok(["deploy", "--yes"]);
    expect(outOf(repository, "through")).toContain("remote-canary-newer");
  });
});

describe("sealtree deploy with a remote", () => {
  it("leaves its receipts there, so that another clone knows what is ours", async () => {
    const server = await startGitServer();
    const repository = await createTeam();
    repository.git("remote", "add", "origin", server.urlWithToken);
    const first = await repository.ok(["deploy", "--yes", "--json"]);
    expect(first.json()).toMatchObject({ warnings: [] });
    const receipt = server.git("cat-file", "blob", "refs/sealtree/receipts/own:receipt.json");
    expect(JSON.parse(receipt)).toMatchObject({ actor: "alice-example", items: [{ name: "TOKEN" }] });
    repository.git("update-ref", "-d", "refs/sealtree/receipts/own");
    await repository.ok(["set", "prod/api/TOKEN", "--stdin"], { stdin: "remote-canary-newer" });
    await repository.ok(["deploy", "own", "--yes"]);
    expect(outOf(repository, "own.json")).toContain("remote-canary-newer");
  });

  it("deploys all the same when it is not there, and warns without the token of its address", async () => {
    const server = await startGitServer();
    const repository = await createTeam();
    repository.git("remote", "add", "origin", server.urlWithToken);
    await server.stop();
    const result = await repository.ok(["deploy", "--yes"]);
    expect(result.stderr).toContain("warning: origin cannot be asked");
    expect(result.stderr).not.toContain(server.token);
    expect(outOf(repository, "own.json")).toContain("remote-canary-token");
  });
});

describe("deploySecrets", () => {
  it("deploys the targets that hold a secret, alone or within another value, and no others", async () => {
    const repository = await createTeam();
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    const commit = repository.git("rev-parse", "HEAD").trim();
    const session = {
      place: { root: repository.root, env },
      random: (size: number) => randomBytes(size),
      now: () => new Date(),
      identities: async () =>
        (await loadIdentities({ env, askPassphrase: noPassphrase, plugins: noPlugins })).identities,
      plugins: noPlugins,
    };
    // What is not committed is none of its business.
    repository.write("policies/deploy.yaml", "targets: {}\n");
    const addresses = [parseAddress("prod/api/TOKEN")];
    const delivery = await deploySecrets(session, { addresses, commit, env, deadlineMs: 20_000 });
    expect(delivery.targets).toEqual([
      { target: "own", isRequired: true, isInOrder: true, failures: [] },
      { target: "through", isRequired: false, isInOrder: true, failures: [] },
    ]);
    expect(() => outOf(repository, "apart")).toThrow("ENOENT");
  });
});

function noPassphrase(): Promise<never> {
  return Promise.reject(new Error("no passphrase is needed"));
}

function noPlugins(): Promise<never> {
  return Promise.reject(new Error("no plugin is needed"));
}
