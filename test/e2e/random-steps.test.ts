import { describe, expect, it, onTestFailed } from "vitest";
import { loadIdentities } from "../../src/identity/load.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { openScope } from "../../src/values/open-scope.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

/** RANDOM_STEPS_SEEDS=1,2,3 walks other ways, and as many as it names. */
const seeds = (process.env["RANDOM_STEPS_SEEDS"] ?? "7").split(",").map(Number);
const stepCount = 50;
const scope = parseScopePath("dev/app");
const names = ["A", "B", "C", "D", "E", "F"];

/** What a secret holds; `id` plays the part of the value id. */
interface Held {
  readonly id: number;
  readonly text: string;
}
type Model = ReadonlyMap<string, Held>;

/** A commit that changed values, and the model before and after it. */
interface Done {
  readonly commit: string;
  readonly before: Model;
  readonly after: Model;
}

/** One repository and the model of what it must hold; every step moves both. */
class Walk {
  readonly #repository: TestRepository;
  readonly #random: () => number;
  readonly #done: Done[] = [];
  #lastId = 0;
  readonly taken: string[] = [];
  model: Model = new Map();

  constructor(repository: TestRepository, seed: number) {
    this.#repository = repository;
    this.#random = createRandom(seed);
  }

  async step(): Promise<void> {
    const kind = this.#pick([
      "set",
      "set",
      "set",
      "unset",
      "rotate",
      "rekey",
      "rollback",
      "rollback",
      "revert",
      "revert",
      "merge",
    ] as const);
    if (kind === "set" || kind === "unset") await this.#run(kind, this.#pick(names));
    else if (kind === "rotate") await this.#rotate(this.#pick(names));
    else if (kind === "rekey") await this.rekey();
    else if (kind === "rollback") await this.#rollback();
    else if (kind === "revert") await this.#revert();
    else await this.#merge();
  }

  async rekey(): Promise<void> {
    this.taken.push("rekey");
    await this.#repository.ok(["rekey", scope, "--yes"]);
  }

  async #run(action: "set" | "unset", name: string): Promise<void> {
    const address = `${scope}/${name}`;
    if (action === "set") {
      const id = (this.#lastId += 1);
      const text = `test-value-${id}`;
      const act = () => this.#repository.ok(["set", address, "--stdin"], { stdin: text });
      await this.#change(`set ${name} to ${id}`, act, replace(this.model, name, { id, text }));
    } else if (this.model.has(name)) {
      const act = () => this.#repository.ok(["unset", address, "--yes"]);
      await this.#change(`unset ${name}`, act, replace(this.model, name, undefined));
    }
  }

  /** The new value is made up, so it is read once and must stay from then on. */
  async #rotate(name: string): Promise<void> {
    const old = this.model.get(name);
    if (old === undefined) return;
    const address = `${scope}/${name}`;
    const id = (this.#lastId += 1);
    const made = { id, text: "" };
    const act = async () => {
      await this.#repository.ok(["rotate", address, "--generate", "hex", "--yes"]);
      made.text = (await this.#repository.ok(["get", address, "--reveal", "--yes"])).stdout;
      expect(made.text).toMatch(/^[0-9a-f]{64}$/);
      expect(made.text).not.toBe(old.text);
    };
    await this.#change(`rotate ${name} to ${id}`, act, replace(this.model, name, made));
  }

  async #rollback(): Promise<void> {
    if (this.#done.length === 0) return;
    const past = this.#pick(this.#done);
    const name = this.#pick(names);
    const held = past.after.get(name);
    if (held === undefined || this.model.get(name)?.id === held.id) return;
    const act = () => this.#repository.ok(["rollback", `${scope}/${name}`, "--to", past.commit, "--yes"]);
    await this.#change(`roll ${name} back to ${held.id}`, act, replace(this.model, name, held));
  }

  /** Git takes one commit back, and stops where the value has become yet another since. */
  async #revert(): Promise<void> {
    if (this.#done.length === 0) return;
    const { commit, before, after } = this.#pick(this.#done);
    const isAt = (model: Model, name: string) => this.model.get(name)?.id === model.get(name)?.id;
    const due = names.filter((name) => before.get(name)?.id !== after.get(name)?.id && !isAt(before, name));
    if (due.length === 0) return;
    if (due.some((name) => !isAt(after, name))) {
      this.taken.push(`revert that stops at ${due.join(" ")}`);
      const said = this.#failToRevert(commit);
      if (!/was (?:set on both sides|removed on one side)/.test(said))
        throw new Error(`git stopped for another reason: ${said}`);
      this.#repository.git("revert", "--abort");
      return;
    }
    const next = due.reduce<Model>((model, name) => replace(model, name, before.get(name)), this.model);
    const act = () => Promise.resolve(this.#repository.git("revert", "--no-edit", commit));
    await this.#change(`revert ${due.join(" ")}`, act, next);
  }

  #failToRevert(commit: string): string {
    try {
      this.#repository.git("revert", "--no-edit", commit);
    } catch (error) {
      return String(error);
    }
    throw new Error("git took back a value that was set again since");
  }

  /** A branch and main change secrets of their own; either may rekey. */
  async #merge(): Promise<void> {
    const start = this.model;
    const theirs = names.filter(() => this.#random() < 0.5);
    const ours = names.filter((name) => !theirs.includes(name));
    this.taken.push(`branch for ${theirs.join(" ")}`);
    this.#repository.git("switch", "--quiet", "--create", "topic");
    await this.#runSome(theirs);
    const topic = this.model;
    this.taken.push("main");
    this.#repository.git("switch", "--quiet", "main");
    this.model = start;
    await this.#runSome(ours);
    this.taken.push("merge");
    this.#repository.git("merge", "--quiet", "--no-edit", "topic");
    this.#repository.git("branch", "--quiet", "--delete", "topic");
    this.model = theirs.reduce<Model>((model, name) => replace(model, name, topic.get(name)), this.model);
  }

  async #runSome(own: readonly string[]): Promise<void> {
    for (let left = this.#pick([1, 2]); left > 0; left--) {
      const action = this.#pick(["set", "set", "unset", "rekey"] as const);
      if (action === "rekey") await this.rekey();
      else if (own.length > 0) await this.#run(action, this.#pick(own));
    }
  }

  async #change(what: string, act: () => Promise<unknown>, next: Model): Promise<void> {
    this.taken.push(what);
    const before = this.model;
    await act();
    this.model = next;
    this.#done.push({ commit: this.#repository.git("rev-parse", "HEAD").trim(), before, after: next });
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error("there is nothing to pick from");
    return item;
  }
}

function replace(model: Model, name: string, held: Held | undefined): Model {
  const next = new Map(model);
  if (held === undefined) next.delete(name);
  else next.set(name, held);
  return next;
}

/** Numbers from 0 up to 1 that the seed repeats (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function openAll(repository: TestRepository): Promise<Record<string, string | undefined>> {
  const { identities } = await loadIdentities({ env: repository.env });
  const opened = await (await openScope(openWorkTree(repository.root), scope, identities)).openAll();
  return Object.fromEntries([...opened].map(([name, secret]) => [name, secret.revealText()]));
}

describe("fifty random steps", () => {
  it.each(seeds)("leave every value open and the one that is due (seed %i)", { timeout: 120_000 }, async (seed) => {
    const repository = await createSealedRepository();
    // The commit that makes the scope and its keyring stays: taking it back takes the keys along.
    await repository.ok(["set", `${scope}/Z`, "--stdin"], { stdin: "test-value-z" });
    const walk = new Walk(repository, seed);
    onTestFailed(() => void process.stderr.write(`seed ${seed}:\n  ${walk.taken.join("\n  ")}\n`));
    for (let index = 0; index < stepCount; index++) {
      await walk.step();
      const due = Object.fromEntries([...walk.model].map(([name, { text }]) => [name, text]));
      expect(await openAll(repository)).toEqual({ ...due, Z: "test-value-z" });
    }
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(walk.taken).toContain("merge");
  });
});
