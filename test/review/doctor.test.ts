import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isAtLeast } from "../../src/git/version.ts";
import { diagnoseNode } from "../../src/review/diagnose-machine.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import type { CliOptions } from "../support/run-cli.ts";

interface Doctor {
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly fix: string | null;
  }[];
  readonly failed: number;
}

async function doctor(repository: TestRepository, options: Partial<CliOptions> = {}) {
  const result = await repository.run(["doctor", "--json"], options);
  const { checks, failed } = result.json<Doctor>();
  return { code: result.code, failed, of: (name: string) => checks.filter((check) => check.name === name) };
}

describe("doctor", () => {
  it("fails nothing in a repository in order and says who you are", async () => {
    const { of } = await doctor(await createSealedRepository());
    const names = [
      "node",
      "git",
      "clock",
      "repository",
      "policy",
      "attributes",
      "write lock",
      "leftovers",
      "identity",
      "identity file",
      "member",
    ];
    expect(names.filter((name) => of(name)[0]?.status !== "ok")).toEqual([]);
    expect(of("member")[0]?.message).toContain("alice-example (senior-engineer)");
  });

  it("fails an identity file that others can read, with the command that mends it", async () => {
    const repository = await createSealedRepository();
    const file = join(repository.home, ".config/sealtree/identity.txt");
    chmodSync(file, 0o644);
    const { code, of } = await doctor(repository);
    expect(code).toBe(1);
    expect(of("identity file")).toMatchObject([
      { status: "fail", fix: expect.stringContaining(`chmod 600 '${file}'`) },
    ]);
    chmodSync(file, 0o600);
    expect((await doctor(repository)).of("identity file")).toMatchObject([{ status: "ok" }]);
  });

  it("says where it looked for an identity, and repeats nothing of a broken one", async () => {
    const repository = await createSealedRepository();
    const env = { SEALTREE_IDENTITY: "AGE-SECRET-KEY-CANARY", XDG_CONFIG_HOME: join(repository.home, "empty") };
    const { code, of } = await doctor(repository, { env });
    expect(code).toBe(1);
    expect(of("identity")).toMatchObject([{ status: "fail" }, { status: "warn" }]);
    expect(JSON.stringify(of("identity"))).not.toContain("CANARY");
    expect(of("member")).toMatchObject([{ status: "warn" }]);
  });

  it("finds what killed commands left, and a merge driver that is not set up", async () => {
    const repository = await createSealedRepository();
    repository.write("secrets/dev/.sealtree-00ff.tmp", "half");
    writeFileSync(join(repository.root, ".git/sealtree.lock"), "999999999 1 elsewhere 0 00\n");
    repository.git("config", "--unset", "merge.sealtree.driver");
    const { of } = await doctor(repository);
    expect(of("leftovers")).toMatchObject([{ status: "warn", fix: expect.stringContaining(".sealtree-00ff.tmp") }]);
    expect(of("write lock")).toMatchObject([{ status: "warn" }]);
    expect(of("merge driver")).toMatchObject([{ status: "warn", fix: "sealtree git-setup" }]);
  });

  it("fails a broken policy", async () => {
    const repository = await createSealedRepository();
    repository.write("policies/access.yaml", "version: x\n");
    const { code, of } = await doctor(repository);
    expect(code).toBe(1);
    expect(of("policy")).toMatchObject([{ status: "fail", fix: "sealtree check" }]);
  });

  it("works outside of a repository and with git out of reach", async () => {
    const repository = await createSealedRepository();
    const outside = mkdtempSync(join(tmpdir(), "sealtree-outside-"));
    try {
      const { code, of } = await doctor(repository, { cwd: outside });
      expect(code).toBe(1);
      expect(of("repository")).toMatchObject([{ status: "fail" }]);
    } finally {
      rmSync(outside, { recursive: true });
    }
    const { of } = await doctor(repository, { env: { PATH: "/nonexistent" } });
    expect(of("git")).toMatchObject([{ status: "fail" }]);
    expect(of("member")).toMatchObject([{ status: "ok" }]);
  });

  it("fails a clock that is far off", async () => {
    const { of } = await doctor(await createSealedRepository(), { now: new Date(0) });
    expect(of("clock")).toMatchObject([{ status: "fail" }]);
  });
});

describe("versions", () => {
  it.each([
    ["2.36.0", "2.36.0", true],
    ["2.36", "2.36.0", true],
    ["2.35.9", "2.36.0", false],
    ["10.0.0", "2.36.0", true],
  ])("%s against %s is %s", (version, oldest, expected) => {
    expect(isAtLeast(version, oldest)).toBe(expected);
  });

  it("of Node before 20.19 fail", () => {
    expect(diagnoseNode("20.18.3").status).toBe("fail");
    expect(diagnoseNode("20.19.0").status).toBe("ok");
  });
});

describe("status", () => {
  it("counts what there is and names what is not committed", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" });
    await repository.ok(["set", "dev/app/OTHER_KEY", "--stdin", "--no-commit"], { stdin: "test-value" });
    expect((await repository.ok(["status", "--json"])).json()).toMatchObject({
      member: { name: "alice-example", roles: ["senior-engineer"] },
      scopes: 1,
      readable: 1,
      secrets: 2,
      errors: 0,
      rotation: { due: 0, overdue: 0 },
      uncommitted: ["secrets/dev/app.yaml"],
      attributes: true,
    });
    expect((await repository.ok(["status"])).stdout).toContain("2 secrets in 1 scope, 1 of them yours to read");
  });

  it("counts overdue rotations and works without a key", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], {
      stdin: "test-value",
      now: new Date("2026-01-01T00:00:00Z"),
    });
    repository.write("policies/rotation.yaml", "secrets: { dev/app/API_KEY: { interval: 30d } }\n");
    const env = { XDG_CONFIG_HOME: "/nonexistent" };
    const result = await repository.ok(["status", "--json"], { env, now: new Date("2027-01-01T00:00:00Z") });
    expect(result.json()).toMatchObject({
      member: null,
      readable: 0,
      rotation: { due: 0, overdue: 1 },
      uncommitted: ["policies/rotation.yaml"],
    });
  });
});
