import { z } from "zod";
import { isAddress } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { DeployedItem } from "./plan.ts";

/** What was deployed to a target last: no value, no hash of one and no length. */
export interface Receipt {
  readonly target: string;
  readonly kind: string;
  /** Where it was deployed to; a receipt of another place says nothing. */
  readonly place: string;
  /** Full id of the commit whose values were sent. */
  readonly commit: string;
  /** In whole milliseconds since 1970. */
  readonly timeMs: number;
  /** The member who deployed; undefined when nobody knows. */
  readonly actor: string | undefined;
  /** By name at the target. */
  readonly items: ReadonlyMap<string, DeployedItem>;
}

/** Largest receipt that is read, in bytes: ten thousand items with the longest names. */
export const maxReceiptBytes = 16 * 1024 * 1024;

const line = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^\P{C}+$/u);
const timeMs = z.int().min(0).max(253_402_300_799_999);
const schema = z.strictObject({
  sealtree: z.literal(1),
  target: z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/),
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  place: line,
  commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
  time: timeMs,
  actor: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,62}$/)
    .exactOptional(),
  items: z
    .array(
      z.strictObject({
        name: line,
        address: z.string().max(1024).refine(isAddress),
        fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
        changed_at: timeMs.exactOptional(),
        pending: z.literal(true).exactOptional(),
      }),
    )
    .max(10_000),
});

/** The receipt in `text` of the target `name`; undefined for anything that {@link printReceipt} does not print. */
export function findReceipt(text: string, name: string): Receipt | undefined {
  const parsed = schema.safeParse(readJson(text));
  if (!parsed.success || parsed.data.target !== name) return undefined;
  const { data } = parsed;
  const items = data.items.map(
    ({ name: there, changed_at: changedAtMs, pending: isPending, ...rest }) =>
      [there, { ...rest, changedAtMs, isPending }] as const,
  );
  const receipt: Receipt = {
    target: data.target,
    kind: data.kind,
    place: data.place,
    commit: data.commit,
    timeMs: data.time,
    actor: data.actor,
    items: new Map(items),
  };
  return printReceipt(receipt) === text ? receipt : undefined;
}

/** The one way a receipt is written: JSON, items by name. */
export function printReceipt(receipt: Receipt): string {
  const items = [...receipt.items].sort(([a], [b]) => compareText(a, b));
  const written = {
    sealtree: 1,
    target: receipt.target,
    kind: receipt.kind,
    place: receipt.place,
    commit: receipt.commit,
    time: receipt.timeMs,
    ...(receipt.actor === undefined ? {} : { actor: receipt.actor }),
    items: items.map(([name, { address, fingerprint, changedAtMs, isPending }]) => ({
      name,
      address,
      fingerprint,
      ...(changedAtMs === undefined ? {} : { changed_at: changedAtMs }),
      ...(isPending === true ? { pending: true } : {}),
    })),
  };
  return `${JSON.stringify(written, null, 1)}\n`;
}

/**
 * One receipt of two that went apart from `base`: item by item what one of them changed, and the
 * later one where both did. The head is that of the later one, too. Two places do not merge: the
 * later one holds.
 */
export function mergeReceipts(base: Receipt | undefined, one: Receipt, other: Receipt): Receipt {
  const [earlier, later] = one.timeMs <= other.timeMs ? [one, other] : [other, one];
  if (earlier.place !== later.place || earlier.kind !== later.kind) return later;
  const common = base?.place === later.place ? base.items : new Map<string, DeployedItem>();
  const items = new Map<string, DeployedItem>();
  for (const name of new Set([...earlier.items.keys(), ...later.items.keys()])) {
    const [was, first, last] = [common.get(name), earlier.items.get(name), later.items.get(name)];
    const item = isSameItem(was, last) ? first : last;
    if (item !== undefined) items.set(name, item);
  }
  return { ...later, items };
}

function isSameItem(one: DeployedItem | undefined, other: DeployedItem | undefined): boolean {
  return (
    one?.address === other?.address &&
    one?.fingerprint === other?.fingerprint &&
    one?.changedAtMs === other?.changedAtMs &&
    one?.isPending === other?.isPending
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
