import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { exitCodes } from "../../src/errors.ts";
import {
  copyTemplate,
  createTemplate,
  findDamage,
  findUnfinished,
  inParallel,
  removeField,
  runCut,
  type CutCommand,
  type Field,
} from "../support/faults.ts";
import type { Sweep } from "../faults/sweep.ts";

/** Who dies: git alone, so that sealtree sees it fail, or both, as when the power goes. */
export type Victim = "git" | "both";

/** One system call of one of the git commands that a sealtree command runs. */
interface GitPoint {
  /** Which git command, from 1, and its name. */
  readonly command: number;
  readonly name: string;
  readonly systemCall: string;
  /** Which of the calls of that name, from 1. */
  readonly at: number;
}

/** Statuses of a command whose git died: it had done its work, it asks for a name, git is locked, git failed. */
const answers: readonly number[] = [exitCodes.ok, exitCodes.usage, exitCodes.conflict, exitCodes.provider];
const systemCalls = "write,pwrite64,fsync,rename,link,unlink,mkdir";
const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();

/** SIGKILL to git at `most` of the writes of all its commands that `command` runs, by strace. */
export async function sweepGit(command: CutCommand, victim: Victim, most: number): Promise<Sweep> {
  const template = await createTemplate(command);
  const counted = copyTemplate(template);
  const folder = wrapGit(
    counted,
    `exec strace -f -qq -o "$folder/trace.$n.$name" -e trace=${systemCalls} '${git}' "$@"`,
  );
  await runCut(withWrapper(counted), command);
  const points = readdirSync(folder).flatMap((name) => listGitPoints(name, readFileSync(join(folder, name), "utf8")));
  removeField(counted);
  const step = Math.max(1, points.length / most);
  const chosen = points.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  const damage: string[] = [];
  await inParallel(chosen, 2, async (point) => {
    const field = copyTemplate(template);
    try {
      const found = await tryPoint(field, command, victim, point);
      damage.push(...found.map((what) => `${point.name} ${point.systemCall} ${point.at}: ${what}`));
    } finally {
      removeField(field);
    }
  });
  return { points: points.length, tried: chosen.length, damage };
}

async function tryPoint(field: Field, command: CutCommand, victim: Victim, point: GitPoint): Promise<string[]> {
  const { systemCall, at } = point;
  wrapGit(
    field,
    `[ "$n" = ${point.command} ] || exec '${git}' "$@"
strace -f -qq -o /dev/null -e trace=${systemCall} -e inject=${systemCall}:signal=SIGKILL:when=${at} '${git}' "$@"
${victim === "both" ? "kill -9 $PPID" : "kill -9 $$"}`,
  );
  const cut = await runCut(withWrapper(field), command);
  const found = await findDamage(field, command);
  if (victim === "git" && !answers.includes(cut.code ?? -1))
    found.push(`it gives ${cut.code ?? "a kill"}: ${cut.stderr}`);
  let again = await runCut(field, command);
  // Git that is killed leaves its own locks, and no git command takes them over: a person does, by the hint.
  for (let locks = 0; locks < 2 && again.code === exitCodes.conflict; locks++) {
    rmSync(/ remove (\/\S+\.lock) when no git command runs/.exec(again.stderr)?.[1] ?? "no lock is named");
    again = await runCut(field, command);
  }
  if (again.code !== 0) return [...found, `run again it gives ${again.code ?? "a kill"}: ${again.stderr}`];
  return [...found, ...(await findUnfinished(field, command))];
}

/** Puts a `git` into the field that counts itself in `$n` and does `work`. Gives the folder of its files. */
function wrapGit(field: Field, work: string): string {
  const folder = join(field.base, "git-calls");
  mkdirSync(join(field.base, "bin"), { recursive: true });
  mkdirSync(folder, { recursive: true });
  const path = join(field.base, "bin/git");
  const script = `#!/bin/sh
folder='${folder}'
case " $* " in *" cat-file "*) exec '${git}' "$@";; esac
echo . >> "$folder/.count"
n=$(wc -l < "$folder/.count")
for name; do case "$name" in -*|*=*) ;; *) break;; esac; done
`;
  writeFileSync(path, `${script}${work}\n`);
  chmodSync(path, 0o755);
  return folder;
}

function withWrapper(field: Field): Field {
  return { ...field, env: { ...field.env, PATH: `${join(field.base, "bin")}${delimiter}${field.env["PATH"] ?? ""}` } };
}

/** The points in a trace; a line is `PID name(...`. */
function listGitPoints(file: string, trace: string): GitPoint[] {
  const command = Number(/^trace\.([0-9]+)\./.exec(file)?.[1] ?? 0);
  const seen = new Map<string, number>();
  return [...trace.matchAll(/^[0-9]+ +([a-z0-9_]+)\(/gm)].map(([, systemCall = ""]) => {
    const at = (seen.get(systemCall) ?? 0) + 1;
    seen.set(systemCall, at);
    return { command, name: file, systemCall, at };
  });
}
