import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { ObjectReader } from "../git/objects.ts";
import type { UnmergedFile, UnmergedStage } from "../git/unmerged.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { parseScopeFile, type ScopeEntries, type ScopeEntry } from "../store/scope-file.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { splitConflicts } from "./conflict-text.ts";
import type { MergeConflict } from "./merge-scope.ts";
import type { DecideConflict } from "./merge-scope-file.ts";
import type { FileSides } from "./merged-content.ts";

/** What can be said of a secret on one side without a key. */
export interface ConflictValue {
  readonly valueId: string;
  /** When it was set, in seconds since 1970. */
  readonly setAt: number;
  readonly isDrop: boolean;
}

/** What a side has of a secret; undefined for one that it removed, or that is too broken to say. */
export function describeEntry(entry: ScopeEntry | undefined): ConflictValue | undefined {
  if (entry === undefined) return undefined;
  try {
    const { valueId, createdAt } = readSealedHeader(entry.record);
    return { valueId, setAt: createdAt, isDrop: isDrop(entry.record) };
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** The side whose value was set later; undefined where one has none, and where both were set in one second. */
export function newestSide({ ours, theirs }: MergeConflict): "ours" | "theirs" | undefined {
  const [mine, yours] = [describeEntry(ours)?.setAt, describeEntry(theirs)?.setAt];
  if (mine === undefined || yours === undefined || mine === yours) return undefined;
  return mine > yours ? "ours" : "theirs";
}

/** The three versions of a file in conflict. Links and submodules count as not there. */
export async function readSides(objects: ObjectReader, file: UnmergedFile): Promise<FileSides> {
  const read = async (stage: UnmergedStage | undefined) =>
    stage?.mode.startsWith("100") === true ? await objects.readBlob(stage.id, maxTreeFileBytes) : undefined;
  return { base: await read(file.base), ours: await read(file.ours), theirs: await read(file.theirs) };
}

/** What somebody did by hand with a scope file in conflict. */
export interface HandWork {
  readonly decide: DecideConflict;
  /** Records that no version has: they were set since. */
  readonly added: ScopeEntries;
}

const nothing: HandWork = { decide: () => undefined, added: new Map() };

/**
 * What the file in the work tree has settled already: a secret in conflict that stands outside the
 * conflict markers, or nowhere where one side removed it. A file that is one of the versions as
 * it was says nothing, and neither does one that cannot be read.
 */
export function readHandWork(scope: ScopePath, bytes: Uint8Array | undefined, sides: FileSides): HandWork {
  const text = bytes === undefined ? undefined : decodeUtf8(bytes);
  if (bytes === undefined || text === undefined) return nothing;
  if ([sides.ours, sides.theirs].some((side) => side !== undefined && Buffer.compare(side, bytes) === 0))
    return nothing;
  const split = splitConflicts(text);
  const own = findEntries(scope, split.text);
  if (own === undefined) return nothing;
  const known = [sides.base, sides.ours, sides.theirs].map((side) =>
    findEntries(scope, decodeUtf8(side ?? Buffer.alloc(0))),
  );
  const isKnown = (name: SecretName, { record }: ScopeEntry) =>
    known.some((side) => side?.get(name)?.record === record);
  return {
    decide({ name, ours, theirs }) {
      if (split.disputed.has(name)) return undefined;
      const entry = own.get(name);
      if (entry !== undefined) return { entry };
      if (ours === undefined) return "ours";
      return theirs === undefined ? "theirs" : undefined;
    },
    added: new Map([...own].filter(([name, entry]) => !isKnown(name, entry))),
  };
}

function findEntries(scope: ScopePath, text: string | undefined): ScopeEntries | undefined {
  try {
    return text === undefined ? undefined : parseScopeFile(Buffer.from(text), scope);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
