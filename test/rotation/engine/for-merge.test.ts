import { describe, expect, it } from "vitest";
import { secretOf } from "./damage.ts";
import { branch, findMergeDamage, finishForMerge, rotateForMerge } from "./for-merge.ts";
import { ModelProvider, type ModelKind } from "./model-provider.ts";
import { createWorld, dayMs } from "./world.ts";

const overlapping: ModelKind[] = ["two users", "many passwords", "two keys"];

/** How a pull request ends, in each way that a git host has: test/real/rotation/for-merge.test.ts. */
describe("a rotation for a pull request", () => {
  it.each(overlapping)("records on its own branch, and main stays as it is, %s", async (kind) => {
    const world = await createWorld(new ModelProvider(kind));
    const before = world.git("rev-parse", "main");
    const old = secretOf((await world.head()).live);
    const [result] = await rotateForMerge(world);
    expect(result?.outcome).toEqual({ kind: "rotated", graceUntilMs: "after merge" });
    expect(world.git("rev-parse", "main")).toBe(before);
    const proposed = secretOf((await world.head(branch)).live);
    expect(proposed).not.toBe(old);
    expect(new Set(world.provider.live.values())).toEqual(new Set([old, proposed]));
    expect(await findMergeDamage(world)).toEqual([]);
  });

  it("never ends the old credential before the merge, however long that takes", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    for (const wants of ["finish", "new value"] as const) {
      world.nowMs += 90 * dayMs;
      const [later] = await rotateForMerge(world, { wants, urgency: wants === "finish" ? "planned" : "emergency" });
      expect(later?.outcome).toEqual({ kind: "awaits merge" });
      expect(world.provider.live.size).toBe(2);
      expect(await findMergeDamage(world)).toEqual([]);
    }
    expect(await finishForMerge(world)).toEqual([]);
  });

  it("is refused for a value whose old one ends at once, by name and in an emergency also", async () => {
    const world = await createWorld(new ModelProvider("one slot"));
    for (const urgency of ["planned", "emergency"] as const) {
      const [result] = await rotateForMerge(world, { urgency });
      expect(result?.outcome).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining("the old key ends at once; in a pull request the old value would end before"),
        hints: [expect.stringContaining("rotate it on main")],
      });
    }
    expect(world.provider.calls.filter((call) => call.startsWith("roll"))).toEqual([]);
  });

  it("uses nothing of a branch that has other rules than main", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    await world.person(async ({ git, edit }) => {
      git("checkout", "--quiet", "-B", "work", `origin/${branch}`);
      edit(
        "policies/rotation.yaml",
        () => "secrets:\n  dev/db/PASSWORD: { rotator: exec, options: { command: [sh] } }\n",
      );
      edit("policies/access.yaml", (text) => text.replaceAll("rotate", "read"));
      git("commit", "--quiet", "--all", "-m", "rules that nobody reviewed");
      git("push", "--quiet", world.remote, `HEAD:refs/heads/${branch}`);
      git("checkout", "--quiet", "main");
    });
    const error: unknown = await rotateForMerge(world, { wants: "finish" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "E_BRANCH_UNTRUSTED",
      message: expect.stringContaining("policies/access.yaml"),
    });
    expect(world.provider.live.size).toBe(2);
  });

  it("says so when main and its branch set the same secret", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    await world.person(async ({ run }) => await run(["set", "dev/db/PASSWORD", "--stdin"], "test-value-of-a-person"));
    const error: unknown = await rotateForMerge(world).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_MERGE_CONFLICT", hints: [expect.stringContaining("git merge main")] });
    expect(world.provider.live.size).toBe(2);
  });

  it("comes to its end when it is squashed and its branch removed", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    expect(await finishForMerge(world, "squash")).toEqual([]);
  });
});
