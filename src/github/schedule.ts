import { createHash } from "node:crypto";

/** Odd minutes that are no multiple of 5: at the round ones everybody's schedules start, and runs are late or dropped. */
const minutes = Array.from({ length: 60 }, (_, minute) => minute).filter((it) => it % 2 === 1 && it % 5 !== 0);
/** Hours of a night in UTC. */
const hours = [1, 2, 3, 4, 5];

/**
 * When a workflow of a repository runs, as cron: at a time that is always the same for the two
 * names, and differs between repositories and workflows, so that not all start at once. Daily, or
 * once a week.
 */
export function scheduleOf(repository: string, workflow: string, every: "day" | "week"): string {
  const digest = createHash("sha256").update(`${repository.toLowerCase()}\n${workflow}`).digest();
  const [minute, hour, day] = [pick(minutes, digest, 0), pick(hours, digest, 4), pick([1, 2, 3, 4], digest, 8)];
  return `${minute} ${hour} * * ${every === "day" ? "*" : day}`;
}

function pick(from: readonly number[], digest: Buffer, at: number): number {
  return from[digest.readUInt32BE(at) % from.length] ?? 0;
}
