import { execFileSync } from "node:child_process";
import type { Stage } from "./demo-stage.ts";
import type { ValueTimes } from "./demo-values.ts";

/** What the demo counted and measured; times in milliseconds, on this machine. */
export interface Figures {
  readonly secrets: number;
  readonly scopes: number;
  readonly members: number;
  readonly commits: number;
  readonly rotated: number;
  readonly seal_ms: number;
  readonly open_ms: number;
  readonly get_ms: number;
  readonly list_ms: number;
}

const starts = 5;

/** Counts what the repository has in the end, and measures `get` in processes of its own. */
export async function countFigures(stage: Stage, times: ValueTimes & { readonly rotated: number }): Promise<Figures> {
  const { alice } = stage;
  const list = await stage.sealtree(alice, ["list", "--json"], { show: "nothing" });
  const members = await stage.sealtree(alice, ["member", "list", "--json"], { show: "nothing" });
  const { scopes } = JSON.parse(list.stdout) as { scopes: { secrets: number }[] };
  return {
    secrets: scopes.reduce((sum, { secrets }) => sum + secrets, 0),
    scopes: scopes.length,
    members: (JSON.parse(members.stdout) as { members: unknown[] }).members.length,
    commits: Number(await stage.git(alice, ["rev-list", "--count", "HEAD"], { show: "nothing" })),
    rotated: times.rotated,
    seal_ms: round(times.sealMs),
    open_ms: round(times.openMs),
    get_ms: round(measureGet(stage)),
    list_ms: round(times.listMs),
  };
}

/** The figures as rows of a table. */
export function describeFigures(figures: Figures): string[][] {
  return [
    ["secrets", String(figures.secrets)],
    ["scopes", String(figures.scopes)],
    ["members", String(figures.members)],
    ["commits", String(figures.commits)],
    ["rotated", String(figures.rotated)],
    ["seal", `${figures.seal_ms} ms a secret, with commit and reading back, ten a commit`],
    ["open", `${figures.open_ms} ms a secret, ten at a time`],
    ["get", `${figures.get_ms} ms, a new process, median of ${starts}`],
    ["list", `${figures.list_ms} ms, all scopes`],
  ];
}

/** True when one of `values`, or a line of one, was shown. */
export function showsValue(shown: string, values: readonly string[]): boolean {
  const lines = values.flatMap((value) => value.split("\n")).filter((line) => line !== "" && !line.startsWith("-----"));
  return lines.some((line) => shown.includes(line));
}

function measureGet({ io, alice }: Stage): number {
  const [node, script] = io.self;
  const times = Array.from({ length: starts }, () => {
    const start = performance.now();
    execFileSync(node, [script, "get", "prod/shop/REDIS_URL", "--reveal", "--yes"], {
      cwd: alice.root,
      env: alice.env,
    });
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(starts / 2)] ?? 0;
}

function round(timeMs: number): number {
  return Math.round(timeMs * 10) / 10;
}
