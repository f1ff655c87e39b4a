import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createConsumers, type Consumers, type Refusal } from "./consumers.ts";
import { fingerprint } from "./credential-service.ts";
import { isOn, type Incident } from "./incidents.ts";
import type { Evidence, Excuse, Extra, IssueDay } from "./judge.ts";
import { createPeople, type People } from "./people.ts";
import { readHistory } from "./read-history.ts";
import { mergePulls } from "./merge-pulls.ts";
import { runDeploy, runHeartbeat, runJob, type JobEnd, type Kill } from "./run-job.ts";
import { createRandom, dayMs, firstDayMs, type Size } from "./team-plan.ts";
import { createWorld, readIssue, readTargets, type World } from "./world.ts";

/** An incident as it came about. */
export interface Hit {
  readonly incident: Incident;
  /** The days on which it had an effect. */
  readonly days: readonly number[];
  /** What was hit, where that is one thing. */
  readonly at: string;
}

/** A look at whether the daily job still runs. */
export interface Heartbeat {
  readonly day: number;
  /** Exit status. */
  readonly code: number | undefined;
}

/** A simulation that is over. */
export interface Simulation {
  readonly size: Size;
  readonly evidence: Evidence;
  readonly hits: readonly Hit[];
  /** Days without a job. */
  readonly skipped: readonly number[];
  readonly jobs: number;
  readonly heartbeats: readonly Heartbeat[];
  readonly logins: number;
  readonly refusals: readonly Refusal[];
  /** What `verify` says of the whole history, from the day before the first. */
  readonly isAccepted: boolean;
  readonly commits: number;
}

export interface SimulationOptions {
  readonly size: Size;
  readonly incidents: readonly Incident[];
  /** File of the built Action. */
  readonly main: string;
  readonly say: (line: string) => void;
  /** True when rotations go through pull requests, which a person merges in the morning. */
  readonly isByPullRequest?: boolean;
}

const jobMinute = 3 * 60 + 17;
/** Of the week. */
const heartbeatDay = 3;

/** Lives through all days, one after the other. */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { size } = options;
  const world = await createWorld(size);
  try {
    const run = new Run(world, options);
    for (let day = 0; day < size.days; day++) await run.live(day);
    return await run.end();
  } finally {
    await world.stop();
  }
}

class Run {
  readonly #world: World;
  readonly #incidents: readonly Incident[];
  readonly #main: string;
  readonly #say: (line: string) => void;
  readonly #consumers: Consumers;
  readonly #people: People;
  /** Inputs of the daily job. */
  readonly #daily: Readonly<Record<string, string>>;
  /** What is asked for in the issue, or merged. */
  readonly #needsGithub: Excuse["kinds"];
  readonly #random = createRandom(3);
  readonly #hits = new Map<Incident, { days: number[]; at: string }>();
  readonly #excuses: Excuse[] = [];
  readonly #extras: Extra[] = [];
  readonly #skipped: number[] = [];
  /** Lost answers to a push, kills and developers that wait for something to hit. */
  readonly #armed: Incident[] = [];
  readonly #issue: IssueDay[] = [];
  readonly #heartbeats: Heartbeat[] = [];
  #jobs = 0;

  constructor(world: World, { incidents, main, say, isByPullRequest = false }: SimulationOptions) {
    this.#world = world;
    this.#daily = isByPullRequest ? { "pull-request": "true" } : {};
    this.#needsGithub = isByPullRequest ? "all" : ["by hand", "one key"];
    this.#incidents = incidents;
    this.#main = main;
    this.#say = say;
    this.#consumers = createConsumers(world);
    this.#people = createPeople(world);
  }

  async live(day: number): Promise<void> {
    const { clock, server, service, gates } = this.#world;
    clock.set(firstDayMs + day * dayMs + 3_600_000);
    const on = this.#incidents.filter((incident) => isOn(incident, day));
    for (const incident of on) this.#begin(incident, day);
    const down = on.flatMap((incident) => (incident.what === "provider down" ? [incident.kind] : []));
    const accounts = new Set(
      this.#world.secrets.filter(({ kind }) => down.includes(kind)).map(({ account }) => account),
    );
    service.isDown = (account) => accounts.has(account);
    gates.vault.isOpen = !on.some(({ what }) => what === "target down");
    gates.github.isOpen = !on.some(({ what }) => what === "GitHub down");
    refusePushes(
      server.folder,
      on.some(({ what }) => what === "push refused"),
    );
    await this.#consumers.logIn("the night");
    const said: string[] = [];
    if (on.some(({ what }) => what === "skipped")) this.#skipped.push(day);
    else {
      // GitHub starts a schedule some minutes late.
      clock.set(firstDayMs + day * dayMs + (jobMinute + Math.floor(this.#random() * 15)) * 60_000);
      const count = on.some(({ what }) => what === "two jobs") ? 2 : 1;
      const ends = await this.#runJobs(
        day,
        Array.from({ length: count }, () => this.#daily),
      );
      said.push(...ends.flatMap((end) => end.said));
      this.#noteRuns(ends);
      if (gates.github.isOpen && !ends.some(({ isKilled }) => isKilled))
        this.#issue.push({ day, asks: readIssue(this.#world) });
    }
    if (day % 7 === heartbeatDay) this.#heartbeats.push({ day, code: await runHeartbeat(this.#world, this.#main) });
    await this.#consumers.logIn("the morning");
    if (!on.some(({ what }) => what === "push refused")) await this.#work(day, on);
    await this.#consumers.logIn("the evening");
    this.#say(`day ${day}: ${on.map(({ what }) => what).join(", ")} ${said.join("; ").replaceAll("\n", " ")}`);
  }

  /** The people's day: what only they can do, and who leaves. */
  async #work(day: number, on: readonly Incident[]): Promise<void> {
    const { clock, gates, secrets } = this.#world;
    clock.set(firstDayMs + day * dayMs + 9 * 3_600_000);
    if (gates.github.isOpen && mergePulls(this.#world) > 0) {
      await this.#consumers.logIn("a merge");
      await runDeploy(this.#world, this.#main);
    }
    clock.set(firstDayMs + day * dayMs + 10 * 3_600_000);
    await this.#people.workByHand(day);
    for (const address of this.#people.askedByName()) {
      clock.set(clock.now() + 20 * 60_000);
      const [end] = await this.#runJobs(day, [{ scopes: address }]);
      if (end?.codes[0] === 0) this.#people.remember(address);
    }
    const leaving = on.find(({ what }) => what === "offboarded");
    if (leaving === undefined) return;
    clock.set(firstDayMs + day * dayMs + 14 * 3_600_000);
    const scope = await this.#people.offboard(day);
    this.#extras.push({ day, scope });
    for (const secret of secrets.filter((it) => it.scope === scope && it.kind === "one key"))
      await this.#runJobs(day, [{ scopes: secret.address }]);
  }

  async #runJobs(day: number, inputs: readonly Readonly<Record<string, string>>[]): Promise<JobEnd[]> {
    const { server } = this.#world;
    const developer = this.#armed.find(({ what }) => what === "developer");
    if (developer !== undefined) await this.#people.prepareChange();
    let isPushed = false;
    server.onRequest = async (request) => {
      if (developer !== undefined && !isPushed && request === "push") {
        isPushed = true;
        this.#people.pushChange();
        this.#hit(developer, day, "");
      }
      const losing = this.#armed.find(({ what }) => what === "push answer lost");
      if (losing !== undefined && request === "push") {
        server.spoil("push", { kind: "lost answer" });
        this.#hit(losing, day, "");
      }
      await this.#consumers.logIn("a run");
    };
    const killing = this.#armed.find(({ what }) => what === "killed");
    const kill: Kill | undefined = killing?.what === "killed" ? killing.kill : undefined;
    const ends = await Promise.all(
      inputs.map((each, index) =>
        runJob(this.#world, { main: this.#main, inputs: each, kill: index === 0 ? kill : undefined }),
      ),
    );
    this.#jobs += ends.length;
    server.onRequest = undefined;
    if (developer !== undefined && !isPushed) this.#people.pushLater();
    if (killing !== undefined && ends.some((end) => end.isKilled)) {
      this.#hit(killing, day, "");
      this.#excuses.push({ day, kinds: "all", why: "the job was killed" });
    }
    return ends;
  }

  /** What begins by itself; what has to hit something is armed. */
  #begin(incident: Incident, day: number): void {
    const { service } = this.#world;
    const { what } = incident;
    if (what === "killed" || what === "developer" || what === "push answer lost")
      return void this.#armed.push(incident);
    if (what === "provider fault") {
      const onHit = (account: string) => this.#hit(incident, this.#today(), account);
      return void service.faults.push({ how: incident.how, onHit });
    }
    this.#hit(incident, day, "");
    if (what === "provider down") this.#excuses.push({ day, kinds: [incident.kind], why: what });
    if (what === "GitHub down") this.#excuses.push({ day, kinds: this.#needsGithub, why: what });
    if (what === "push refused" || what === "skipped") this.#excuses.push({ day, kinds: "all", why: what });
  }

  /** GitHub remembers how each run of the workflow ended. */
  #noteRuns(ends: readonly JobEnd[]): void {
    const { github, clock } = this.#world;
    for (const { codes } of ends) {
      github.workflows[0]?.runs.unshift({
        number: this.#jobs,
        event: "schedule",
        status: "completed",
        conclusion: codes.every((code) => code === 0) ? "success" : "failure",
        at: new Date(clock.now()).toISOString(),
      });
    }
  }

  #today(): number {
    return Math.floor((this.#world.clock.now() - firstDayMs) / dayMs);
  }

  #hit(incident: Incident, day: number, at: string): void {
    const known = this.#hits.get(incident) ?? { days: [], at };
    if (!known.days.includes(day)) known.days.push(day);
    this.#hits.set(incident, known);
    const index = this.#armed.indexOf(incident);
    if (index >= 0) this.#armed.splice(index, 1);
  }

  /** One more job, for what people did on the last day; then what there is. */
  async end(): Promise<Simulation> {
    const world = this.#world;
    const { clock, server, service, secrets, size, alice, root } = world;
    clock.set(firstDayMs + size.days * dayMs + jobMinute * 60_000);
    await this.#runJobs(size.days, [this.#daily]);
    const head = await this.#consumers.readHead();
    const targets = readTargets(world);
    alice.pull();
    const verified = await alice.run(["verify", "--root", root, "--json"], undefined, [6]);
    const { accepted, commits } = verified.json<{ accepted: boolean; commits: number }>();
    return {
      size,
      hits: this.#incidents.map((incident) => {
        const hit = this.#hits.get(incident);
        return { incident, days: hit?.days ?? [], at: hit?.at ?? "" };
      }),
      skipped: this.#skipped,
      jobs: this.#jobs,
      heartbeats: this.#heartbeats,
      logins: this.#consumers.logins,
      refusals: this.#consumers.refusals,
      isAccepted: accepted,
      commits,
      evidence: {
        days: size.days,
        secrets,
        values: readHistory(server.folder),
        service: service.log,
        live: new Map(secrets.map(({ account }) => [account, service.live(account)])),
        head: new Map([...head].map(([address, value]) => [address, fingerprint(value)])),
        targets: new Map(secrets.map(({ address, name }) => [address, fingerprint(targets.get(name) ?? "")])),
        issue: this.#issue,
        excuses: this.#excuses,
        extras: this.#extras,
      },
    };
  }
}

/** The server takes no push while this is on, as behind a lock of its own. */
function refusePushes(folder: string, isOn: boolean): void {
  const hook = join(folder, "hooks", "pre-receive");
  if (!isOn) return rmSync(hook, { force: true });
  writeFileSync(hook, "#!/bin/sh\nexit 1\n");
  chmodSync(hook, 0o755);
}
