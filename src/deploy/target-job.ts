import { isSealtreeError } from "../errors.ts";
import { isProviderFailure, type FailureClass, type ProviderFailure } from "../net/provider-failure.ts";
import type { ServiceAccess } from "../services/service-access.ts";
import { parseAddress } from "../secret/address.ts";
import type { Deadline } from "./deadline.ts";
import { planTarget, type Adoption, type DeployedItem, type PlanStep, type WantedItem } from "./plan.ts";
import type { TargetEntry } from "./policy.ts";
import type { ReceiptStore } from "./receipt-store.ts";
import { isPassing, waitToRetry, type RetryTimes } from "./retry.ts";
import { nameKey } from "./target-names.ts";
import type { Found, Item, OpenTarget } from "./targets/target.ts";

/** What kept a target from being in order. */
export interface TargetFailure {
  /** Undefined for a failure on our side, such as a credential that is not there. */
  readonly class: FailureClass | undefined;
  readonly message: string;
  readonly hints: readonly string[];
}

/** How far a target is, for people. */
export interface TargetProgress {
  readonly target: string;
  readonly phase: "looking" | "sending" | "waiting" | "over";
  readonly done: number;
  readonly total: number;
}

/** What the jobs of one run share. */
export interface JobRun {
  /** Full id of the commit whose values are sent. */
  readonly commit: string;
  readonly actor: string | undefined;
  /** The number of that commit, where a target orders writers by it. */
  readonly sequence: number | undefined;
  readonly receipts: ReceiptStore;
  readonly deadline: Deadline;
  readonly retry: RetryTimes;
  readonly adoption: Adoption;
  readonly prunes: boolean;
  now(): Date;
  /** Throws SealtreeError for a credential that cannot be had. */
  access(entry: TargetEntry): Promise<ServiceAccess>;
  onProgress(progress: TargetProgress): void;
}

/** One target of a run: a connection that is opened when first needed, and what is known of the place. */
export class TargetJob {
  readonly entry: TargetEntry;
  readonly wanted: readonly WantedItem[];
  readonly run: JobRun;
  readonly #isClaimed: (name: string) => boolean;
  #connection: OpenTarget | undefined;
  readonly #wanted: ReadonlyMap<string, WantedItem>;
  #found: ReadonlyMap<string, Found> = new Map();
  /** Of the last look; empty before. */
  steps: readonly PlanStep[] = [];
  /** What is recorded as deployed, with what this run did. */
  readonly deployed: Map<string, DeployedItem>;

  constructor(run: JobRun, entry: TargetEntry, wanted: readonly WantedItem[], isClaimed: (name: string) => boolean) {
    this.run = run;
    this.entry = entry;
    this.wanted = wanted;
    this.#isClaimed = isClaimed;
    this.#wanted = new Map(wanted.map((item) => [item.name, item]));
    const receipt = run.receipts.get(entry.name);
    const isOfPlace = receipt?.kind === entry.kind && receipt.place === entry.bound.place;
    this.deployed = new Map(isOfPlace ? receipt.items : []);
  }

  /** Looks what is there and plans. What fails for now is tried again. Throws ProviderFailure, SealtreeError. */
  async look(): Promise<readonly PlanStep[]> {
    const { run } = this;
    for (let failed = 1; ; failed++) {
      try {
        return await run.deadline.race(this.#lookOnce());
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.say("waiting");
        if (!(await waitToRetry(failed, run.retry, run.deadline, error.retryAfterMs))) throw error;
      }
    }
  }

  async connect(): Promise<OpenTarget> {
    this.#connection ??= await this.entry.bound.open(await this.run.access(this.entry));
    return this.#connection;
  }

  /** The item of a step that is sent, and of everything that stays, for a target that is written as a whole. */
  item(name: string): Item | undefined {
    const wanted = this.#wanted.get(name);
    return wanted === undefined ? undefined : { ...wanted, found: this.found(name) };
  }

  found(name: string): Found | undefined {
    return this.#found.get(this.keyOf(name));
  }

  /** The same for two names that are one name there. */
  keyOf(name: string): string {
    return nameKey(this.entry.bound.facts.nameRule, name);
  }

  say(phase: TargetProgress["phase"], done = 0, total = this.wanted.length): void {
    this.run.onProgress({ target: this.entry.name, phase, done, total });
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  async #lookOnce(): Promise<readonly PlanStep[]> {
    this.say("looking");
    const { entry, run, wanted, deployed } = this;
    const names = new Set([...wanted.map(({ name }) => name), ...deployed.keys()]);
    const connection = await this.connect();
    const found = await connection.inspect([...names]);
    this.#found = new Map(found.toReversed().map((each) => [this.keyOf(each.name), each]));
    const scopes = new Set<string>(entry.scopes);
    this.steps = planTarget({
      wanted,
      found,
      deployed,
      facts: entry.bound.facts,
      keyOf: (name) => this.keyOf(name),
      adoption: run.adoption === "none" && entry.adopts ? "unmarked" : run.adoption,
      prunes: run.prunes,
      isOwnAddress: (address) => scopes.has(scopeOf(address)),
      isClaimed: this.#isClaimed,
    });
    return this.steps;
  }
}

/** What went wrong in the terms of a report. Throws what is no failure of ours or a service's. */
export function toFailure(error: unknown): TargetFailure {
  if (isProviderFailure(error)) return { class: error.class, message: error.message, hints: [...nextStep(error)] };
  if (isSealtreeError(error)) return { class: undefined, message: error.message, hints: error.hints };
  throw error;
}

function nextStep(failure: ProviderFailure): readonly string[] {
  if (failure.hints.length > 0) return failure.hints;
  switch (failure.class) {
    case "auth":
      return ["look at the credential of the target, and what it may do"];
    case "limit":
      return ["make room there, then run the command again"];
    case "rejected":
      return ["compare the entry in policies/deploy.yaml with the page of its kind in docs/targets"];
    case "transient":
    case "unknown":
      return ["run the same command again: it looks at what is there and sends what is left"];
  }
}

/** A mark comes from the target, and may have anything in it. */
function scopeOf(address: string): string {
  try {
    return parseAddress(address).scope;
  } catch (error) {
    if (isSealtreeError(error)) return "";
    throw error;
  }
}
