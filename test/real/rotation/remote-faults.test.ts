import { describe, expect, it } from "vitest";
import { startGitServer, type GitServer } from "../../support/git-server.ts";
import { ModelProvider, type ModelKind } from "../../rotation/engine/model-provider.ts";
import { createWorld, hourMs, type World } from "../../rotation/engine/world.ts";
import { findDamage, finish } from "../../rotation/engine/damage.ts";

const kinds: ModelKind[] = ["two users", "many passwords", "two keys", "one slot"];
const effects = /^(?:apply|mint|roll|revoke|suspend)/;

/** Pushes of one rotation, of a kind. */
const pushes = { "two users": 2, "many passwords": 2, "two keys": 3, "one slot": 3 } as const satisfies Record<
  ModelKind,
  number
>;

describe("a rotation whose push is not answered", () => {
  const rows = kinds.flatMap((kind) => Array.from({ length: pushes[kind] }, (_, index) => [index + 1, kind] as const));

  it.each(rows)("goes on when the answer to push %i is lost, %s", async (nth, kind) => {
    const { world, server } = await createServedWorld(kind);
    onPush(server, nth, () => server.spoil("push", { kind: "lost answer" }));
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(server.asked.push).toBe(pushes[kind]);
    expect(await findDamage(world)).toEqual([]);
    expect(commitsOf(world)).toBe(pushes[kind]);
    expect(await finish(world)).toEqual([]);
  });

  it.each(rows)("goes on when push %i is sent twice by curl, %s", async (nth, kind) => {
    const { world, server } = await createServedWorld(kind);
    server.keepsConnections = true;
    onPush(server, nth, () => server.spoil("push", { kind: "lost answer" }));
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(server.asked.push).toBe(pushes[kind] + 1);
    expect(commitsOf(world)).toBe(pushes[kind]);
    expect(await finish(world)).toEqual([]);
  });

  it.each(rows)("goes on when push %i is done only after it was sent again, %s", async (nth, kind) => {
    const { world, server } = await createServedWorld(kind);
    onPush(server, nth, () => {
      let release = () => {};
      let onDone = () => {};
      const isDone = new Promise<void>((resolve) => (onDone = resolve));
      server.spoil("push", { kind: "late", until: new Promise((resolve) => (release = resolve)), onDone });
      onPush(server, 1, async () => {
        release();
        await isDone;
      });
    });
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(server.asked.push).toBeGreaterThan(pushes[kind]);
    expect(commitsOf(world)).toBe(pushes[kind]);
    expect(await finish(world)).toEqual([]);
  });

  it.each(["hang up", 500, 503] as const)("tries again after %s", async (how) => {
    const { world, server } = await createServedWorld("two keys");
    const fault = typeof how === "number" ? { kind: "status" as const, status: how } : { kind: how };
    for (let nth = 1; nth <= 3; nth++) server.spoil("push", fault);
    expect((await world.rotate())[0]?.outcome.kind).toBe("rotated");
    expect(commitsOf(world)).toBe(3);
    expect(await finish(world)).toEqual([]);
  });

  it("gives up when pushes are never answered, and says that it is the network", async () => {
    const { world, server } = await createServedWorld("two users");
    server.spoil("push", { kind: "status", status: 500 }, 100);
    const [result] = await world.rotate();
    expect(result?.outcome).toMatchObject({ kind: "failed", code: "E_NETWORK" });
    expect(server.asked.push).toBeLessThan(10);
    expect(world.provider.calls.filter((call) => effects.test(call))).toEqual([]);
  });
});

describe("a remote that goes away in the middle of a rotation", () => {
  it.each(kinds)("stops it, and the next run ends it, %s", async (kind) => {
    for (let nth = 2; ; nth++) {
      const { world, server } = await createServedWorld(kind);
      let requests = 0;
      let isDown = false;
      server.onRequest = (request) => {
        isDown ||= ++requests >= nth;
        if (isDown) server.spoil(request, { kind: "status", status: 503 });
      };
      const ended = await world.rotate().catch((error: unknown) => error);
      server.onRequest = undefined;
      if (!isDown) break;
      const [result] = Array.isArray(ended) ? ended : [{ outcome: ended }];
      expect(result).toMatchObject({ outcome: { code: "E_NETWORK" } });
      expect(await findDamage(world), `down from request ${nth}`).toEqual([]);
      world.nowMs += hourMs;
      expect((await world.rotate())[0]?.outcome.kind).toMatch(/^(?:rotated|in grace)$/);
      expect(await findDamage(world), `after request ${nth}`).toEqual([]);
      expect(await finish(world), `after request ${nth}`).toEqual([]);
      await server.stop();
    }
  });
});

describe("a branch that takes no pushes", () => {
  it.each(kinds)("is known before a provider changes anything, %s", async (kind) => {
    const { world, server } = await createServedWorld(kind);
    server.protect("main");
    const [result] = await world.rotate();
    expect(result?.outcome).toMatchObject({ kind: "failed", code: "E_PUSH_REFUSED" });
    expect(world.provider.calls.filter((call) => effects.test(call))).toEqual([]);
    expect(world.git("for-each-ref", "refs/sealtree")).toBe("");
  });

  it.each([401, 403])("is known when the remote answers %s to pushes", async (status) => {
    const { world, server } = await createServedWorld("two keys");
    server.spoil("push refs", { kind: "status", status }, 5);
    const [result] = await world.rotate();
    expect(result?.outcome).toMatchObject({ kind: "failed", code: "E_PUSH_REFUSED" });
    expect(world.provider.calls.filter((call) => effects.test(call))).toEqual([]);
  });
});

describe("a clone that is shallow", () => {
  it.each(kinds)("rotates all the same, %s", async (kind) => {
    const { world } = await createServedWorld(kind);
    expect((await world.rotate({}, world.clone("--depth=1", "--no-checkout")))[0]?.outcome.kind).toBe("rotated");
    await world.person(async ({ git }) => void git("commit", "--quiet", "--allow-empty", "-m", "work of a person"));
    world.nowMs += 48 * hourMs;
    const [end] = await world.rotate({ wants: "finish" }, world.clone("--depth=1", "--no-checkout"));
    expect(end?.outcome.kind).toMatch(/^(?:ended|suspended)$/);
    expect(await finish(world)).toEqual([]);
  });
});

async function createServedWorld(kind: ModelKind): Promise<{ world: World; server: GitServer }> {
  const world = await createWorld(new ModelProvider(kind), { serve: startGitServer });
  if (world.server === undefined) throw new Error("it was asked for");
  return { world, server: world.server };
}

/** Does something when the `nth` push from now on comes in. */
function onPush(server: GitServer, nth: number, work: () => void | Promise<void>): void {
  let count = 0;
  server.onRequest = async (request) => {
    if (request !== "push" || ++count !== nth) return;
    server.onRequest = undefined;
    await work();
  };
}

/** Commits of the rotations that are on the branch. */
function commitsOf(world: World): number {
  return Number(world.git("rev-list", "--count", "main", "--", "secrets/dev").trim()) - beforeOf(world);
}

function beforeOf({ provider }: World): number {
  return provider.parts.length;
}
