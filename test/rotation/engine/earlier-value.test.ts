import { describe, expect, it } from "vitest";
import type { EarlierValues } from "../../../src/rotation/journal-values.ts";
import { parseRecordHeader } from "../../../src/crypto/record.ts";
import { parseSecretName } from "../../../src/secret/address.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { findDamage, finish, secretOf } from "./damage.ts";
import { ModelProvider, type ModelKind } from "./model-provider.ts";
import { createWorld, dayMs, type World } from "./world.ts";

const origin = { valueId: "00ff00ff00ff00ff", createdAt: 1_700_000_000 };
const first = "test-password-long-gone";
const earlier: EarlierValues = new Map([[parseSecretName("PASSWORD"), { origin, secret: Secret.text(first) }]]);
const recall = { wants: "earlier value", earlier } as const;

/** A world whose first rotation is over. */
async function createRotated(kind: ModelKind): Promise<World> {
  const world = await createWorld(new ModelProvider(kind));
  await world.rotate();
  expect(await finish(world)).toEqual([]);
  return world;
}

describe("a value that is given again after its provider ended it", () => {
  it.each(["two users", "many passwords"] as const)(
    "is live beside the present one, and then alone, %s",
    async (kind) => {
      const world = await createRotated(kind);
      const present = secretOf((await world.head()).live);
      expect((await world.rotate(recall))[0]?.outcome).toEqual({ kind: "rotated", graceUntilMs: world.nowMs + dayMs });
      const head = await world.head();
      expect(secretOf(head.live)).toBe(first);
      expect(head.journal?.reason).toBe("rollback");
      expect(new Set(world.provider.live.values())).toEqual(new Set([first, present]));
      expect(world.git("show", "-s", "--format=%B", "main")).toContain("Sealtree-Reason: rollback");
      expect(await finish(world)).toEqual([]);
    },
  );

  it("keeps its value id and time, as it is no other value", async () => {
    const world = await createRotated("many passwords");
    await world.rotate(recall);
    const [, record = ""] = /^PASSWORD: (.*)$/m.exec(world.git("show", "main:secrets/dev/db.yaml")) ?? [];
    expect(parseRecordHeader(record)).toMatchObject(origin);
  });

  it("is refused where the provider makes the values, before anything is changed there", async () => {
    for (const kind of ["two keys", "one slot"] as const) {
      const world = await createRotated(kind);
      const before = world.provider.calls.length;
      expect((await world.rotate(recall))[0]?.outcome).toMatchObject({ kind: "failed", code: "E_ROLLBACK_REFUSED" });
      expect(world.provider.calls.slice(before).filter((call) => /^(?:mint|roll|revoke)/.test(call))).toEqual([]);
    }
  });

  it("is refused while another rotation is not over", async () => {
    const world = await createWorld(new ModelProvider("two users"));
    await world.rotate();
    expect((await world.rotate(recall))[0]?.outcome).toMatchObject({ kind: "failed", code: "E_ROTATION_IN_FLIGHT" });
    expect(await finish(world)).toEqual([]);
  });

  it("is not replaced by another one when the provider rejects it", async () => {
    const world = await createRotated("two users");
    const present = secretOf((await world.head()).live);
    world.provider.troubles.push({ call: "apply", class: "rejected", isDone: false });
    expect((await world.rotate(recall))[0]?.outcome).toMatchObject({ kind: "failed", class: "rejected" });
    expect(secretOf((await world.head()).live)).toBe(present);
    expect((await world.rotate({ wants: "abandon" }))[0]?.outcome.kind).toBe("abandoned");
    expect(await findDamage(world)).toEqual([]);
  });
});
