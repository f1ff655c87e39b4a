import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "../errors.ts";
import { findMergeBase } from "../git/ancestors.ts";
import type { GitPlace } from "../git/place.ts";
import { findRef, findRemoteName, moveRef, readRefFile, writeRefFile } from "../git/ref-file.ts";
import { fetchRefs, pushRefs } from "../git/remote-branch.ts";
import { withoutUserInfo } from "../git/run.ts";
import { findReceipt, maxReceiptBytes, mergeReceipts, printReceipt, type Receipt } from "./receipt.ts";

/** The receipts of some targets, here and at the remote. */
export interface ReceiptStore {
  /** What was recorded of a target; undefined for nothing, and for what cannot be read. */
  get(target: string): Receipt | undefined;
  /** Keeps a receipt here, at once. */
  keep(receipt: Receipt): Promise<void>;
  /** Hands what was kept to the remote. Never throws for a remote: {@link ReceiptStore.warnings} has it. */
  push(): Promise<void>;
  /** What went wrong with the remote or a receipt, one sentence each. */
  readonly warnings: readonly string[];
}

const fileName = "receipt.json";
const attempts = 5;

/** `refs/sealtree/receipts/NAME` */
export function receiptRef(target: string): string {
  return `refs/sealtree/receipts/${target}`;
}

/**
 * Reads the receipts of `targets`, after those of the remote were fetched and joined to them. Without
 * a remote, or one that cannot be asked, those that are here count.
 */
export async function openReceipts(place: GitPlace, targets: readonly string[]): Promise<ReceiptStore> {
  const warnings: string[] = [];
  const receipts = new Map<string, Receipt>();
  const kept = new Set<string>();
  const remote = await findRemoteName(place);
  const seen = new Map<string, string | undefined>();

  const warn = (text: string) => {
    if (!warnings.includes(text)) warnings.push(text);
  };

  const read = async (target: string, commit: string | undefined) => {
    if (commit === undefined) return undefined;
    const file = await readRefFile(place, commit, fileName, maxReceiptBytes);
    const receipt = file === undefined ? undefined : findReceipt(file.text, target);
    if (receipt === undefined) warn(`the receipt of ${target} cannot be read, so it counts as none`);
    return receipt;
  };

  /** What is here and what the remote has, joined, becomes what is here. */
  const join = async (target: string, theirs: string | undefined) => {
    const ref = receiptRef(target);
    const ours = await findRef(place, ref);
    const base = ours === undefined || theirs === undefined ? undefined : await findMergeBase(place, ours, theirs);
    if (theirs === undefined || theirs === ours || base === theirs) return await load(target, ours);
    if (ours === undefined || base === ours) {
      await moveRef(place, ref, theirs, ours);
      return await load(target, theirs);
    }
    const [common, mine, other] = [await read(target, base), await read(target, ours), await read(target, theirs)];
    const merged = mine === undefined ? other : other === undefined ? mine : mergeReceipts(common, mine, other);
    if (merged === undefined) return await load(target, ours);
    const commit = await write(merged, [ours, theirs]);
    await moveRef(place, ref, commit, ours);
    receipts.set(target, merged);
  };
  const load = async (target: string, commit: string | undefined) => {
    const receipt = await read(target, commit);
    if (receipt === undefined) receipts.delete(target);
    else receipts.set(target, receipt);
  };
  const write = async (receipt: Receipt, parents: readonly string[]) =>
    await writeRefFile(place, {
      path: fileName,
      text: printReceipt(receipt),
      message: `deployed to ${receipt.target}`,
      parents,
    });

  const fetch = async (names: readonly string[]) => {
    const found =
      remote === undefined ? new Map<string, string>() : await fetchRefs(place, remote, names.map(receiptRef));
    for (const name of names) {
      seen.set(name, found.get(receiptRef(name)));
      await retryRace(async () => await join(name, found.get(receiptRef(name))));
    }
  };

  const keep = async (receipt: Receipt) => {
    const ref = receiptRef(receipt.target);
    await retryRace(async () => {
      const before = await findRef(place, ref);
      await moveRef(place, ref, await write(receipt, before === undefined ? [] : [before]), before);
    });
    receipts.set(receipt.target, receipt);
    kept.add(receipt.target);
  };

  const pushOnce = async (names: readonly string[]) => {
    const updates = [];
    for (const name of names) {
      const commit = await findRef(place, receiptRef(name));
      if (commit !== undefined && commit !== seen.get(name))
        updates.push({ ref: receiptRef(name), commit, expected: { commit: seen.get(name) } });
    }
    const outcome =
      updates.length === 0 || remote === undefined
        ? ({ kind: "pushed" } as const)
        : await pushRefs(place, remote, updates);
    if (outcome.kind === "pushed")
      for (const { ref, commit } of updates) seen.set(ref.slice(receiptRef("").length), commit);
    return outcome;
  };

  const pushAll = async () => {
    if (remote === undefined || kept.size === 0) return;
    const names = [...kept];
    const label = withoutUserInfo(remote);
    try {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const outcome = await pushOnce(names);
        if (outcome.kind === "pushed") return;
        if (outcome.kind === "refused") {
          warn(`${label} does not take the receipts (${outcome.why}), so they are in this clone alone`);
          return;
        }
        if (attempt > 1) await sleep(50 * 2 ** attempt * (0.5 + Math.random()));
        await fetch(names);
      }
      warn(`${label} did not take the receipts in ${attempts} tries, so they are in this clone alone`);
    } catch (error) {
      if (!hasCode(error, "E_NETWORK")) throw error;
      warn(`${label} cannot be asked, so the receipts are in this clone alone`);
    }
  };

  let turn = Promise.resolve();
  /** One after the other: each tells the next what the remote has. */
  const push = async () => {
    turn = turn.then(pushAll, pushAll);
    await turn;
  };

  try {
    await fetch(targets);
  } catch (error) {
    if (!hasCode(error, "E_NETWORK")) throw error;
    warn(`${withoutUserInfo(remote ?? "")} cannot be asked, so only the receipts of this clone count`);
    for (const target of targets) await load(target, await findRef(place, receiptRef(target)));
  }
  return { get: (target) => receipts.get(target), keep, push, warnings };
}

/** Of two runs in one clone, one is first, and the other looks again. */
async function retryRace(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!hasCode(error, "E_RACED") || attempt === attempts) throw error;
    }
  }
}
