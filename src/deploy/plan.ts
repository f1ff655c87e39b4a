import type { Found, Mark, TargetFacts } from "./targets/target.ts";
import type { Secret } from "../secret/secret.ts";

/** A value that a target shall have. */
export interface WantedItem {
  /** Its name there. */
  readonly name: string;
  readonly value: Secret;
  readonly mark: Mark;
}

/** What was recorded of an item when it was deployed. */
export interface DeployedItem {
  readonly address: string;
  readonly fingerprint: string;
  /** When it had changed at the target then, in milliseconds since 1970, where the target says. */
  readonly changedAtMs?: number | undefined;
  /** Recorded before it was sent, and nothing after: it may be there or not. */
  readonly isPending?: boolean | undefined;
}

/** What may be taken over: nothing, what has no mark, or whatever is there. */
export type Adoption = "none" | "unmarked" | "all";

/**
 * What is to be done with one name. `create` and `update` are sent; `same` needs nothing; `conflict`
 * is somebody else's; `remove` is ours and goes; `left over` is ours and nobody asked to remove it;
 * `blocked` cannot be written now.
 */
export type Action = "create" | "update" | "same" | "conflict" | "remove" | "left over" | "blocked";

/** One line of a plan. Holds no value. */
export interface PlanStep {
  readonly name: string;
  /** The secret, as `scope/NAME`; of what is removed the one it was. */
  readonly address: string;
  readonly action: Action;
  /** Why, in a few words. */
  readonly reason: string;
  /** For `same`: whether the target itself shows it, or it is only what was sent last. */
  readonly isSeen: boolean;
}

export interface PlanInput {
  readonly wanted: readonly WantedItem[];
  readonly found: readonly Found[];
  /** By name there; empty without a receipt. */
  readonly deployed: ReadonlyMap<string, DeployedItem>;
  readonly facts: Pick<TargetFacts, "keepsMarks" | "marksLater">;
  /** The same for two names that are one name there. */
  keyOf(name: string): string;
  readonly adoption: Adoption;
  readonly prunes: boolean;
  /** True for a mark that this target may have left: of a secret of its scopes. */
  isOwnAddress(address: string): boolean;
  /** True for a name that another target of the policy keeps at the same place. */
  isClaimed(name: string): boolean;
}

/**
 * What is to be done at a target, wanted names first, each group in its own order. Pure, and
 * without a plaintext in it. A name that is found twice counts as its first.
 */
export function planTarget(asked: PlanInput): PlanStep[] {
  const keyOf = (name: string) => asked.keyOf(name);
  const input = { ...asked, deployed: new Map([...asked.deployed].map(([name, item]) => [keyOf(name), item])) };
  const found = new Map(input.found.toReversed().map((each) => [keyOf(each.name), each]));
  const wanted = new Set(input.wanted.map(({ name }) => keyOf(name)));
  const steps = input.wanted.map((item) => planItem(item, found.get(keyOf(item.name)), input));
  const others = [...found].toReversed().filter(([key, { name }]) => !wanted.has(key) && !input.isClaimed(name));
  return [...steps, ...others.flatMap(([, each]) => planLeftOver(each, input))];
}

function planItem(item: WantedItem, found: Found | undefined, input: PlanInput): PlanStep {
  const { name, mark } = item;
  const step = (action: Action, reason: string, isSeen = true): PlanStep => ({
    name,
    address: mark.address,
    action,
    reason,
    isSeen,
  });
  if (found?.blocked !== undefined) return step("blocked", found.blocked);
  if (found === undefined) return step("create", wasThere(name, input) ? "it is gone there" : "it is not there");
  const foreign = whoseElse(item, found, input);
  if (foreign !== undefined && !mayAdopt(found, input)) return step("conflict", foreign);
  if (foreign !== undefined) return step("update", "it is taken over");
  const deployed = input.deployed.get(input.keyOf(name));
  const known = found.mark ?? deployed;
  if (found.value !== undefined && !hasSameBytes(found.value, item.value))
    return step("update", known?.fingerprint === mark.fingerprint ? "it was changed there" : "it has a new value");
  if (found.value === undefined) {
    if (known?.fingerprint !== mark.fingerprint) return step("update", "it has a new value");
    if (deployed?.isPending === true && found.mark === undefined)
      return step("update", "it is not known whether it was sent");
    if (isNewer(found, deployed, mark.fingerprint)) return step("update", "it was changed there");
    return step("same", "as it was sent; the target shows no values", false);
  }
  if (found.mark !== undefined && !isSameMark(found.mark, mark)) return step("update", "its mark is of another value");
  if (found.mark === undefined && input.facts.keepsMarks) return step("update", "its mark is missing");
  return step("same", "");
}

function wasThere(name: string, input: PlanInput): boolean {
  const item = input.deployed.get(input.keyOf(name));
  return item !== undefined && item.isPending !== true;
}

/** Whose it is when it is not ours, in words; undefined for ours. */
function whoseElse({ name, mark }: WantedItem, found: Found, input: PlanInput): string | undefined {
  const deployed = input.deployed.get(input.keyOf(name));
  if (found.mark !== undefined) {
    const isOurs = found.mark.address === mark.address || found.mark.address === deployed?.address;
    return isOurs ? undefined : `it is there for ${found.mark.address}`;
  }
  // A run that was cut off between the value and its mark had said before that it would make it.
  if (input.facts.marksLater === true && deployed?.isPending === true) return undefined;
  if (input.facts.keepsMarks) return "it is there and has no mark of sealtree";
  return deployed === undefined ? "it is there and no receipt says that it is ours" : undefined;
}

function mayAdopt(found: Found, { adoption }: PlanInput): boolean {
  return adoption === "all" || (adoption === "unmarked" && found.mark === undefined);
}

function planLeftOver(found: Found, input: PlanInput): PlanStep[] {
  const deployed = input.deployed.get(input.keyOf(found.name));
  const marked = found.mark !== undefined && input.isOwnAddress(found.mark.address) ? found.mark.address : undefined;
  // Where marks are kept, one that is gone or another's says that it is not ours any more.
  const address = marked ?? (input.facts.keepsMarks ? undefined : deployed?.address);
  if (address === undefined) return [];
  const common = { name: found.name, address, isSeen: true };
  if (!input.prunes) return [{ ...common, action: "left over", reason: "it is ours and not wanted any more" }];
  if (found.blocked !== undefined) return [];
  return [{ ...common, action: "remove", reason: "it is not wanted any more" }];
}

/** A time that was recorded for another value says nothing of this one. */
function isNewer({ changedAtMs }: Found, deployed: DeployedItem | undefined, fingerprint: string): boolean {
  if (changedAtMs === undefined || deployed?.fingerprint !== fingerprint) return false;
  return deployed.changedAtMs !== undefined && changedAtMs > deployed.changedAtMs;
}

function isSameMark(one: Mark, other: Mark): boolean {
  return one.address === other.address && one.fingerprint === other.fingerprint;
}

/** Whether a target reads back as text or as bytes is its own affair. */
function hasSameBytes(one: Secret, other: Secret): boolean {
  return Buffer.compare(one.reveal(), other.reveal()) === 0;
}
