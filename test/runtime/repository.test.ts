import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createSealedRepository } from "../support/repository.ts";
import { createTeam, failureOf, openLibrary, setValue } from "./open-team.ts";

describe("getSecret", () => {
  it("gives the value behind a wrapper that hides it from templates, JSON and logs", async () => {
    const repository = await createTeam({ "prod/api/KEY": "canary-text" });
    const { runtime } = await openLibrary(repository);
    const secret = await runtime.getSecret("prod/api/KEY");
    expect(secret).toMatchObject({ address: "prod/api/KEY", source: "repo", kind: "text" });
    expect(secret.valueId).toMatch(/^[0-9a-f]{16}$/);
    expect(secret.revealText()).toBe("canary-text");
    expect(Buffer.from(secret.revealBytes()).toString()).toBe("canary-text");
    const shown = [secret.toString(), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true, depth: 9 })];
    expect(shown.join()).not.toContain("canary");
  });

  it("gives bytes that are no text as bytes only", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "prod/api/BLOB", "--stdin", "--binary"], { stdin: Buffer.from([0, 255, 1]) });
    const { runtime } = await openLibrary(repository);
    const secret = await runtime.getSecret("prod/api/BLOB");
    expect([...secret.revealBytes()]).toEqual([0, 255, 1]);
    expect(() => secret.revealText()).toThrow("the value of prod/api/BLOB is binary");
  });

  it("resolves the references within a value", async () => {
    const repository = await createTeam({
      "prod/api/PASSWORD": "p4ss",
      "prod/api/URL": "postgres://app:${secret:prod/api/PASSWORD}@db/app",
    });
    const { runtime } = await openLibrary(repository);
    expect((await runtime.getSecret("prod/api/URL")).revealText()).toBe("postgres://app:p4ss@db/app");
  });

  it("says what is not there, and what is no address without repeating it", async () => {
    const repository = await createTeam({ "prod/api/KEY": "v" });
    const { runtime } = await openLibrary(repository);
    expect(await failureOf(runtime.getSecret("prod/api/NONE"))).toMatchObject({ code: "E_SECRET_NOT_FOUND" });
    expect(await failureOf(runtime.getSecret("prod/none/KEY"))).toMatchObject({ code: "E_SECRET_NOT_FOUND" });
    const wrong = await failureOf(runtime.getSecret("hunter2 canary"));
    expect(wrong.code).toBe("E_ADDRESS_INVALID");
    expect(inspect(wrong)).not.toContain("canary");
  });

  it("needs an identity that is a reader, and takes one that is given", async () => {
    const repository = await createTeam({ "prod/api/KEY": "v" });
    const stranger = join(repository.home, "stranger.txt");
    await repository.ok(["keygen", "-o", stranger]);
    const closed = await openLibrary(repository, { identities: [{ file: stranger }] });
    expect(await failureOf(closed.runtime.getSecret("prod/api/KEY"))).toMatchObject({ code: "E_NO_ACCESS" });
    const none = await openLibrary(repository, { env: { HOME: join(repository.home, "nobody") } });
    expect(await failureOf(none.runtime.getSecret("prod/api/KEY"))).toMatchObject({ code: "E_NO_IDENTITY" });
    const text = readFileSync(join(repository.home, ".config/sealtree/identity.txt"), "utf8");
    const given = await openLibrary(repository, {
      env: { HOME: join(repository.home, "nobody") },
      identities: [{ text }],
    });
    expect((await given.runtime.getSecret("prod/api/KEY")).revealText()).toBe("v");
  });

  it("never passes a record over that was changed", async () => {
    const repository = await createTeam({ "prod/api/KEY": "one", "prod/api/OTHER": "two" });
    const file = repository.read("secrets/prod/api.yaml");
    const [key = "", other = ""] = [...file.matchAll(/st1\.\S+/g)].map(([record]) => record);
    repository.write("secrets/prod/api.yaml", file.replace(key, other));
    repository.write("policies/deploy.yaml", "environments:\n  test: {sources: [repo], fallback: .env.test}\n");
    repository.write(".env.test", "KEY=of-the-file\n");
    const { runtime } = await openLibrary(repository, { environment: "test" });
    expect(await failureOf(runtime.getSecret("prod/api/KEY"))).toMatchObject({ code: "E_RECORD_INTEGRITY" });
  });
});

describe("a cached read of the repository", () => {
  it("needs no repository any more", async () => {
    const repository = await createTeam({ "prod/api/KEY": "kept" });
    const { runtime, clock } = await openLibrary(repository, { cache: { ttlMs: 1000, staleMs: 0 } });
    await runtime.getSecret("prod/api/KEY");
    renameSync(repository.root, `${repository.root}-away`);
    clock.advance(999);
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("kept");
    clock.advance(1);
    expect((await failureOf(runtime.getSecret("prod/api/KEY"))).code).toBe("E_IO");
    expect((await failureOf(runtime.getSecret("prod/api/KEY"))).code).toBe("E_SECRET_NOT_FOUND");
    renameSync(`${repository.root}-away`, repository.root);
  });

  it("is handed out on when the file of its scope is away for a moment, as while git replaces it", async () => {
    const repository = await createTeam({ "prod/api/KEY": "kept" });
    const { runtime, clock } = await openLibrary(repository);
    await runtime.getSecret("prod/api/KEY");
    const file = join(repository.root, "secrets/prod/api.yaml");
    renameSync(file, `${file}.away`);
    clock.advance(60_000);
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("kept");
    expect(runtime.health()).toMatchObject({ status: "degraded", staleEntries: 1 });
    renameSync(`${file}.away`, file);
    clock.advance(10_000);
    await runtime.getSecret("prod/api/KEY");
    expect(runtime.health()).toMatchObject({ status: "ok", staleEntries: 0 });
  });

  it("sees a rotation with its next look, and tells it", async () => {
    const repository = await createTeam({ "prod/api/KEY": "one" });
    const { runtime } = await openLibrary(repository);
    await runtime.getSecret("prod/api/KEY");
    const told = new Promise((resolve) => runtime.onRotated("prod/api/KEY", resolve));
    await setValue(repository, "prod/api/KEY", "two");
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("one");
    expect(await runtime.refresh()).toEqual(["prod/api/KEY"]);
    expect(await told).toBe("prod/api/KEY");
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("two");
  });
});

describe("getSecrets", () => {
  it("gives all of a scope by name", async () => {
    const repository = await createTeam({ "prod/api/A": "1", "prod/api/B": "2", "prod/db/C": "3" });
    const { runtime } = await openLibrary(repository);
    const secrets = await runtime.getSecrets("prod/api");
    expect([...secrets].map(([name, secret]) => [name, secret.revealText()])).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
    expect(await failureOf(runtime.getSecrets("prod/ap"))).toMatchObject({ code: "E_SCOPE_NOT_FOUND" });
  });
});

describe("the precedence", () => {
  const policy =
    "environments:\n  test: {sources: [repo], fallback: .env.test, cache: 60s}\n  bare: {sources: [repo]}\n";

  it("is variables, then the sources, then the file", async () => {
    const repository = await createTeam({ "test/api/A": "repo", "test/api/B": "repo", "test/api/mcp.key": "repo" });
    repository.write("policies/deploy.yaml", policy);
    repository.write(".env.test", "A=file\nB=file\nC=file\n");
    const env = { A: "variable", MCP_KEY: "variable", B: "" };
    const { runtime } = await openLibrary(repository, { environment: "test", env });
    const read = async (name: string) => (await runtime.getSecret(`test/api/${name}`)).revealText();
    expect(await Promise.all(["A", "B", "C", "mcp.key"].map(read))).toEqual(["variable", "repo", "file", "variable"]);
  });

  it("reads the file for whoever has no identity, and says so", async () => {
    const repository = await createTeam({ "test/api/A": "repo" });
    repository.write("policies/deploy.yaml", policy);
    repository.write(".env.test", "A=file\n");
    const { runtime } = await openLibrary(repository, {
      environment: "test",
      env: { HOME: join(repository.home, "nobody") },
    });
    expect((await runtime.getSecret("test/api/A")).source).toBe(".env.test");
    expect(runtime.health()).toMatchObject({ status: "degraded", environment: "test" });
    expect(runtime.health().sources[1]).toMatchObject({ name: "repo", status: "failing", code: "E_NO_IDENTITY" });
  });

  it("has no file in an environment that names none", async () => {
    const repository = await createTeam({ "test/api/A": "repo" });
    repository.write("policies/deploy.yaml", policy);
    repository.write(".env.test", "C=file\n");
    const { runtime } = await openLibrary(repository, { env: { SEALTREE_ENVIRONMENT: "bare" } });
    expect((await failureOf(runtime.getSecret("test/api/C"))).message).toBe(
      "no secret test/api/C in environment, repo",
    );
  });

  it("never takes a variable of the system for a secret", async () => {
    const repository = await createTeam({ "test/api/PATH": "sealed", "test/api/USER": "sealed" });
    const { runtime } = await openLibrary(repository, { env: { PATH: "/bin", USER: "alice" } });
    const secrets = await runtime.getSecrets("test/api");
    expect([...secrets.values()].map((secret) => secret.revealText())).toEqual(["sealed", "sealed"]);
  });

  it("refuses a time that is none", async () => {
    const repository = await createTeam({});
    for (const ttlMs of [Number.NaN, -1])
      expect(await failureOf(openLibrary(repository, { cache: { ttlMs } }))).toMatchObject({ code: "E_USAGE" });
  });

  it("knows only the environments of the policy", async () => {
    const repository = await createTeam({});
    repository.write("policies/deploy.yaml", policy);
    const failure = await failureOf(openLibrary(repository, { environment: "tset" }));
    expect(failure).toMatchObject({ code: "E_USAGE" });
    expect(failure.hints).toContain("did you mean test?");
  });
});

describe("a repository at a commit", () => {
  it("gives the values as they were there, whatever variables say, and asks once for each", async () => {
    const repository = await createTeam({ "prod/api/KEY": "old" });
    const commit = repository.git("rev-parse", "HEAD").trim();
    await setValue(repository, "prod/api/KEY", "new");
    const { runtime, clock } = await openLibrary(repository, { at: commit, env: { KEY: "variable" } });
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("old");
    clock.advance(1e12);
    await runtime.getSecret("prod/api/KEY");
    expect(runtime.metrics().results).toEqual({ hit: 1, miss: 1, stale: 0, error: 0 });
    expect([...(await runtime.getSecrets("prod/api")).keys()]).toEqual(["KEY"]);
    expect(await failureOf(openLibrary(repository, { at: "no-such-branch" }))).toMatchObject({
      code: "E_REVISION_NOT_FOUND",
    });
  });
});

describe("what a repository shows of itself", () => {
  it("holds no value, however it is looked at", async () => {
    const repository = await createTeam({ "prod/api/KEY": "canary-value" });
    const { runtime } = await openLibrary(repository);
    await runtime.getSecret("prod/api/KEY");
    runtime.onRotated("prod/api/KEY", () => undefined);
    const all = { runtime, health: runtime.health(), metrics: runtime.metrics(), text: runtime.metricsText() };
    expect(inspect(all, { showHidden: true, depth: 12 }) + JSON.stringify(all)).not.toContain("canary");
    expect(inspect(all, { showHidden: true, depth: 12 })).not.toContain(Buffer.from("canary-value").toString("base64"));
  });
});

describe("the audit log", () => {
  it("has a line for each value that was opened, none for a cached read, and none when turned off", async () => {
    const repository = await createTeam({ "prod/api/KEY": "v" });
    const log = join(repository.home, ".local/state/sealtree/audit.jsonl");
    const reads = () =>
      existsSync(log)
        ? readFileSync(log, "utf8")
            .split("\n")
            .filter((line) => line.includes('"operation":"library"'))
        : [];
    const quiet = await openLibrary(repository, { audit: false });
    await quiet.runtime.getSecret("prod/api/KEY");
    expect(reads()).toHaveLength(0);
    const { runtime } = await openLibrary(repository);
    await runtime.getSecret("prod/api/KEY");
    await runtime.getSecret("prod/api/KEY");
    expect(reads()).toHaveLength(1);
    expect(JSON.parse(reads()[0] ?? "")).toMatchObject({
      code: "HBSE-008",
      scope: "prod/api",
      name: "KEY",
      outcome: "ok",
    });
  });
});
