import { dayMs, type World } from "./world.ts";

/**
 * What must hold at any instant: the live value of HEAD is let in, where old and new overlap; and
 * HEAD gives every live credential but one that the provider made and whose value was cut off.
 * Gives what does not hold.
 */
export async function findDamage(world: World): Promise<string[]> {
  const { live, journal, held } = await world.head();
  const alive = [...world.provider.live.values()];
  const lost = alive.filter((value) => !held.includes(value));
  const mayLose = journal?.state === "claimed" ? 1 : 0;
  const isDead = world.provider.kind !== "one slot" && !alive.includes(secretOf(live));
  return [
    ...(isDead ? ["the live value of HEAD is dead"] : []),
    ...(lost.length > mayLose ? [`${lost.length} live credentials are not in the repository`] : []),
  ];
}

/**
 * Lets graces end until nothing is left to do. Gives the damage on the way, what failed, and what
 * is left over at the end: a journal, or a credential besides the live one of HEAD.
 */
export async function finish(world: World): Promise<string[]> {
  const damage: string[] = [];
  for (let round = 1; round <= 4; round++) {
    if ((await world.head()).journal === undefined) break;
    world.nowMs += dayMs;
    const [end] = await world.rotate({ wants: "finish" });
    damage.push(...(await findDamage(world)).map((what) => `after end ${round}: ${what}`));
    if (end?.outcome.kind === "failed") damage.push(`end ${round} failed: ${end.outcome.message}`);
  }
  const { live, journal } = await world.head();
  if (journal !== undefined) damage.push(`a journal in the state ${journal.state} is left`);
  const left = [...world.provider.live.values(), ...world.provider.suspended.values()];
  if (left.length !== 1 || left[0] !== secretOf(live))
    damage.push(`${left.length} credentials are left at the provider`);
  return damage;
}

/** The part of a value that lets in. */
export function secretOf(live: Readonly<Record<string, string>>): string {
  return live["password"] ?? live["key"] ?? "";
}
