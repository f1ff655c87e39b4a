import { exitCodes } from "../../src/errors.ts";
import {
  copyTemplate,
  createTemplate,
  findDamage,
  findLeftovers,
  findUnfinished,
  inParallel,
  listPoints,
  removeField,
  runCut,
  type CutCommand,
  type Field,
} from "../support/faults.ts";
import { runCli } from "../support/run-cli.ts";

/** What came of a sweep: how many points there are, how many were tried, and what went wrong. */
export interface Sweep {
  readonly points: number;
  readonly tried: number;
  readonly damage: readonly string[];
}

type Errno = "ENOSPC" | "EIO" | "EACCES";

/** How many points are tried at a time. */
const width = 2;

/** Kills `command` at `most` of its points, evenly spread, and lets it end its work afterwards. */
export async function sweepKills(command: CutCommand, most: number): Promise<Sweep> {
  return await sweep(command, "kill", most, async (field, at) => {
    const { code } = await runCut(field, command, { mode: "kill", at });
    const found = code === undefined ? await findDamage(field, command) : [`it was not killed but gave ${code}`];
    return [...found, ...(await endWork(field, command))];
  });
}

/** Lets calls of `command` fail, at `most` of its points and in turns with each of `codes`. */
export async function sweepErrors(command: CutCommand, most: number, codes: readonly Errno[]): Promise<Sweep> {
  return await sweep(command, "fail", most, async (field, at, label) => {
    const code = codes[at % codes.length] ?? "EIO";
    const outcome = await runCut(field, command, { mode: "fail", at, code });
    const found = [...(await findDamage(field, command)), ...findLeftovers(field)];
    const isSaid = / can(?:not)? be (?:written|made)/.test(outcome.stderr) && outcome.stderr.includes(code);
    // Without its log or its cache a command does its work all the same.
    const isWaived = label.includes("sealtree/code") || outcome.stderr.includes("the audit log cannot be written");
    if (outcome.code === exitCodes.provider ? !isSaid : outcome.code !== 0 || !isWaived) {
      found.push(`${code} gives ${outcome.code ?? "a kill"}: ${outcome.stderr}`);
    }
    return [...found, ...(await endWork(field, command))];
  });
}

async function endWork(field: Field, command: CutCommand): Promise<string[]> {
  const { argv, stdin, env } = command;
  const again = await runCli(argv, { cwd: field.root, env: { ...field.env, ...env }, stdin });
  if (again.code === 0) return await findUnfinished(field, command);
  return [`run again it gives ${again.code}: ${again.stderr}`];
}

async function sweep(
  command: CutCommand,
  of: "kill" | "fail",
  most: number,
  tryAt: (field: Field, at: number, label: string) => Promise<string[]>,
): Promise<Sweep> {
  const template = await createTemplate(command);
  const points = await listPoints(template, command, of);
  const step = Math.max(1, points.length / most);
  const chosen = [...points.entries()].filter(([index]) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  const damage: string[] = [];
  await inParallel(chosen, width, async ([index, label]) => {
    const field = copyTemplate(template);
    try {
      const found = await tryAt(field, index + 1, label);
      damage.push(...found.map((what) => `point ${index + 1}, ${label}: ${what}`));
    } finally {
      removeField(field);
    }
  });
  return { points: points.length, tried: chosen.length, damage };
}
