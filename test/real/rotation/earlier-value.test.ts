import { describe, expect, it } from "vitest";
import { parseSecretName } from "../../../src/secret/address.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { cutOff, recordPlaces } from "../../rotation/engine/cut-off.ts";
import { findDamage, finish, secretOf } from "../../rotation/engine/damage.ts";
import { ModelProvider } from "../../rotation/engine/model-provider.ts";
import { createWorld, hourMs } from "../../rotation/engine/world.ts";

const first = "test-password-long-gone";
const origin = { valueId: "00ff00ff00ff00ff", createdAt: 1_700_000_000 };
const earlier = new Map([[parseSecretName("PASSWORD"), { origin, secret: Secret.text(first) }]]);
const recall = { wants: "earlier value", earlier } as const;

describe("a value that is given again after its provider ended it", () => {
  it("comes to its end wherever it is cut off", async () => {
    const template = await createWorld(new ModelProvider("two users"));
    await template.rotate();
    expect(await finish(template)).toEqual([]);
    const present = secretOf((await template.head()).live);
    const places = await recordPlaces(() => template.fork().rotate(recall));
    for (const place of places) {
      const world = template.fork();
      expect(await cutOff(place, () => world.rotate(recall)), `cut off at ${place.point}`).toBe(true);
      expect(await findDamage(world), `cut off at ${place.point}`).toEqual([]);
      world.nowMs += hourMs;
      await world.rotate({ wants: "finish" });
      expect(await findDamage(world), `cut off at ${place.point}`).toEqual([]);
      expect([first, present]).toContain(secretOf((await world.head()).live));
      expect(await finish(world), `cut off at ${place.point}`).toEqual([]);
    }
  });
});
