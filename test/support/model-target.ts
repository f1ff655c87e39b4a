import type { BoundTarget } from "../../src/deploy/targets/bind-target.ts";
import type { Change, Found, Mark, OpenTarget, Progress, TargetFacts } from "../../src/deploy/targets/target.ts";
import { ProviderFailure, type FailureClass } from "../../src/net/provider-failure.ts";
import { Secret } from "../../src/secret/secret.ts";

/** One item as a model keeps it. */
export interface ModelItem {
  readonly text: string;
  readonly mark: Mark | undefined;
  readonly changedAtMs: number;
}

/**
 * What goes wrong at a step, once. `fails`: before anything of that call was done; `fails late`: it was done
 * and says that it failed; `loses`: it says that it was done, and it was not; `hangs`: it never answers.
 */
export interface ModelFault {
  readonly step: "inspect" | "write" | "remove";
  readonly kind: "fails" | "fails late" | "loses" | "hangs";
  readonly class?: FailureClass;
  readonly retryAfterMs?: number;
  /** For one item only; any without. */
  readonly name?: string;
}

/** A whole target in memory, which keeps what it is given and fails as it is told. */
export class ModelPlace {
  readonly items = new Map<string, ModelItem>();
  readonly facts: TargetFacts;
  readonly place: string;
  /** Taken from the front, each once. */
  readonly faults: ModelFault[] = [];
  /** Every call, in order. */
  readonly calls: string[] = [];
  readonly changes: Change[] = [];
  clockMs = 1000;
  opened = 0;

  constructor(facts: Partial<TargetFacts> = {}, place = "a place") {
    this.place = place;
    this.facts = {
      readsBack: true,
      keepsMarks: true,
      hasVersions: false,
      comparesAndSwaps: false,
      nameRule: { pattern: /^[A-Z][A-Z0-9_]*$/, says: "A-Z, 0-9 and _", maxLength: 64, ignoresCase: false },
      maxValueBytes: 1024,
      holdsBinary: false,
      ...facts,
    };
  }

  /** As somebody else would put it there. */
  put(name: string, text: string, mark?: Mark): void {
    this.items.set(name, { text, mark: this.facts.keepsMarks ? mark : undefined, changedAtMs: ++this.clockMs });
  }

  texts(): Record<string, string> {
    return Object.fromEntries([...this.items].map(([name, { text }]) => [name, text]));
  }

  bound(): BoundTarget {
    return {
      facts: this.facts,
      references: [],
      place: this.place,
      toName: (name) => name,
      open: () => Promise.resolve(this.#open()),
    };
  }

  #open(): OpenTarget {
    this.opened++;
    return {
      inspect: async (names) => {
        this.calls.push("inspect");
        await this.#fail("inspect", undefined);
        const { readsBack, keepsMarks } = this.facts;
        return [...this.items]
          .filter(([name, { mark }]) => names.includes(name) || mark !== undefined)
          .map(([name, { text, mark, changedAtMs }]): Found => ({
            name,
            mark: keepsMarks ? mark : undefined,
            value: readsBack ? Secret.text(text) : undefined,
            changedAtMs: readsBack ? undefined : changedAtMs,
          }));
      },
      apply: async (change, progress) => await this.#apply(change, progress),
      close: () => {
        this.opened--;
        return Promise.resolve();
      },
    };
  }

  async #apply(change: Change, progress: Progress): Promise<void> {
    this.changes.push(change);
    for (const { name, value, mark } of change.writes) {
      this.calls.push(`write ${name}`);
      const act = () => this.put(name, value.revealText() ?? "", mark);
      await this.#step("write", name, act, progress);
    }
    for (const { name } of change.removes) {
      this.calls.push(`remove ${name}`);
      await this.#step("remove", name, () => void this.items.delete(name), progress);
    }
  }

  async #step(step: "write" | "remove", name: string, act: () => void, progress: Progress): Promise<void> {
    const fault = this.#take(step, name);
    if (fault?.kind === "hangs") await new Promise(() => undefined);
    const failure = new ProviderFailure(fault?.class ?? "transient", `the model fails at ${step}`, {
      retryAfterMs: fault?.retryAfterMs,
    });
    if (fault?.kind === "fails" && failure.class === "rejected") return progress.failed(name, failure);
    if (fault?.kind === "fails") throw failure;
    if (fault?.kind !== "loses") act();
    if (fault?.kind === "fails late") throw failure;
    progress.done(name);
  }

  async #fail(step: ModelFault["step"], name: string | undefined): Promise<void> {
    const fault = this.#take(step, name);
    if (fault === undefined) return;
    if (fault.kind === "hangs") await new Promise(() => undefined);
    throw new ProviderFailure(fault.class ?? "transient", `the model fails at ${step}`, {
      retryAfterMs: fault.retryAfterMs,
    });
  }

  #take(step: ModelFault["step"], name: string | undefined): ModelFault | undefined {
    const index = this.faults.findIndex((it) => it.step === step && (it.name === undefined || it.name === name));
    return index < 0 ? undefined : this.faults.splice(index, 1)[0];
  }
}
