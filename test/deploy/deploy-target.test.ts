import { describe, expect, it } from "vitest";
import { Deadline } from "../../src/deploy/deadline.ts";
import { deployTarget } from "../../src/deploy/deploy-target.ts";
import type { SourcedItem } from "../../src/deploy/deploy-values.ts";
import type { TargetEntry } from "../../src/deploy/policy.ts";
import type { Receipt } from "../../src/deploy/receipt.ts";
import type { ReceiptStore } from "../../src/deploy/receipt-store.ts";
import { applyAll, lookAtAll } from "../../src/deploy/run-targets.ts";
import { statusOf } from "../../src/deploy/status.ts";
import type { JobRun, TargetProgress } from "../../src/deploy/target-job.ts";
import { parseAddress, parseScopePath } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { ModelPlace, type ModelFault } from "../support/model-target.ts";
import { providerAccess } from "../support/provider-access.ts";

const commit = "c".repeat(40);
const sent = { ALPHA: "engine-canary-alpha", BETA: "engine-canary-beta" };

/** Receipts in memory, and how often each was kept and pushed. */
function createReceipts(): ReceiptStore & { readonly kept: Receipt[]; pushes: number } {
  const receipts = new Map<string, Receipt>();
  const store = {
    kept: [] as Receipt[],
    pushes: 0,
    warnings: [],
    get: (target: string) => receipts.get(target),
    keep(receipt: Receipt) {
      receipts.set(receipt.target, receipt);
      store.kept.push(receipt);
      return Promise.resolve();
    },
    push() {
      store.pushes++;
      return Promise.resolve();
    },
  };
  return store;
}

function createRun(more: Partial<JobRun> = {}) {
  const receipts = createReceipts();
  const progress: TargetProgress[] = [];
  const run: JobRun = {
    commit,
    actor: "alice",
    sequence: undefined,
    receipts,
    deadline: new Deadline(20_000),
    retry: { attempts: 4, firstWaitMs: 1 },
    adoption: "none",
    prunes: false,
    now: () => new Date(1_700_000_000_000),
    access: () => Promise.resolve(providerAccess({})),
    onProgress: (it) => void progress.push(it),
    ...more,
  };
  return { run, receipts, progress };
}

function entryOf(model: ModelPlace, more: Partial<TargetEntry> = {}): TargetEntry {
  return {
    name: "model",
    kind: "model",
    scopes: [parseScopePath("prod/api")],
    only: undefined,
    names: new Map(),
    prefix: "",
    toName: (name) => name,
    bound: model.bound(),
    isRequired: false,
    isCanary: false,
    after: [],
    adopts: false,
    allowsDrops: false,
    ...more,
  };
}

/** The fingerprint changes with the text. */
function itemsOf(values: Readonly<Record<string, string>>): SourcedItem[] {
  return Object.entries(values).map(([name, text]) => {
    const address = `prod/api/${name}`;
    const fingerprint = Buffer.from(text.padEnd(8, ".").slice(-8)).toString("hex");
    const mark = { address, fingerprint };
    return { name, value: Secret.text(text), mark, source: parseAddress(address), sources: [address], drop: undefined };
  });
}

async function lookAt(
  model: ModelPlace,
  run: JobRun,
  values: Readonly<Record<string, string>> = sent,
  entry = entryOf(model),
) {
  const [looked] = await lookAtAll(run, [entry], new Map([[entry, itemsOf(values)]]), () => false);
  if (looked === undefined) throw new Error("nothing was looked at");
  return looked;
}

async function deployTo(model: ModelPlace, run: JobRun, values: Readonly<Record<string, string>> = sent) {
  const looked = await lookAt(model, run, values);
  if (looked.failure !== undefined) throw new Error(looked.failure.message);
  return await deployTarget(looked.job);
}

const kinds = [
  ["that reads back and keeps marks", {}],
  ["that reads back and keeps none", { keepsMarks: false }],
  ["that shows no values and keeps marks", { readsBack: false }],
  ["that shows no values and keeps no marks", { readsBack: false, keepsMarks: false }],
] as const;

describe.each(kinds)("a target %s", (_, facts) => {
  it("gets what it lacks, then only what differs, then nothing", async () => {
    const model = new ModelPlace(facts);
    const { run, receipts } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "in order", written: ["ALPHA", "BETA"], failures: [] });
    expect(model.texts()).toEqual(sent);
    model.calls.length = 0;
    const next = { ...sent, BETA: "engine-canary-new" };
    expect(await deployTo(model, run, next)).toMatchObject({ kind: "in order", written: ["BETA"] });
    expect(model.calls).toEqual(["inspect", "write BETA", "inspect"]);
    const kept = receipts.kept.length;
    expect(await deployTo(model, run, next)).toMatchObject({ kind: "in order", written: [] });
    expect(receipts.kept.length).toBe(kept);
  });

  const passing: readonly ModelFault[] = [
    { step: "inspect", kind: "fails" },
    { step: "write", kind: "fails", name: "BETA" },
    { step: "write", kind: "fails late", class: "unknown", name: "ALPHA" },
    { step: "write", kind: "fails late", class: "unknown", name: "BETA" },
    { step: "write", kind: "fails", class: "transient", retryAfterMs: 3, name: "ALPHA" },
  ];
  it.each(passing)("is brought in order when it %j once", async (fault) => {
    const model = new ModelPlace(facts);
    model.faults.push(fault);
    const { run } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "in order", failures: [] });
    expect(model.texts()).toEqual(sent);
  });

  it("gets the rest in the next run when one is cut off half way", async () => {
    const model = new ModelPlace(facts);
    const { run, receipts } = createRun();
    model.faults.push({ step: "write", kind: "fails late", class: "auth", name: "BETA" });
    expect(await deployTo(model, run)).toMatchObject({ kind: "failed", failures: [{ class: "auth" }] });
    const again = await deployTo(model, { ...run, receipts });
    expect(again).toMatchObject({ kind: "in order", failures: [] });
    expect(model.texts()).toEqual(sent);
  });

  it("is left as it is where it has a name of somebody else's", async () => {
    const model = new ModelPlace(facts);
    model.put("ALPHA", "theirs");
    const { run } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "conflict", written: [] });
    expect(model.texts()).toEqual({ ALPHA: "theirs" });
    expect(await deployTo(model, { ...run, adoption: "all" })).toMatchObject({ kind: "in order" });
    expect(model.texts()).toEqual(sent);
    expect(await deployTo(model, run)).toMatchObject({ kind: "in order", written: [] });
  });

  it("keeps what is not wanted any more, until it is pruned, and never what is foreign", async () => {
    const model = new ModelPlace(facts);
    const { run } = createRun();
    await deployTo(model, run);
    model.put("FOREIGN", "theirs");
    const less = { ALPHA: sent.ALPHA };
    expect((await deployTo(model, run, less)).steps.map(({ action }) => action)).toEqual(["same", "left over"]);
    expect(await deployTo(model, { ...run, prunes: true }, less)).toMatchObject({
      kind: "in order",
      removed: ["BETA"],
    });
    expect(model.texts()).toEqual({ ...less, FOREIGN: "theirs" });
  });

  it("is in sync only when it shows its values", async () => {
    const model = new ModelPlace(facts);
    const { run } = createRun();
    expect(statusOf(await lookAt(model, run)).state).toBe("drift");
    await deployTo(model, run);
    expect(statusOf(await lookAt(model, run)).state).toBe(model.facts.readsBack ? "in sync" : "unknown");
    model.put("ALPHA", "changed by hand", itemsOf(sent)[0]?.mark);
    expect(statusOf(await lookAt(model, run))).toMatchObject({ state: "drift", items: [{ state: "changed" }, {}] });
    model.items.delete("BETA");
    expect(statusOf(await lookAt(model, run)).items[1]?.state).toBe("missing");
    model.faults.push({ step: "inspect", kind: "fails", class: "auth" });
    expect(statusOf(await lookAt(model, run)).state).toBe("unknown");
  });
});

describe("deployTarget", () => {
  it("writes again what the target said it has and has not", async () => {
    const model = new ModelPlace();
    model.faults.push({ step: "write", kind: "loses", name: "BETA" });
    const { run } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "in order" });
    expect(model.calls).toEqual([
      "inspect",
      "write ALPHA",
      "write BETA",
      "inspect",
      "inspect",
      "write BETA",
      "inspect",
    ]);
  });

  it.each(["auth", "limit"] as const)("does not try again after %s, and says what is next", async (failureClass) => {
    const model = new ModelPlace();
    model.faults.push({ step: "write", kind: "fails", class: failureClass });
    const { run } = createRun();
    const outcome = await deployTo(model, run);
    expect(outcome).toMatchObject({ kind: "failed", failures: [{ class: failureClass }] });
    expect(outcome.failures[0]?.hints.length).toBeGreaterThan(0);
    expect(model.calls).toEqual(["inspect", "write ALPHA"]);
  });

  it("writes the others when the target rejects one, which it names", async () => {
    const model = new ModelPlace({ keepsMarks: false });
    model.faults.push({ step: "write", kind: "fails", class: "rejected", name: "ALPHA" });
    const { run, receipts } = createRun();
    expect(await deployTo(model, run)).toMatchObject({
      kind: "failed",
      written: ["BETA"],
      failures: [{ class: "rejected", message: expect.stringContaining("ALPHA: ") }],
    });
    expect([...(receipts.get("model")?.items.keys() ?? [])]).toEqual(["BETA"]);
  });

  it("gives up after as many tries without progress as it may", async () => {
    const model = new ModelPlace();
    for (let index = 0; index < 9; index++) model.faults.push({ step: "write", kind: "fails" });
    const { run } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "failed", failures: [{ class: "transient" }] });
    expect(model.faults.length).toBe(5);
  });

  it("gives up at once when the service asks for more time than there is", async () => {
    const model = new ModelPlace();
    model.faults.push({ step: "write", kind: "fails", retryAfterMs: 60_000 });
    const { run } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "failed", failures: [{ class: "transient" }] });
  });

  it("ends at the deadline when a target does not answer, and does not say that it is in order", async () => {
    const model = new ModelPlace();
    model.faults.push({ step: "write", kind: "hangs", name: "BETA" });
    const { run } = createRun({ deadline: new Deadline(60) });
    expect(await deployTo(model, run)).toMatchObject({
      kind: "failed",
      written: ["ALPHA"],
      failures: [{ class: "unknown", hints: [expect.stringContaining("same command"), expect.anything()] }],
    });
  });

  it("records what it is about to make where nothing else would say whose it is", async () => {
    const model = new ModelPlace({ keepsMarks: false, readsBack: false });
    model.faults.push({ step: "write", kind: "hangs", name: "ALPHA" });
    const { run, receipts } = createRun({ deadline: new Deadline(60) });
    await deployTo(model, run);
    expect(receipts.get("model")?.items.get("ALPHA")).toMatchObject({ isPending: true });
    expect(receipts.pushes).toBe(1);
    model.put("ALPHA", sent.ALPHA);
    const again = createRun();
    await again.receipts.keep(receipts.kept.at(-1) as Receipt);
    expect(await deployTo(model, again.run)).toMatchObject({ kind: "in order" });
    expect(again.receipts.get("model")?.items.get("ALPHA")?.isPending).toBeUndefined();
  });

  it("knows for ours what a run left without its mark, where marks come later", async () => {
    const model = new ModelPlace({ marksLater: true });
    model.faults.push({ step: "write", kind: "hangs", name: "ALPHA" });
    const { run, receipts } = createRun({ deadline: new Deadline(60) });
    await deployTo(model, run);
    model.put("ALPHA", sent.ALPHA);
    const stranger = createRun();
    expect(await deployTo(model, stranger.run)).toMatchObject({ kind: "conflict" });
    const again = createRun();
    await again.receipts.keep(receipts.kept.at(-1) as Receipt);
    expect(await deployTo(model, again.run)).toMatchObject({ kind: "in order" });
    expect(model.items.get("ALPHA")?.mark).toBeDefined();
  });

  it("records anew what the marks of a target say when the receipt is lost", async () => {
    const model = new ModelPlace({ readsBack: false });
    await deployTo(model, createRun().run);
    const { run, receipts } = createRun();
    expect(await deployTo(model, run)).toMatchObject({ kind: "in order", written: [] });
    const items = [...(receipts.get("model")?.items ?? [])];
    expect(items.map(([name, { fingerprint }]) => [name, fingerprint])).toEqual(
      itemsOf(sent).map(({ name, mark }) => [name, mark.fingerprint]),
    );
  });

  it("calls a target that orders writers once also when nothing differs, with the number of the commit", async () => {
    const model = new ModelPlace({ ordersWriters: true });
    const { run } = createRun({ sequence: 7 });
    await deployTo(model, run);
    await deployTo(model, { ...run, sequence: 8 });
    expect(model.changes.map(({ writes, sequence }) => [writes.length, sequence])).toEqual([
      [2, 7],
      [0, 8],
    ]);
  });

  it("does not take a receipt of another place for its own", async () => {
    const { run } = createRun();
    await deployTo(new ModelPlace({ keepsMarks: false }, "one place"), run);
    const other = new ModelPlace({ keepsMarks: false }, "other place");
    other.put("ALPHA", "theirs");
    expect(await deployTo(other, run)).toMatchObject({ kind: "conflict" });
  });

  it("keeps values out of outcomes, receipts and progress", async () => {
    const model = new ModelPlace();
    model.faults.push({ step: "write", kind: "fails", class: "rejected", name: "ALPHA" });
    const { run, receipts, progress } = createRun();
    const outcome = await deployTo(model, run);
    const text = JSON.stringify([outcome, progress, receipts.kept.map((it) => [...it.items])]);
    expect(text).not.toContain("engine-canary");
    expect(text).not.toContain(Buffer.from(sent.ALPHA).toString("base64").slice(0, 16));
  });
});

describe("applyAll", () => {
  const begin = async (
    more: readonly (Partial<TargetEntry> & { readonly name: string; readonly model: ModelPlace })[],
  ) => {
    const { run, receipts } = createRun();
    const entries = more.map(({ model, ...rest }) => entryOf(model, rest));
    const wanted = new Map(entries.map((entry) => [entry, itemsOf(sent)] as const));
    const looked = await lookAtAll(run, entries, wanted, () => false);
    return { looked, receipts };
  };
  const outcomesOf = async ({ looked, receipts }: Awaited<ReturnType<typeof begin>>) =>
    Object.fromEntries([...(await applyAll(looked, receipts))].map(([name, { kind }]) => [name, kind]));

  it("begins nothing else when a canary fails", async () => {
    const [canary, other] = [new ModelPlace(), new ModelPlace()];
    canary.faults.push({ step: "write", kind: "fails", class: "auth" });
    const begun = await begin([
      { name: "other", model: other },
      { name: "canary", model: canary, isCanary: true },
    ]);
    expect(await outcomesOf(begun)).toEqual({ canary: "failed", other: "skipped" });
    expect(other.items.size).toBe(0);
    expect(begun.receipts.pushes).toBe(1);
  });

  it("deploys what comes after only when what is before is in order", async () => {
    const [first, second, third] = [new ModelPlace(), new ModelPlace(), new ModelPlace()];
    first.put("ALPHA", "theirs");
    const begun = await begin([
      { name: "third", model: third, after: ["second"] },
      { name: "second", model: second, after: ["first"] },
      { name: "first", model: first },
    ]);
    expect(await outcomesOf(begun)).toEqual({ first: "conflict", second: "skipped", third: "skipped" });
    expect(second.items.size + third.items.size).toBe(0);
  });

  it("deploys the others when one cannot be looked at", async () => {
    const [away, other] = [new ModelPlace(), new ModelPlace()];
    away.faults.push({ step: "inspect", kind: "fails", class: "auth" });
    const begun = await begin([
      { name: "away", model: away },
      { name: "other", model: other },
    ]);
    expect(await outcomesOf(begun)).toEqual({ away: "failed", other: "in order" });
  });
});
