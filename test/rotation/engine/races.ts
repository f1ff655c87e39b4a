import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import type { RotationRequest } from "../../../src/rotation/rotation-request.ts";
import type { RotationOutcome } from "../../../src/rotation/rotation-outcome.ts";
import { ruleFor, type Rule } from "../../../src/rotation/policy.ts";
import { openRotationView } from "../../../src/rotation/rotation-view.ts";
import { findDamage, secretOf } from "./damage.ts";
import type { FromRacer, RacerSettings, ToRacer } from "./racer.ts";
import { answerModel } from "./remote-model.ts";
import { sessionIn } from "./run-engine.ts";
import { dayMs, type World } from "./world.ts";

/** Somebody who runs the engine in a clone of their own. Undefined for one that was killed. */
export interface Racer {
  run(request: Partial<RotationRequest>, killAt?: number): Promise<RotationOutcome | undefined>;
  stop(): Promise<void>;
}

/** What came of a race of many rounds. */
export interface RaceReport {
  readonly rounds: number;
  /** Runs by what they came to, such as `rotated`, `busy`, `failed E_RACED`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly damage: readonly string[];
}

/** A racer in this process. */
export function racerHere(world: World): Racer {
  const root = world.clone("--no-checkout");
  return {
    async run(request) {
      const [result] = await world.rotate(request, root);
      return result?.outcome;
    },
    stop: () => Promise.resolve(),
  };
}

/** A racer in a process of its own: `file` is the bundle of racer.ts. The provider stays in this one. */
export async function racerApart(world: World, file: string): Promise<Racer> {
  const settings: RacerSettings = {
    root: world.clone("--no-checkout"),
    env: world.env,
    kind: world.provider.kind,
  };
  const rule = await readRule(world);
  let child = await start(file, settings);
  return {
    async run(request, killAt) {
      if (child.exitCode !== null || child.signalCode !== null) child = await start(file, settings);
      return await runIn(child, world, rule, request, killAt);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** How many at most race for the end of a grace. */
const enders = 3;

/**
 * Lets `racers` go at one secret at once, for `rounds` rounds: each round they rotate it, then time
 * passes and they end what is left. After every round there must be exactly one credential, and it
 * must be the one of HEAD. `pick` says who takes part in a round, and who is killed where.
 */
export async function race(
  world: World,
  racers: readonly Racer[],
  rounds: number,
  pick: (round: number) => readonly { readonly racer: number; readonly killAt?: number }[],
): Promise<RaceReport> {
  const outcomes: Record<string, number> = {};
  const damage: string[] = [];
  // Calls of different runs come in any order.
  world.provider.onCall = async () => {
    for (let turns = Math.floor(Math.random() * 4); turns > 0; turns--) await turn();
  };
  const all = async (round: number, request: Partial<RotationRequest>, isStart = false) => {
    const taking = isStart ? pick(round) : pick(round).slice(0, enders);
    const ends = await Promise.all(
      taking.map(async ({ racer, killAt }) => await racers[racer]?.run(request, isStart ? killAt : undefined)),
    );
    for (const end of ends) {
      const name = end === undefined ? "killed" : end.kind === "failed" ? `failed ${end.code}` : end.kind;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    damage.push(...(await findDamage(world)).map((what) => `round ${round}: ${what}`));
    return ends;
  };
  let before = secretOf((await world.head()).live);
  for (let round = 1; round <= rounds; round++) {
    const ends = await all(round, {}, true);
    const rotated = ends.filter((end) => end?.kind === "rotated").length;
    const isKilled = ends.includes(undefined);
    if (rotated !== 1 && !isKilled) damage.push(`round ${round}: ${rotated} runs say that they rotated`);
    if (isKilled) {
      world.nowMs += 17 * 60_000;
      await all(round, {});
    }
    const { live, journal } = await world.head();
    if (secretOf(live) === before) damage.push(`round ${round}: nothing was rotated`);
    if (journal?.state !== "promoted") damage.push(`round ${round}: the journal is ${journal?.state ?? "gone"}`);
    for (let end = 1; end <= 3 && (await world.head()).journal !== undefined; end++) {
      world.nowMs += dayMs;
      await all(round, { wants: "finish" });
    }
    const after = await world.head();
    const left = [...world.provider.live.values(), ...world.provider.suspended.values()];
    if (after.journal !== undefined || left.length !== 1 || left[0] !== secretOf(after.live))
      damage.push(`round ${round}: ${left.length} credentials, journal ${after.journal?.state ?? "gone"}`);
    before = secretOf(after.live);
  }
  return { rounds, outcomes, damage };
}

async function readRule(world: World): Promise<Rule> {
  const session = sessionIn({ root: world.remote, env: world.env, now: () => new Date(world.nowMs) });
  const view = await openRotationView(session, world.git("rev-parse", "main").trim());
  const rule = ruleFor(await view.rules(), world.address);
  view.close();
  if (rule === undefined) throw new Error("the policy has a rule");
  return rule;
}

async function start(file: string, settings: RacerSettings): Promise<ChildProcess> {
  const child = fork(file, [JSON.stringify(settings)], {
    env: { PATH: process.env["PATH"] },
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await once(child, "message");
  return child;
}

async function runIn(
  child: ChildProcess,
  world: World,
  rule: Rule,
  request: Partial<RotationRequest>,
  killAt: number | undefined,
): Promise<RotationOutcome | undefined> {
  const tell = (message: ToRacer) => {
    if (child.connected) child.send(message, () => undefined);
  };
  return await new Promise((resolve, reject) => {
    const onMessage = (message: FromRacer) => {
      if (message.kind === "ready") return;
      if (message.kind === "ask") {
        answerModel(world.provider, rule, message.request).then(
          (reply) => tell({ kind: "reply", id: message.id, reply }),
          reject,
        );
        return;
      }
      end();
      resolve(message.outcome);
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      end();
      if (signal === "SIGKILL" && killAt !== undefined) resolve(undefined);
      else reject(new Error(`a racer ended with ${String(code ?? signal)}`));
    };
    const end = () => child.off("message", onMessage).off("exit", onExit);
    child.on("message", onMessage).on("exit", onExit);
    const whole: RotationRequest = {
      address: world.address,
      wants: "new value",
      urgency: "planned",
      isNamed: true,
      ...request,
    };
    tell({ kind: "run", nowMs: world.nowMs, request: whole, killAt });
  });
}
