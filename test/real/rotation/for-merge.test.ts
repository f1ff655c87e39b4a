import { describe, expect, it } from "vitest";
import { cutOff, recordPlaces } from "../../rotation/engine/cut-off.ts";
import { secretOf } from "../../rotation/engine/damage.ts";
import {
  branch,
  endPullRequest,
  findMergeDamage,
  finishForMerge,
  rotateForMerge,
  type Ending,
} from "../../rotation/engine/for-merge.ts";
import { ModelProvider, type ModelKind } from "../../rotation/engine/model-provider.ts";
import { createWorld, dayMs, hourMs } from "../../rotation/engine/world.ts";

const overlapping: ModelKind[] = ["two users", "many passwords", "two keys"];
const endings: Ending[] = ["merge", "merge and delete", "squash", "rebase"];

describe("a rotation for a pull request", () => {
  it("gives the old credential its whole grace from when the merge was seen", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await rotateForMerge(world);
    world.nowMs += 9 * dayMs;
    await endPullRequest(world, "merge");
    const [seen] = await rotateForMerge(world, { wants: "finish" });
    expect(seen?.outcome).toEqual({ kind: "in grace", untilMs: world.nowMs + dayMs });
    world.nowMs += 23 * hourMs;
    expect((await rotateForMerge(world, { wants: "finish" }))[0]?.outcome.kind).toBe("in grace");
    world.nowMs += 2 * hourMs;
    expect((await rotateForMerge(world, { wants: "finish" }))[0]?.outcome.kind).toBe("ended");
    expect(await finishForMerge(world)).toEqual([]);
  });

  it.each(endings.flatMap((ending) => overlapping.map((kind) => [ending, kind] as const)))(
    "comes to its end when it is merged by %s, %s",
    async (ending, kind) => {
      const world = await createWorld(new ModelProvider(kind));
      await rotateForMerge(world);
      expect(await finishForMerge(world, ending)).toEqual([]);
      await rotateForMerge(world);
      expect(await finishForMerge(world, ending === "rebase" ? "squash" : ending)).toEqual([]);
    },
  );

  it("goes on where it was when the pull request was closed and its branch removed", async () => {
    const world = await createWorld(new ModelProvider("two keys"));
    await rotateForMerge(world);
    const proposed = secretOf((await world.head(branch)).live);
    await endPullRequest(world, "closed");
    expect((await rotateForMerge(world, { wants: "finish" }))[0]?.outcome.kind).toBe("awaits merge");
    expect(await findMergeDamage(world)).toEqual([]);
    await world.person(async ({ git }) => void git("commit", "--quiet", "--allow-empty", "-m", "work of a person"));
    expect((await rotateForMerge(world))[0]?.outcome.kind).toBe("awaits merge");
    world.git("update-ref", `refs/heads/${branch}`, `refs/sealtree/rotation/${branch}`);
    expect(secretOf((await world.head(branch)).live)).toBe(proposed);
    expect(await finishForMerge(world)).toEqual([]);
  });

  it("takes with it what people push to main meanwhile", async () => {
    const world = await createWorld(new ModelProvider("two keys"));
    await rotateForMerge(world);
    await world.person(async ({ run }) => await run(["set", "dev/db/OTHER", "--stdin"], "test-value-of-a-person"));
    // The lines stand side by side, so that git alone could not merge them.
    expect((await rotateForMerge(world, { wants: "finish" }))[0]?.outcome.kind).toBe("awaits merge");
    await endPullRequest(world, "merge");
    await world.person(async ({ run }) => await run(["set", "dev/db/THIRD", "--stdin"], "test-value-of-a-person"));
    world.nowMs += dayMs;
    await rotateForMerge(world, { wants: "finish" });
    const names = world.git("show", `${branch}:secrets/dev/db.yaml`);
    for (const name of ["OTHER", "THIRD"]) expect(names).toContain(`\n${name}: `);
    expect(await finishForMerge(world)).toEqual([]);
  });

  it("goes on after a squash of an older state of its branch", async () => {
    const world = await createWorld(new ModelProvider("two keys"));
    const places = await recordPlaces(() => rotateForMerge(world.fork()));
    const last = places.filter(({ point }) => point === "push:after")[1];
    if (last === undefined) throw new Error("a rotation pushes more than once");
    expect(await cutOff(last, () => rotateForMerge(world))).toBe(true);
    await world.person(async ({ git }) => {
      git("merge", "--quiet", "--squash", `origin/${branch}`);
      git("commit", "--quiet", "-m", "squashed in the middle");
    });
    world.nowMs += hourMs;
    expect((await rotateForMerge(world))[0]?.outcome.kind).toBe("rotated");
    expect(await findMergeDamage(world)).toEqual([]);
    expect(await finishForMerge(world, "squash")).toEqual([]);
  });

  it("loses nothing wherever it is cut off", async () => {
    const places = await recordPlaces(async () => rotateForMerge(await createWorld(new ModelProvider("two users"))));
    for (const place of places) {
      const world = await createWorld(new ModelProvider("two users"));
      expect(await cutOff(place, () => rotateForMerge(world)), `cut off at ${place.point}`).toBe(true);
      expect(await findMergeDamage(world), `cut off at ${place.point}`).toEqual([]);
      world.nowMs += hourMs;
      expect((await rotateForMerge(world))[0]?.outcome.kind, `cut off at ${place.point}`).toMatch(
        /^(?:rotated|awaits merge)$/,
      );
      expect(await finishForMerge(world), `cut off at ${place.point}`).toEqual([]);
    }
  });
});
