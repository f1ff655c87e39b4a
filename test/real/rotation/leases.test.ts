import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { cutOff, pendingAt } from "../../rotation/engine/cut-off.ts";
import { findDamage, finish } from "../../rotation/engine/damage.ts";
import { ModelProvider, type ModelKind } from "../../rotation/engine/model-provider.ts";
import { lockPath } from "../../rotation/engine/run-engine.ts";
import { createWorld, hourMs } from "../../rotation/engine/world.ts";

const kinds: ModelKind[] = ["two users", "many passwords", "two keys", "one slot"];
const minuteMs = 60_000;

const create = (kind: ModelKind) => createWorld(new ModelProvider(kind));

describe("a lease", () => {
  it.each(kinds)("is waited for until it is over, %s", async (kind) => {
    const world = await create(kind);
    await cutOff(pendingAt[kind], () => world.rotate());
    world.provider.calls.length = 0;
    world.nowMs += 15 * minuteMs;
    expect((await world.rotate())[0]?.outcome.kind).toBe("busy");
    expect(world.provider.calls).toEqual([]);
    world.nowMs += minuteMs + 1000;
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(await finish(world)).toEqual([]);
  });

  it("is taken over at once from a process of this machine that is gone, and from no other", async () => {
    const world = await create("two keys");
    const root = world.clone();
    const holder = "00112233445566aa";
    await cutOff(pendingAt["two keys"], () => world.rotate({}, root, { holder }));
    const lock = lockPath(root, holder);
    mkdirSync(dirname(lock), { recursive: true });
    const write = (pid: number) => writeFileSync(lock, `${pid} - ${hostname()} ${Date.now()} 0011\n`);
    write(process.pid);
    expect((await world.rotate({}, root))[0]?.outcome.kind).toBe("busy");
    const ended = promisify(execFile)(process.execPath, ["--eval", ""]);
    const { pid } = ended.child;
    await ended;
    write(pid ?? 0);
    expect((await world.rotate())[0]?.outcome.kind).toBe("busy");
    expect((await world.rotate({}, root))[0]?.outcome.kind).toBe("rotated");
    expect(await finish(world)).toEqual([]);
  });

  it.each(kinds)("holds between clocks that differ by half a minute, %s", async (kind) => {
    const world = await create(kind);
    await cutOff(pendingAt[kind], () => world.rotate());
    world.nowMs += 15 * minuteMs;
    const ahead = { now: () => new Date(world.nowMs + minuteMs / 2) };
    expect((await world.rotate({}, undefined, ahead))[0]?.outcome.kind).toBe("busy");
  });

  const calls = (["before", "after"] as const).flatMap((when) => kinds.map((kind) => [kind, when] as const));

  it.each(calls)("that a clock an hour ahead takes loses nothing of %s, %s the call", async (kind, when) => {
    const world = await create(kind);
    const { provider } = world;
    const call = { "two users": "apply", "many passwords": "apply", "two keys": "mint", "one slot": "roll" }[kind];
    let other: Promise<unknown> | undefined;
    provider.onCall = async (name, moment) => {
      if (name !== call || moment !== when || other !== undefined) return;
      other = world.rotate({}, undefined, { now: () => new Date(world.nowMs + hourMs) });
      expect(await other).toMatchObject([{ outcome: { kind: "rotated" } }]);
    };
    const [slow] = await world.rotate();
    expect(slow?.outcome.kind).toBe("failed");
    expect(other).toBeDefined();
    if (kind === "one slot" && when === "before") {
      // What was rolled last is what the slot has. A run that is asked for by name rolls it again.
      expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    }
    expect(await findDamage(world)).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });

  it.each(kinds)("that ran out while its run was asleep stops the run before a call, %s", async (kind) => {
    const world = await create(kind);
    await cutOff({ point: "push:after", occurrence: 1 }, () => world.rotate());
    world.nowMs += hourMs;
    let isAsleep = false;
    world.provider.onCall = async (call) => {
      if (call !== "identify" || isAsleep) return;
      isAsleep = true;
      world.nowMs += hourMs;
      expect(await world.rotate()).toMatchObject([{ outcome: { kind: "rotated" } }]);
      world.provider.calls.length = 0;
    };
    expect((await world.rotate())[0]?.outcome).toMatchObject({ kind: "failed", code: "E_RACED" });
    expect(world.provider.calls.filter((call) => /^(?:apply|mint|roll|revoke)/.test(call))).toEqual([]);
    expect(await findDamage(world)).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });

  it.each(kinds)("that another clock took is known before a call when time has passed, %s", async (kind) => {
    const world = await create(kind);
    await cutOff({ point: "push:after", occurrence: 1 }, () => world.rotate());
    world.nowMs += hourMs;
    const real = performance.now.bind(performance);
    let passedMs = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => real() + passedMs);
    onTestFinished(() => clock.mockRestore());
    world.provider.onCall = async (call) => {
      if (call !== "identify" || passedMs > 0) return;
      passedMs = 20_000;
      await world.rotate({}, undefined, { now: () => new Date(world.nowMs + hourMs) });
      world.provider.calls.length = 0;
    };
    expect((await world.rotate())[0]?.outcome).toMatchObject({ kind: "failed", code: "E_RACED" });
    expect(world.provider.calls.filter((call) => /^(?:apply|mint|roll|revoke)/.test(call))).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });

  it("that another took leaves nothing at a provider with room for more keys", async () => {
    const world = await createWorld(new ModelProvider("two keys", 5));
    let other: Promise<unknown> | undefined;
    world.provider.onCall = async (name, moment) => {
      if (name !== "mint" || moment !== "before" || other !== undefined) return;
      other = world.rotate({}, undefined, { now: () => new Date(world.nowMs + hourMs) });
      await other;
    };
    expect((await world.rotate())[0]?.outcome.kind).toBe("failed");
    expect(world.provider.live.size).toBe(2);
    expect(await findDamage(world)).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });
});
