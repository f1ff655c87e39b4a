import { describe, expect, it } from "vitest";
import { bundleModule } from "../../support/bundle-module.ts";
import { startGitServer } from "../../support/git-server.ts";
import { ModelProvider, type ModelKind } from "../../rotation/engine/model-provider.ts";
import { race, racerApart, racerHere, type Racer } from "../../rotation/engine/races.ts";
import { createWorld } from "../../rotation/engine/world.ts";

/** RACE_ROUNDS asks for more: 200 take an hour on two slow cores. */
const rounds = Number(process.env["RACE_ROUNDS"] ?? 4);
const kinds: ModelKind[] = ["two users", "two keys"];
const mostRacers = 16;
const timeout = 3_600_000;

/** From 2 to 16, and round again. */
const howMany = (round: number) => 2 + ((round * 7) % (mostRacers - 1));

describe("runners that race for one secret", () => {
  it.each(kinds)("in one process leave exactly one credential, of %s", { timeout }, async (kind) => {
    const world = await createWorld(new ModelProvider(kind));
    const racers = Array.from({ length: mostRacers }, () => racerHere(world));
    const report = await race(world, racers, rounds, (round) =>
      Array.from({ length: howMany(round) }, (_, racer) => ({ racer })),
    );
    say(kind, report);
    expect(report.damage).toEqual([]);
    expect(report.outcomes["rotated"]).toBe(rounds);
  });

  it.each(kinds)("in processes of their own leave exactly one credential, of %s", { timeout }, async (kind) => {
    const world = await createWorld(new ModelProvider(kind));
    await withRacers(mostRacers, world, async (racers) => {
      const report = await race(world, racers, rounds, (round) =>
        Array.from({ length: howMany(round) }, (_, racer) => ({ racer })),
      );
      say(kind, report);
      expect(report.damage).toEqual([]);
      expect(report.outcomes["rotated"]).toBe(rounds);
    });
  });

  it.each(kinds)("and are killed leave exactly one credential, of %s", { timeout }, async (kind) => {
    const world = await createWorld(new ModelProvider(kind));
    await withRacers(4, world, async (racers) => {
      const report = await race(world, racers, Math.max(3, Math.ceil(rounds / 4)), (round) =>
        racers.map((_, racer) => (racer < 3 ? { racer, killAt: 1 + ((round * 3 + racer * 5) % 17) } : { racer })),
      );
      say(kind, report);
      expect(report.damage).toEqual([]);
      expect(report.outcomes["killed"]).toBeGreaterThan(0);
    });
  });

  it.each(kinds)("over HTTP leave exactly one credential, of %s", { timeout }, async (kind) => {
    const world = await createWorld(new ModelProvider(kind), { serve: startGitServer });
    const racers = Array.from({ length: 8 }, () => racerHere(world));
    const report = await race(world, racers, Math.ceil(rounds / 10), () => racers.map((_, racer) => ({ racer })));
    say(kind, report);
    expect(report.damage).toEqual([]);
  });
});

async function withRacers(
  count: number,
  world: Awaited<ReturnType<typeof createWorld>>,
  work: (racers: readonly Racer[]) => Promise<void>,
): Promise<void> {
  const file = await bundleModule("test/rotation/engine/racer.ts");
  const racers: Racer[] = [];
  try {
    for (let index = 0; index < count; index++) racers.push(await racerApart(world, file));
    await work(racers);
  } finally {
    await Promise.all(racers.map((racer) => racer.stop()));
  }
}

function say(kind: ModelKind, { rounds: done, outcomes }: Awaited<ReturnType<typeof race>>): void {
  process.stderr.write(`${kind}, ${done} rounds: ${JSON.stringify(outcomes)}\n`);
}
