import { describe, expect, it } from "vitest";
import { createWorld, dayMs } from "./world.ts";
import { ModelProvider, type ModelKind } from "./model-provider.ts";

const overlapping: ModelKind[] = ["two users", "many passwords", "two keys"];

describe("a rotation at a provider", () => {
  it.each(overlapping)("gives %s a new value, keeps the old for its grace, then ends it", async (kind) => {
    const provider = new ModelProvider(kind);
    const world = await createWorld(provider);
    const before = await world.head();

    const [first] = await world.rotate();
    expect(first?.outcome).toEqual({ kind: "rotated", graceUntilMs: world.nowMs + dayMs });
    const after = await world.head();
    expect(after.live).not.toEqual(before.live);
    expect(new Set(provider.live.values())).toEqual(
      new Set([before.live, after.live].map((live) => live["password"] ?? live["key"])),
    );
    expect(after.journal?.state).toBe("promoted");

    expect((await world.rotate())[0]?.outcome.kind).toBe("in grace");
    world.nowMs += dayMs;
    const [end] = await world.rotate({ wants: "finish" });
    if (kind === "two keys") {
      expect(end?.outcome).toEqual({ kind: "suspended", untilMs: world.nowMs + dayMs });
      expect(provider.suspended.size).toBe(1);
      world.nowMs += dayMs;
      expect((await world.rotate({ wants: "finish" }))[0]?.outcome.kind).toBe("ended");
    } else expect(end?.outcome.kind).toBe("ended");
    expect(provider.live.size + provider.suspended.size).toBe(1);
    expect((await world.head()).journal).toBeUndefined();
  });

  it("rolls one slot by name only", async () => {
    const provider = new ModelProvider("one slot");
    const world = await createWorld(provider);
    const [refused] = await world.rotate({ isNamed: false });
    expect(refused?.outcome).toMatchObject({ kind: "refused", reason: "the old key ends at once" });
    expect(provider.calls).toEqual([]);
    const [done] = await world.rotate();
    expect(done?.outcome).toEqual({ kind: "rotated", graceUntilMs: undefined });
    expect([...provider.live.values()]).toEqual([(await world.head()).live["password"]]);
  });

  it.each(overlapping)("ends the old value of %s at once in an emergency", async (kind) => {
    const provider = new ModelProvider(kind);
    const world = await createWorld(provider);
    const [done] = await world.rotate({ urgency: "emergency" });
    expect(done?.outcome).toEqual({ kind: "rotated", graceUntilMs: undefined });
    const { live, journal } = await world.head();
    expect(journal).toBeUndefined();
    expect([...provider.live.values()]).toEqual([live["password"] ?? live["key"]]);
    expect(world.git("log", "-1", "--format=%B", "main")).toContain("Sealtree-Reason: emergency");
  });

  it.each(overlapping)("ends the grace of %s and rotates again in an emergency", async (kind) => {
    const provider = new ModelProvider(kind);
    const world = await createWorld(provider);
    await world.rotate();
    const between = await world.head();
    const [done] = await world.rotate({ urgency: "emergency" });
    expect(done?.outcome).toEqual({ kind: "rotated", graceUntilMs: undefined });
    const { live } = await world.head();
    expect(live).not.toEqual(between.live);
    expect([...provider.live.values()]).toEqual([live["password"] ?? live["key"]]);
  });
});
