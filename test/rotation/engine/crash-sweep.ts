import type { RotationRequest } from "../../../src/rotation/rotation-request.ts";
import { cutOff, recordPlaces, type CrashPlace } from "./cut-off.ts";
import { findDamage, finish, secretOf } from "./damage.ts";
import { ModelProvider, type ModelKind } from "./model-provider.ts";
import { createWorld, dayMs, type World } from "./world.ts";

/** What a run is cut off in, from a state that is made first. */
export const scenarios = {
  "a rotation": { prepare: () => Promise.resolve(), request: {} },
  "the end of a grace": {
    async prepare(world: World) {
      await world.rotate();
      world.nowMs += dayMs;
    },
    request: { wants: "finish" },
  },
  "an emergency in a grace": {
    prepare: async (world: World) => void (await world.rotate()),
    request: { urgency: "emergency" },
  },
} as const satisfies Readonly<
  Record<string, { prepare(world: World): Promise<void>; readonly request: Partial<RotationRequest> }>
>;

export type Scenario = keyof typeof scenarios;

/** Every kind of provider in every scenario that it can be in. */
export const sweeps: readonly (readonly [ModelKind, Scenario])[] = (
  ["two users", "many passwords", "two keys", "one slot"] as const
).flatMap((kind) =>
  (Object.keys(scenarios) as Scenario[])
    .filter((scenario) => kind !== "one slot" || scenario === "a rotation")
    .map((scenario) => [kind, scenario] as const),
);

/** Runs of other machines wait so long for the lease of one that is gone. */
const afterLeaseMs = 17 * 60_000;

/**
 * Cuts a run off at each of `places` in turn, each in a run of its own that begins anew from what
 * the remote has; then one that is not cut off, and ends of graces until nothing is left to do.
 * Gives what is wrong afterwards, and at any time in between; empty when nothing is.
 */
export async function crashAt(kind: ModelKind, scenario: Scenario, places: readonly CrashPlace[]): Promise<string[]> {
  const world = await prepare(kind, scenario);
  const damage: string[] = [];
  for (const place of places) {
    if (!(await cutAt(world, scenario, place))) damage.push(`${print(place)} is not reached`);
    damage.push(...(await findDamage(world)).map((what) => `cut off at ${print(place)}: ${what}`));
  }
  return [...damage, ...(await recover(world, scenario))];
}

/** What an exploration saw. */
export interface Exploration {
  /** States of remote and provider that differ in more than names, which a cut off run left behind. */
  readonly states: number;
  /** Runs that were cut off. */
  readonly cuts: number;
  readonly damage: readonly string[];
}

/**
 * Cuts a run off at every place it reaches, then the next run at every place that one reaches, and
 * so on, until no state comes up that was not there before: crashes after crashes, as many as you
 * like. From every state a run that is not cut off must end all work, and at no time is there damage.
 * With `most` it goes on from every cut, also where the state is known, and no deeper than that.
 */
export async function explore(kind: ModelKind, scenario: Scenario, most?: number): Promise<Exploration> {
  const first = await prepare(kind, scenario);
  const seen = new Set([await fingerprint(first)]);
  const waiting = [{ world: first, path: "", depth: 0 }];
  const damage: string[] = [];
  let cuts = 0;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { world, path, depth } = next;
    const whole = world.fork();
    let places: CrashPlace[] = [];
    const found = await recover(whole, scenario, async (run) => (places = await recordPlaces(run)));
    damage.push(...found.map((what) => `${path} and no further: ${what}`));
    for (const place of depth === most ? [] : places) {
      const cut = world.fork();
      const label = `${path}, ${print(place)}`;
      if (!(await cutAt(cut, scenario, place))) damage.push(`${label} is not reached`);
      cuts++;
      damage.push(...(await findDamage(cut)).map((what) => `${label}: ${what}`));
      const state = await fingerprint(cut);
      if (most !== undefined || !seen.has(state)) waiting.push({ world: cut, path: label, depth: depth + 1 });
      seen.add(state);
    }
  }
  return { states: seen.size, cuts, damage };
}

async function cutAt(world: World, scenario: Scenario, place: CrashPlace): Promise<boolean> {
  const isCut = await cutOff(place, () => world.rotate(scenarios[scenario].request));
  world.nowMs += afterLeaseMs;
  return isCut;
}

/** A run that is not cut off, and what ends its work. Gives what is wrong then. */
async function recover(
  world: World,
  scenario: Scenario,
  around: (run: () => Promise<unknown>) => Promise<unknown> = (run) => run(),
): Promise<string[]> {
  const damage: string[] = [];
  await around(async () => {
    const [again] = await world.rotate(scenarios[scenario].request);
    if (again?.outcome.kind === "failed") damage.push(`the next run failed: ${again.outcome.message}`);
  });
  damage.push(...(await findDamage(world)).map((what) => `after the next run: ${what}`));
  return [...damage, ...(await finish(world))];
}

async function prepare(kind: ModelKind, scenario: Scenario): Promise<World> {
  const world = await createWorld(new ModelProvider(kind));
  await scenarios[scenario].prepare(world);
  return world;
}

function print({ point, occurrence }: CrashPlace): string {
  return `${point} ${occurrence}`;
}

/**
 * All that the next run can see of a world, with names in place of what is random: two worlds of
 * one fingerprint go on alike. What is alive at the provider is named by where HEAD has it.
 */
async function fingerprint(world: World): Promise<string> {
  const { live, journal, held, isOnBase } = await world.head();
  const { provider, nowMs } = world;
  const names = new Map<string, string>();
  for (const value of [secretOf(live), ...held]) if (!names.has(value)) names.set(value, `value ${names.size}`);
  const nameOf = (value: string) => names.get(value) ?? "lost";
  const idOf = (id: string) => {
    if (provider.kind === "two users") return id;
    const value = provider.live.get(id) ?? provider.suspended.get(id);
    return value === undefined ? "gone" : nameOf(value);
  };
  const tagOf = (id: string) => (journal !== undefined && provider.tagOf(id) === journal.run ? "of this rotation" : "");
  const at = (credentials: ReadonlyMap<string, string>) =>
    [...credentials].map(([id, value]) => `${idOf(id)} ${nameOf(value)} ${tagOf(id)}`).toSorted();
  return JSON.stringify({
    live: nameOf(secretOf(live)),
    alive: at(provider.live),
    suspended: at(provider.suspended),
    journal: journal && {
      state: journal.state,
      reason: journal.reason,
      rejected: journal.rejected,
      isLeased: journal.lease !== undefined && journal.lease.untilMs + 60_000 >= nowMs,
      isOnBase,
      known: journal.known?.map(idOf).toSorted(),
      pending: journal.pending && idOf(journal.pending.id),
      previous: journal.previous && [idOf(journal.previous.id), journal.previous.revokeAfterMs > nowMs],
      held: held.map(nameOf),
    },
  });
}
