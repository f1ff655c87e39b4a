import { exitCodes } from "../../../../src/errors.ts";
import { startConsumer } from "./consumer.ts";
import { printCut, type Cut } from "./cut.ts";
import { openField, type Head } from "./field.ts";
import { isSame, type Parts } from "./lane.ts";
import { runCut, type CutRun } from "./run-cut.ts";
import { graceOverMs, leaseOverMs, resume, scenarioOf, type Scenario } from "./scenarios.ts";
import type { Template } from "./template.ts";

/** One way to spoil a scenario: each cut spoils a run of its own, the second one the run that recovers. */
export interface Case {
  readonly scenario: Scenario;
  readonly cuts: readonly Cut[];
  /** True when the run that recovers is in the clone of the one that was cut off, and soon after it. */
  readonly onSameMachine: boolean;
}

export interface CaseResult {
  /** What is wrong, one sentence each; empty when nothing is. */
  readonly damage: readonly string[];
  /** The points of the first run that was not cut off. */
  readonly recovery: readonly string[];
  /** Of the built command, cut off or not. */
  readonly processes: number;
  /** Of the consumer. */
  readonly logins: number;
}

export function printCase({ scenario, cuts, onSameMachine }: Case): string {
  return `${scenario}: ${cuts.map(printCut).join(", then ") || "no cut"}${onSameMachine ? ", same machine" : ""}`;
}

/**
 * Spoils runs of a scenario, then lets one run go through and graces end until nothing is left to
 * do. Looks at the remote and at the server after each run, while a consumer polls all along.
 */
export async function runCase(template: Template, { scenario, cuts, onSameMachine }: Case): Promise<CaseResult> {
  const { lane, bin, hasOverlap } = template;
  const { base, argv, next, shiftMs: aheadMs, endsAtOnce } = scenarioOf(scenario);
  const from = template[base];
  if (from === undefined) throw new Error(`no lane begins at ${base}`);
  await lane.restore(from.saved);
  const field = await openField(template, from);
  const damage: string[] = [];
  const seen: Parts[] = [];
  let shiftMs: number = aheadMs;
  let mayHaveEnded = false;
  let processes = 0;
  let root = field.clone();

  const look = async (when: string, mayBeOut = false): Promise<Head> => {
    const head = await field.head();
    for (const parts of head.held) if (!seen.some((each) => isSame(each, parts))) seen.push(parts);
    if (!mayBeOut && !(await lane.isLetIn(head.live))) damage.push(`${when}: the live value of HEAD is dead`);
    const strangers = await lane.countStrangers(head.held, mayHaveEnded);
    if (strangers > (head.journal?.state === "claimed" ? 1 : 0))
      damage.push(`${when}: ${strangers} live credentials are not in the repository`);
    return head;
  };
  const run = async (words: readonly string[], cut?: Cut): Promise<CutRun> => {
    const ended = await runCut(words, { bin, root, env: field.env, server: field.server, shiftMs, cut });
    processes++;
    mayHaveEnded ||= ended.points.includes("revoke:before");
    const wrong = findWrongEnd(ended, cut);
    if (wrong !== undefined) damage.push(`${cut === undefined ? "a run" : printCut(cut)} ${wrong}`);
    return ended;
  };

  const consumer = hasOverlap ? startConsumer(field, lane, endsAtOnce) : undefined;
  let recovery: readonly string[] = [];
  try {
    await look("at first");
    for (const [index, cut] of cuts.entries()) {
      await run(index === 0 ? argv : next, cut);
      await look(`after ${printCut(cut)}`, !hasOverlap);
      // What was thrown let its lock go, so that nothing tells that its lease is nobody's.
      const isSoon = onSameMachine && cut.how !== "throw";
      shiftMs += isSoon ? 1000 : leaseOverMs;
      if (!onSameMachine) root = field.clone();
    }
    recovery = (await run(cuts.length === 0 ? argv : next)).points;
    let { journal } = await look("after the next run");
    for (let end = 1; end <= 2 && journal !== undefined; end++) {
      shiftMs += graceOverMs;
      root = field.clone();
      await run(resume);
      ({ journal } = await look(`after end ${end}`));
    }
    const { live } = await field.head();
    if (journal !== undefined) damage.push(`a journal in the state ${journal.state} is left`);
    if ((await lane.countStrangers([live], false)) > 0) damage.push("an orphan is left");
    for (const parts of seen)
      if (!isSame(parts, live) && (await lane.isLetIn(parts))) damage.push("an old credential is live");
  } finally {
    damage.push(...((await consumer?.stop()) ?? []));
    await field.remove();
  }
  return { damage, recovery, processes, logins: consumer?.logins ?? 0 };
}

/** What is wrong with the end of a run; undefined when it is as docs/errors.md says. */
function findWrongEnd({ code, signal, stderr }: CutRun, cut: Cut | undefined): string | undefined {
  const said = `ended with ${code ?? signal ?? "nothing"}: ${stderr.trim()}`;
  if (cut?.how === "kill") return signal === "SIGKILL" ? undefined : `was not killed but ${said}`;
  if (cut?.how === "signal") return signal === cut.signal ? undefined : `was not ended by it but ${said}`;
  if (cut?.how === "throw") return code === exitCodes.bug ? undefined : said;
  return code === exitCodes.ok ? undefined : said;
}
