import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cutOff, pendingAt, provedAt } from "../../rotation/engine/cut-off.ts";
import { findDamage, finish, secretOf } from "../../rotation/engine/damage.ts";
import { ModelProvider, type ModelKind } from "../../rotation/engine/model-provider.ts";
import { createWorld, dayMs, hourMs, type World } from "../../rotation/engine/world.ts";

const kinds: ModelKind[] = ["two users", "many passwords", "two keys", "one slot"];
const overlapping = kinds.filter((kind) => kind !== "one slot");

const create = (kind: ModelKind) => createWorld(new ModelProvider(kind));

describe("a history that was moved back", () => {
  const regressed = { code: "E_JOURNAL_REGRESSED" };

  it.each(overlapping)("stops the engine before it asks the provider, %s", async (kind) => {
    const world = await create(kind);
    const before = world.git("rev-parse", "main").trim();
    const old = world.clone();
    await world.rotate();
    world.git("update-ref", "refs/heads/main", before);
    world.provider.calls.length = 0;
    await expect(world.rotate()).rejects.toMatchObject(regressed);
    await expect(world.rotate({}, old)).rejects.toMatchObject(regressed);
    // Work on top of the old state does not make it the new one.
    await world.person(async ({ git }) => void git("commit", "--quiet", "--allow-empty", "-m", "work of a person"));
    await expect(world.rotate()).rejects.toMatchObject(regressed);
    expect(world.provider.calls).toEqual([]);
  });

  it("is brought back as the hint says", async () => {
    const world = await create("two keys");
    const before = world.git("rev-parse", "main").trim();
    await world.rotate();
    world.git("update-ref", "refs/heads/main", before);
    await world.person(async ({ git }) => {
      git("commit", "--quiet", "--allow-empty", "-m", "work of a person");
      git("fetch", "--quiet", "origin", "refs/sealtree/rotation/main");
      git("merge", "--quiet", "--no-edit", "FETCH_HEAD");
    });
    expect((await world.rotate())[0]?.outcome.kind).toBe("in grace");
    expect(await finish(world)).toEqual([]);
  });

  it("is none when only work of a person on top of it was taken away", async () => {
    const world = await create("two keys");
    await world.rotate();
    const rotated = world.git("rev-parse", "main").trim();
    await world.person(async ({ git }) => void git("commit", "--quiet", "--allow-empty", "-m", "work of a person"));
    const clone = world.clone();
    expect((await world.rotate({}, clone))[0]?.outcome.kind).toBe("in grace");
    world.git("update-ref", "refs/heads/main", rotated);
    expect((await world.rotate({}, clone))[0]?.outcome.kind).toBe("in grace");
    expect(await finish(world)).toEqual([]);
  });

  it("is known to a clone that saw it, also when the guard was moved back too, or removed", async () => {
    const world = await create("two users");
    const before = world.git("rev-parse", "main").trim();
    const clone = world.clone();
    await world.rotate({}, clone);
    const rotated = world.git("rev-parse", "main").trim();
    world.git("update-ref", "refs/sealtree/rotation/main", before);
    expect((await world.rotate({}, clone))[0]?.outcome.kind).toBe("in grace");
    world.git("update-ref", "refs/heads/main", before);
    await expect(world.rotate({}, clone)).rejects.toMatchObject(regressed);
    world.git("update-ref", "-d", "refs/sealtree/rotation/main");
    await expect(world.rotate({}, clone)).rejects.toMatchObject(regressed);
    world.git("update-ref", "refs/heads/main", rotated);
    expect((await world.rotate({}, clone))[0]?.outcome.kind).toBe("in grace");
  });

  it("has its guard again after the next step when somebody removed it", async () => {
    const world = await create("two users");
    await world.rotate();
    world.git("update-ref", "-d", "refs/sealtree/rotation/main");
    expect(await finish(world)).toEqual([]);
    expect(world.git("rev-parse", "refs/sealtree/rotation/main")).toBe(world.git("rev-parse", "main"));
  });
});

describe("a value that somebody sets by hand while it is pending", () => {
  const rows = overlapping.flatMap((kind) => [[kind, pendingAt[kind]] as const, [kind, provedAt] as const]);

  it.each(rows)("stays, and the rotation of %s says so (%o)", async (kind, place) => {
    const world = await create(kind);
    expect(await cutOff(place, () => world.rotate())).toBe(true);
    const byHand = "test-value-set-by-hand";
    const part = kind === "two keys" ? "key" : "password";
    await world.person(async ({ run }) => run(["set", "dev/db/PASSWORD", "--stdin", "--yes"], byHand));
    for (let round = 0; round < 2; round++) {
      world.nowMs += hourMs;
      const [result] = await world.rotate();
      expect(result?.outcome).toMatchObject({ kind: "failed", code: "E_RACED" });
      const { live, journal, held } = await world.head();
      expect(live[part]).toBe(byHand);
      expect(journal?.state).toBe("pending");
      // What was there before the rotation stays alive, for the one who set the value by hand.
      expect([...world.provider.live.values()].filter((value) => !held.includes(value))).toHaveLength(1);
      // The next run need not wait for this one.
      expect(journal?.lease).toBeUndefined();
    }
  });
});

describe("a member who is removed while a value is pending", () => {
  const rows = kinds.flatMap((kind) => [[kind, pendingAt[kind]] as const, [kind, provedAt] as const]);

  it.each(rows)("never knew the value that becomes the live one, %s (%o)", async (kind, place) => {
    const world = await create(kind);
    await world.person(async ({ root, run }) => {
      const file = join(dirname(root), "bob.key");
      await run(["keygen", "-o", file, "--x25519"]);
      await run(["member", "add", "bob", "--recipient", await recipientOf(file), "--role", "engineer", "--yes"]);
    });
    expect(await cutOff(place, () => world.rotate())).toBe(true);
    const known = await world.head();
    expect(known.journal?.state).toBe("pending");
    const pending = known.held.filter((value) => !Object.values(known.live).includes(value));
    await world.person(async ({ run }) => run(["member", "remove", "bob", "--yes"]));
    world.nowMs += hourMs;
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(await findDamage(world)).toEqual([]);
    const { live } = await world.head();
    expect(pending).not.toContain(secretOf(live));
    expect([...world.provider.live.values()].filter((value) => pending.includes(value))).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });

  it("and in the middle of a run, too", async () => {
    const world = await create("two keys");
    await world.person(async ({ root, run }) => {
      const file = join(dirname(root), "bob.key");
      await run(["keygen", "-o", file, "--x25519"]);
      await run(["member", "add", "bob", "--recipient", await recipientOf(file), "--role", "engineer", "--yes"]);
    });
    let isDone = false;
    world.provider.onCall = async (call, when) => {
      if (call !== "probe" || when !== "after" || isDone) return;
      isDone = true;
      await world.person(async ({ run }) => run(["member", "remove", "bob", "--yes"]));
    };
    expect((await world.rotate())[0]?.outcome).toMatchObject({ kind: "failed", code: "E_RACED" });
    const { live, held } = await world.head();
    const [known] = held.filter((value) => !Object.values(live).includes(value));
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(secretOf((await world.head()).live)).not.toBe(known);
    expect([...world.provider.live.values()]).not.toContain(known);
    expect(await finish(world)).toEqual([]);
  });
});

describe("a key that somebody deletes at the provider while it is pending", () => {
  it.each(kinds)("is made again, %s", async (kind) => {
    const world = await create(kind);
    expect(await cutOff(provedAt, () => world.rotate())).toBe(true);
    const { held, live } = await world.head();
    for (const [id, value] of world.provider.live)
      if (held.includes(value) && value !== secretOf(live)) world.provider.live.delete(id);
    world.nowMs += hourMs;
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(await findDamage(world)).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });
});

describe("a live value that the provider does not let in any more", () => {
  it.each(overlapping)("keeps the old one alive after its grace, %s", async (kind) => {
    const world = await create(kind);
    await world.rotate();
    const { live } = await world.head();
    const { provider } = world;
    const [id = ""] = [...provider.live].find(([, value]) => value === secretOf(live)) ?? [];
    provider.live.delete(id);
    for (const request of [{ wants: "finish" }, { urgency: "emergency" }] as const) {
      world.nowMs += dayMs;
      expect((await world.rotate(request))[0]?.outcome.kind).toBe("failed");
      expect(provider.live.size).toBe(1);
      expect(provider.calls.filter((call) => /^(?:revoke|suspend)/.test(call))).toEqual([]);
    }
  });

  it.each(overlapping)("and cannot be asked keeps the old one, too, %s", async (kind) => {
    const world = await create(kind);
    await world.rotate();
    world.nowMs += dayMs;
    world.provider.troubles.push({ call: "probe", class: "transient", isDone: false });
    expect((await world.rotate({ wants: "finish" }))[0]?.outcome).toMatchObject({ kind: "failed", class: "transient" });
    expect(world.provider.live.size).toBe(2);
    expect(await finish(world)).toEqual([]);
  });
});

describe("a rule that changes while a value is pending", () => {
  const ruleTo = async (world: World, from: RegExp, to: string) =>
    await world.person(async ({ git, edit }) => {
      edit("policies/rotation.yaml", (text) => text.replace(from, to));
      git("commit", "--quiet", "--all", "-m", "another rule");
    });

  it.each(overlapping)("to another rotator stops it until it is put back, %s", async (kind) => {
    const world = await create(kind);
    await cutOff(pendingAt[kind], () => world.rotate());
    world.provider.calls.length = 0;
    await ruleTo(world, /rotator: manual/, "rotator: generate, options: { kind: hex }");
    world.nowMs += hourMs;
    expect((await world.rotate())[0]?.outcome).toMatchObject({ kind: "failed", code: "E_ROTATION_IN_FLIGHT" });
    expect(world.provider.calls).toEqual([]);
    await ruleTo(world, /rotator: generate, options: \{ kind: hex \}/, "rotator: manual");
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(await finish(world)).toEqual([]);
  });

  const rows = overlapping.flatMap((kind) => [[kind, pendingAt[kind]] as const, [kind, provedAt] as const]);

  it.each(rows)("to other options makes a new value unless the provider has it, %s (%o)", async (kind, place) => {
    const world = await create(kind);
    await ruleTo(world, /rotator: manual/, "rotator: generate, options: { kind: hex, bytes: 16 }");
    expect(await cutOff(place, () => world.rotate())).toBe(true);
    const { held, live } = await world.head();
    const pending = held.filter((value) => !Object.values(live).includes(value));
    await ruleTo(world, /bytes: 16/, "bytes: 32");
    world.nowMs += hourMs;
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    const isKept = place === provedAt || kind === "two keys";
    expect(pending.includes(secretOf((await world.head()).live))).toBe(isKept);
    expect(await findDamage(world)).toEqual([]);
    expect(await finish(world)).toEqual([]);
  });

  it("to other options waits while the provider cannot say whether it has the value", async () => {
    const world = await create("many passwords");
    await ruleTo(world, /rotator: manual/, "rotator: generate, options: { kind: hex, bytes: 16 }");
    expect(await cutOff(provedAt, () => world.rotate())).toBe(true);
    await ruleTo(world, /bytes: 16/, "bytes: 32");
    world.nowMs += hourMs;
    world.provider.troubles.push({ call: "probe", class: "transient", isDone: false });
    await world.rotate();
    expect(await findDamage(world)).toEqual([]);
    await world.rotate();
    world.nowMs += dayMs;
    expect(await finish(world)).toEqual([]);
  });
});

async function recipientOf(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const found = /public key: (\S+)/.exec(await readFile(file, "utf8"))?.[1];
  if (found === undefined) throw new Error("the key file names its public key");
  return found;
}
