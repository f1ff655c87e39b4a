import { randomBytes } from "node:crypto";
import type { Identity } from "../crypto/identity.ts";
import { errorCatalogue, isSealtreeError } from "../errors.ts";
import { dayMs } from "../rotation/duration.ts";
import { mayRefer } from "../resolve/interpolate.ts";
import { printAddress } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { Tree } from "../store/tree.ts";
import { openEntries } from "../values/open-scope.ts";
import type { SecretChange } from "./report-changes.ts";
import type { Snapshots } from "./report-snapshot.ts";
import { readTraits, type ValueTraits } from "./value-traits.ts";

/**
 * What only a reader can see. `equal`: two values of their own ids are one. `weak`: easily guessed.
 * `expires`: a certificate or token is over, or soon. `same-id`: the value changed under an id that
 * says it stayed. `same-value`: an id says that the value is new, and it is the old one. `broken`:
 * it does not open although it should. `reference`: what it refers to cannot be resolved.
 */
export const remarkKinds = ["broken", "same-id", "same-value", "reference", "expires", "weak", "equal"] as const;

export interface DeepRemark {
  readonly kind: (typeof remarkKinds)[number];
  /** Addresses it is about, sorted. */
  readonly secrets: readonly string[];
  /** A sentence without its full stop; never a value, nor a part of one. */
  readonly text: string;
}

/** What an identity could see of a change. */
export interface DeepLook {
  readonly remarks: readonly DeepRemark[];
  /** How many records of the head were opened, and how many are for others. */
  readonly opened: number;
  readonly closed: number;
}

export interface DeepRequest {
  readonly identities: readonly Identity[];
  readonly oldTree: Tree;
  readonly newTree: Tree;
  readonly before: Snapshots;
  readonly after: Snapshots;
  readonly changes: readonly SecretChange[];
  readonly now: Date;
}

/** How long before its end a certificate or token is worth a word. */
const expiryNoticeMs = 30 * dayMs;

/** Opens the values of both sides as far as the identities fit, and says what is odd about those that changed. */
export async function lookDeeper(request: DeepRequest): Promise<DeepLook> {
  const key = randomBytes(32);
  const old = await openAll(request.oldTree, request.before, request.identities, key);
  const now = await openAll(request.newTree, request.after, request.identities, key);
  const changed = request.changes.filter(({ after }) => after !== undefined);
  const news = changed.filter((change) => now.referring.has(printAddress(change)));
  const remarks = [
    ...now.broken,
    ...(await listFlaws(request, news)),
    ...changed.flatMap((change) => compareClaims(change, old.traits, now.traits)),
    ...changed.flatMap((change) => listExpiries(change, now.traits, request.now)),
    ...changed.flatMap((change) => listWeaknesses(change, now.traits)),
    ...listEqual(changed, request.after, now),
  ];
  return { remarks, opened: now.traits.size, closed: now.closed };
}

type TraitsByAddress = ReadonlyMap<string, ValueTraits>;

async function openAll(tree: Tree, snapshots: Snapshots, identities: readonly Identity[], key: Uint8Array) {
  const traits = new Map<string, ValueTraits>();
  const broken: DeepRemark[] = [];
  const referring = new Set<string>();
  let closed = 0;
  for (const { scope, entries, secrets } of snapshots.values()) {
    const open = openEntries(tree, scope, entries, identities);
    for (const [name, { record, valueId }] of secrets) {
      if (valueId === undefined) continue;
      const address = printAddress({ scope, name });
      try {
        const secret = await open.openSealed(name, record);
        traits.set(address, readTraits(secret, key));
        if (mayRefer(secret)) referring.add(address);
      } catch (error) {
        if (!isSealtreeError(error)) throw error;
        // Such as a plugin that does not run: nothing can be said then.
        if (!["noAccess", "integrity"].includes(errorCatalogue[error.code])) throw error;
        if (error.code === "E_NO_ACCESS") closed += 1;
        else broken.push({ kind: "broken", secrets: [address], text: `it does not open: ${error.message}` });
      }
    }
  }
  return { traits, broken, referring, closed };
}

async function listFlaws(
  { newTree, identities }: DeepRequest,
  referring: readonly SecretChange[],
): Promise<DeepRemark[]> {
  if (referring.length === 0) return [];
  const { findReferenceFlaws } = await import("./reference-flaws.ts");
  const flaws = await findReferenceFlaws(newTree, identities, referring);
  return flaws.map(({ address, text }) => ({ kind: "reference", secrets: [printAddress(address)], text }));
}

function compareClaims(
  { kind, from, before, after, ...address }: SecretChange,
  old: TraitsByAddress,
  now: TraitsByAddress,
): DeepRemark[] {
  const text = printAddress(address);
  const value = now.get(text);
  const earlier = old.get(from === undefined ? text : printAddress(from));
  if (value === undefined || earlier === undefined) return [];
  const isSame = value.digest === earlier.digest;
  const claimsSame = from !== undefined || before?.valueId === after?.valueId;
  if (claimsSame && !isSame) {
    return [{ kind: "same-id", secrets: [text], text: "the value is another, under an id that says it stayed" }];
  }
  if (!claimsSame && isSame && kind !== "rolled-back") {
    return [{ kind: "same-value", secrets: [text], text: "the value is the old one, under an id that says it is new" }];
  }
  return [];
}

function listExpiries(change: SecretChange, traits: TraitsByAddress, now: Date): DeepRemark[] {
  const address = printAddress(change);
  const expiry = traits.get(address)?.expiry;
  if (expiry === undefined || expiry.atMs > now.getTime() + expiryNoticeMs) return [];
  const day = new Date(expiry.atMs).toISOString().slice(0, 10);
  const verb = expiry.atMs <= now.getTime() ? "expired on" : "expires on";
  return [{ kind: "expires", secrets: [address], text: `the ${expiry.what} in it ${verb} ${day}` }];
}

function listWeaknesses(change: SecretChange, traits: TraitsByAddress): DeepRemark[] {
  const address = printAddress(change);
  const weakness = change.kind === "resealed" ? undefined : traits.get(address)?.weakness;
  return weakness === undefined ? [] : [{ kind: "weak", secrets: [address], text: weakness }];
}

/** Groups of equal values with one that changed; a copy that its value id tells of is none, nor are equal references. */
function listEqual(
  changed: readonly SecretChange[],
  after: Snapshots,
  { traits, referring }: { readonly traits: TraitsByAddress; readonly referring: ReadonlySet<string> },
): DeepRemark[] {
  const ids = new Map<string, string>();
  for (const { scope, secrets } of after.values())
    for (const [name, { valueId }] of secrets) ids.set(printAddress({ scope, name }), valueId ?? "");
  const groups = new Map<string, string[]>();
  for (const [address, { digest }] of traits)
    if (!referring.has(address)) groups.set(digest, [...(groups.get(digest) ?? []), address]);
  const news = new Set(changed.filter(({ kind }) => kind !== "resealed").map(printAddress));
  return [...groups.values()]
    .filter((group) => group.some((address) => news.has(address)))
    .filter((group) => new Set(group.map((address) => ids.get(address))).size > 1)
    .map((group) => ({
      kind: "equal",
      secrets: group.toSorted(compareText),
      text: "they have one value, which was set more than once",
    }));
}
