import { hashReaders, type ReaderList, sameHash } from "../crypto/generation.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { parseGenerationFile, printGenerationFile, type GenerationFile } from "../store/generation-file.ts";
import {
  readSide,
  sideNames,
  UnreadableSide,
  type FileSides,
  type MergedContent,
  type Side,
} from "./merged-content.ts";

/** What a generation is, and what may be known of it besides its versions. */
export interface GenerationMerge {
  readonly scope: ScopePath;
  readonly id: string;
  /** Who may read by the merged policy, where that is known. */
  readonly wanted?: ReaderList | undefined;
  /** The side to keep where nothing else tells. */
  readonly choose?: Side | undefined;
}

/**
 * Merges two versions of a generation file by keeping one of them whole: its key is sealed to a
 * list of readers, and only somebody who holds it can seal it to another. Kept is the side that
 * is wrapped for those whom `wanted` names, or, where that is not known, whom both changes of
 * the list together give. With `wanted` a side that only lacks some of them will do, since a
 * rekey adds them, and one that names somebody else whom it is new to goes before all. Where that is neither, nothing is merged. A generation that a side removed stays, since
 * keyrings only grow. Throws {@link UnreadableSide}.
 */
export function mergeGenerations({ base, ours, theirs }: FileSides, about: GenerationMerge): MergedContent {
  const read = (side: string, bytes: Uint8Array) =>
    readSide(side, () => parseGenerationFile(bytes, about.scope, about.id));
  const mine = ours === undefined ? undefined : read(sideNames.ours, ours);
  const yours = theirs === undefined ? undefined : read(sideNames.theirs, theirs);
  if (mine === undefined || yours === undefined) return keep(about.scope, mine ?? yours);
  if (!isSameMint(mine, yours))
    return { kind: "unmerged", why: "previous, created or minted_for is another on each side" };
  const before = findBase(base, about);
  const side = chooseSide({ before, mine, yours }, about);
  if (side !== undefined) return keep(about.scope, side === "ours" ? mine : yours);
  return {
    kind: "unmerged",
    why: `ours is wrapped for ${sayReaders(mine.wrappedFor)}, theirs for ${sayReaders(yours.wrappedFor)}`,
    after: `sealtree rekey ${about.scope}`,
  };
}

interface Versions {
  readonly before: GenerationFile | undefined;
  readonly mine: GenerationFile;
  readonly yours: GenerationFile;
}

function chooseSide({ before, mine, yours }: Versions, { wanted, choose }: GenerationMerge): Side | undefined {
  const [was, one, other] = [before, mine, yours].map((file) => listKeys(file?.wrappedFor));
  if (one === undefined || other === undefined) return undefined;
  // Two seals for the same readers: one of them, whichever way the merge goes.
  if (one === other) {
    const isOurs = before?.armored !== mine.armored && before?.armored !== yours.armored;
    if (!isOurs) return before?.armored === mine.armored ? "theirs" : "ours";
    return compareText(mine.armored, yours.armored) <= 0 ? "ours" : "theirs";
  }
  const telling = wanted === undefined ? undefined : findStranger(was ?? "", one, other, listKeys(wanted) ?? "");
  if (telling !== undefined) return telling;
  const meant = wanted === undefined ? (was === undefined ? undefined : joinLists(was, one, other)) : listKeys(wanted);
  if (meant === one) return "ours";
  if (meant === other) return "theirs";
  return choose ?? (wanted === undefined ? undefined : chooseLesser(one, other, listKeys(wanted) ?? ""));
}

/** A side that is wrapped for nobody but `wanted`, and for as many of them as can be. */
function chooseLesser(one: string, other: string, wanted: string): Side | undefined {
  const all = new Set(wanted.split("\n"));
  const isFit = (list: string) => list.split("\n").every((item) => all.has(item));
  const count = (list: string) => list.split("\n").length;
  if (isFit(one) && (!isFit(other) || count(one) >= count(other))) return "ours";
  return isFit(other) ? "theirs" : undefined;
}

/**
 * The side that gave the key to somebody whom the merged policy does not let read. They know it
 * from that branch, and a list without them would hide that from `check` and `rekey`. Who was in
 * the list before and is not in the policy needs no such care: their removal made a successor.
 */
function findStranger(was: string, one: string, other: string, wanted: string): Side | undefined {
  const [before, all] = [was, wanted].map((list) => new Set(list.split("\n")));
  const count = (list: string) => list.split("\n").filter((key) => !before?.has(key) && !all?.has(key)).length;
  const [ours, theirs] = [count(one), count(other)];
  if (ours + theirs === 0) return undefined;
  return ours > theirs || (ours === theirs && one <= other) ? "ours" : "theirs";
}

/** What both changes of a list give: neither what one side removed nor without what one added. */
function joinLists(was: string, one: string, other: string): string {
  const [before, mine, yours] = [was, one, other].map((list) => new Set(list.split("\n")));
  const all = new Set([...(mine ?? []), ...(yours ?? [])]);
  return [...all]
    .filter((item) => before?.has(item) !== true || (mine?.has(item) === true && yours?.has(item) === true))
    .sort(compareText)
    .join("\n");
}

/** A reader list in one order, a line for each key. */
function listKeys(readers: ReaderList | undefined): string | undefined {
  if (readers === undefined) return undefined;
  return [...readers]
    .flatMap(([name, prints]) => prints.map((print) => `${name} ${print}`))
    .sort(compareText)
    .join("\n");
}

function isSameMint(a: GenerationFile, b: GenerationFile): boolean {
  return (
    a.previous === b.previous &&
    a.createdAt === b.createdAt &&
    sameHash(hashReaders(a.mintedFor), hashReaders(b.mintedFor))
  );
}

/** The base is of use for its list only; one that cannot be read tells nothing. */
function findBase(bytes: Uint8Array | undefined, { scope, id }: GenerationMerge): GenerationFile | undefined {
  if (bytes === undefined) return undefined;
  try {
    return readSide(sideNames.base, () => parseGenerationFile(bytes, scope, id));
  } catch (error) {
    if (error instanceof UnreadableSide) return undefined;
    throw error;
  }
}

function keep(scope: ScopePath, file: GenerationFile | undefined): MergedContent {
  return { kind: "merged", text: file === undefined ? undefined : printGenerationFile(scope, file) };
}

function sayReaders(readers: ReaderList): string {
  return [...readers]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, prints]) => (prints.length === 1 ? name : `${name} (${prints.length} keys)`))
    .join(", ");
}
