import { describe, expect, it } from "vitest";
import type { Session } from "../../src/access/session.ts";
import { loadIdentities } from "../../src/identity/load.ts";
import { rotateScopes } from "../../src/rotation/rotate.ts";
import { selectRotations } from "../../src/rotation/select.ts";
import { rotationStatus } from "../../src/rotation/status.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const options = { urgency: "planned", commit: true, dryRun: false } as const;

function openSession(repository: TestRepository): Session {
  const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
  return {
    place: { root: repository.root, env },
    random: (size) => new Uint8Array(size).fill(7),
    now: () => new Date("2026-03-01T12:00:00Z"),
    identities: async () => (await loadIdentities({ env })).identities,
    plugins: () => Promise.reject(new Error("no plugin here")),
  };
}

async function createRuled(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
  repository.write(
    "policies/rotation.yaml",
    "secrets:\n  dev/app/KEY: { rotator: generate, options: { kind: hex } }\n",
  );
  return repository;
}

async function selectAll(repository: TestRepository) {
  const { entries } = await rotationStatus(openWorkTree(repository.root), new Date());
  return selectRotations(entries, { kind: "all" }, "planned").rotations;
}

describe("rotateScopes", () => {
  it("leaves a value alone that somebody else set in the meantime", async () => {
    const repository = await createRuled();
    const rotations = await selectAll(repository);
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value-of-another" });
    const [scope] = await rotateScopes(openSession(repository), rotations, options);
    expect(scope).toMatchObject({ outcome: undefined, error: { code: "E_RACED" } });
    expect((await repository.ok(["get", "dev/app/KEY", "--reveal", "--yes"])).stdout).toBe("test-value-of-another");
  });

  it("does not call a value rotated that is the same as before", async () => {
    const repository = await createRuled();
    const [first] = await rotateScopes(openSession(repository), await selectAll(repository), options);
    expect(first?.error).toBeUndefined();
    const [second] = await rotateScopes(openSession(repository), await selectAll(repository), options);
    expect(second).toMatchObject({ outcome: undefined, error: { code: "E_ROTATION_NOT_DONE" } });
  });

  it("tries no other scope after a failure that holds for all of them", async () => {
    const repository = await createRuled();
    await repository.ok(["set", "dev/web/KEY", "--generate", "hex"]);
    repository.write(
      "policies/rotation.yaml",
      "secrets:\n  dev/app/KEY: { rotator: generate, options: { kind: hex } }\n  dev/web/KEY: { rotator: generate, options: { kind: hex } }\n",
    );
    repository.write(".git/MERGE_HEAD", `${repository.git("rev-parse", "HEAD").trim()}\n`);
    const scopes = await rotateScopes(openSession(repository), await selectAll(repository), options);
    expect(scopes.map(({ scope }) => scope)).toEqual(["dev/app", "dev/web"]);
    expect(scopes[0]?.error).toMatchObject({ code: "E_OPERATION_IN_PROGRESS" });
    expect(scopes[1]?.error).toBe(scopes[0]?.error);
  });
});
