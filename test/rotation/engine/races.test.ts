import { expect, it } from "vitest";
import { ModelProvider } from "./model-provider.ts";
import { race, racerHere } from "./races.ts";
import { createWorld } from "./world.ts";

it("three runners that race for a secret leave exactly one credential", async () => {
  const world = await createWorld(new ModelProvider("two keys"));
  const racers = [1, 2, 3].map(() => racerHere(world));
  const { outcomes, damage } = await race(world, racers, 1, () => racers.map((_, racer) => ({ racer })));
  expect(damage).toEqual([]);
  expect(outcomes["rotated"]).toBe(1);
});
