import { listReaders, toReaderList } from "../access/permission.ts";
import { loadPolicy, type Policy } from "../access/policy.ts";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import { openObjects, type ObjectReader } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import { listUnmerged, type UnmergedFile } from "../git/unmerged.ts";
import type { ScopePath } from "../secret/address.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { generationPath, parseSecretsPath, rotationPolicyPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { findMergedKind, mergeContent } from "./merge-content.ts";
import { mergeScopeFile, sayConflict } from "./merge-scope-file.ts";
import { UnreadableSide, type FileSides, type Side } from "./merged-content.ts";
import { describeEntry, newestSide, readHandWork, readSides, type ConflictValue } from "./open-conflicts.ts";
import { findTakenBack } from "./taken-back.ts";

/** Something that nobody but a person can settle. */
export interface OpenConflict {
  readonly path: string;
  /** A secret, an entry of a policy, or the path for the file as a whole. */
  readonly name: string;
  /** Set for a secret. */
  readonly scope: ScopePath | undefined;
  /** Follows the name in a sentence. */
  readonly what: string;
  /** Of a secret; undefined for a side that removed it. */
  readonly ours: ConflictValue | undefined;
  readonly theirs: ConflictValue | undefined;
  /** False where no side is right: the file must be edited. */
  readonly isChoice: boolean;
}

/** What becomes of a file that git left in conflict. */
export interface FileResolution {
  readonly path: string;
  /** Empty when it merges, with what was chosen. */
  readonly open: readonly OpenConflict[];
  /** True for a file that somebody settled by hand, and that is left alone. */
  readonly isEdited: boolean;
  /** Settled by a choice. */
  readonly chosen: readonly string[];
  readonly changes: readonly FileChange[];
}

/** A side to take of something in conflict. */
export interface Choice {
  readonly side: Side | "newest";
  /** True when it holds also for a secret that was settled by hand. */
  readonly isExplicit: boolean;
}

/** Which side to take of `name` in the file at `path`; undefined leaves it open. */
export type Choose = (path: string, name: string) => Choice | undefined;

/**
 * Merges again what git left in conflict, from the versions in its index: without a key, and by
 * what the files say, so that only what both sides changed is left open. What somebody settled
 * in a scope file by hand stays settled. Policies come first, since they say whom a keyring is
 * for. Writes nothing. Files of others are passed over.
 */
export async function planResolution(place: GitPlace, tree: Tree, choose: Choose): Promise<FileResolution[]> {
  const unmerged = (await listUnmerged(place)).filter(({ path }) => findMergedKind(path) !== undefined);
  const objects = openObjects(place);
  try {
    const found: FileResolution[] = [];
    const policies = unmerged.filter(({ path }) => parseSecretsPath(path) === undefined);
    for (const file of policies) found.push(await resolveFile({ tree, objects, choose }, file, undefined));
    const access = found.filter(({ path }) => path !== rotationPolicyPath);
    const policy = access.every(isDone) ? await findMergedPolicy(tree, access) : undefined;
    for (const file of unmerged) {
      if (policies.includes(file)) continue;
      const isScope = parseSecretsPath(file.path)?.kind === "scope";
      const help = { tree, objects, choose };
      found.push(isScope ? await resolveScope(place, help, file) : await resolveFile(help, file, policy));
    }
    return found;
  } finally {
    objects.close();
  }
}

/** True for a file that is settled once its changes are written. */
export function isDone({ open, isEdited }: FileResolution): boolean {
  return open.length === 0 && !isEdited;
}

interface Help {
  readonly tree: Tree;
  readonly objects: ObjectReader;
  readonly choose: Choose;
}

async function resolveScope(place: GitPlace, help: Help, file: UnmergedFile): Promise<FileResolution> {
  const { path } = file;
  const parsed = parseSecretsPath(path);
  if (parsed?.kind !== "scope") throw new Error("no scope file");
  const { scope } = parsed;
  const sides = await readSides(help.objects, file);
  const handWork = readHandWork(scope, await readQuietly(help.tree, path), sides);
  const chosen: string[] = [];
  try {
    const merged = mergeScopeFile(scope, sides, {
      added: handWork.added,
      decide(conflict) {
        const choice = help.choose(path, conflict.name);
        const settled = choice?.isExplicit === true ? undefined : handWork.decide(conflict);
        if (settled !== undefined) return settled;
        const side = choice?.side === "newest" ? newestSide(conflict) : choice?.side;
        if (side !== undefined) chosen.push(conflict.name);
        return side;
      },
    });
    const open = merged.conflicts.map((conflict) => ({
      path,
      name: conflict.name,
      scope,
      what: sayConflict(conflict),
      ours: describeEntry(conflict.ours),
      theirs: describeEntry(conflict.theirs),
      isChoice: true,
    }));
    const isGone =
      merged.entries.size === 0 && open.length === 0 && (file.ours === undefined || file.theirs === undefined);
    const kept = await keepGenerations(place, help.tree, scope, {
      base: merged.base,
      theirs: merged.theirs,
      merged: merged.entries,
    });
    const changes = [...kept, { path, bytes: isGone ? undefined : merged.text }];
    return { path, open, isEdited: false, chosen, changes };
  } catch (error) {
    if (!(error instanceof UnreadableSide)) throw error;
    return await resolveWhole(help, { path, sides, why: error.message });
  }
}

/** Everything but a scope file. */
async function resolveFile(help: Help, file: UnmergedFile, policy: Policy | undefined): Promise<FileResolution> {
  const { path } = file;
  const sides = await readSides(help.objects, file);
  const chosen: string[] = [];
  const content = await mergeContent(path, sides, {
    choose(name) {
      const side = help.choose(path, name)?.side;
      if (side === undefined || side === "newest") return undefined;
      chosen.push(name);
      return side;
    },
    readersOf: (scope) => (policy === undefined ? undefined : toReaderList(listReaders(policy, scope))),
  });
  if (content.kind === "unmerged") return await resolveWhole(help, { path, sides, why: content.why });
  const changes = [{ path, bytes: content.text }];
  if (content.kind === "merged") return { path, open: [], isEdited: false, chosen, changes };
  const open = content.clashes.map(({ name, what, hasMarkers }) => ({
    ...wholeFile(path),
    name,
    what,
    isChoice: hasMarkers,
  }));
  if (chosen.length === 0 && (await isSettledByHand(help.tree, path, [content.text, sides.ours, sides.theirs])))
    return { path, open: [], isEdited: true, chosen, changes: [] };
  return { path, open, isEdited: false, chosen, changes };
}

/** A file of which one version is kept as it is. Throws what {@link checkVersion} throws. */
async function resolveWhole(
  { choose, tree }: Help,
  { path, sides, why }: { readonly path: string; readonly sides: FileSides; readonly why: string },
): Promise<FileResolution> {
  const side = choose(path, path)?.side;
  if (side === "ours" || side === "theirs") {
    const bytes = sides[side];
    await checkVersion(path, side, bytes);
    return { path, open: [], isEdited: false, chosen: [path], changes: [{ path, bytes }] };
  }
  if (await isSettledByHand(tree, path, [sides.ours, sides.theirs]))
    return { path, open: [], isEdited: true, chosen: [], changes: [] };
  return { path, open: [{ ...wholeFile(path), what: why }], isEdited: false, chosen: [], changes: [] };
}

/** Throws E_INPUT_INVALID for a version that is not what it should be: a plaintext one must not be kept. */
async function checkVersion(path: string, side: Side, bytes: Uint8Array | undefined): Promise<void> {
  const parsed = parseSecretsPath(path);
  if (bytes === undefined || parsed?.kind === "journal") return;
  const same: FileSides = { base: bytes, ours: bytes, theirs: bytes };
  try {
    if (parsed?.kind === "scope") mergeScopeFile(parsed.scope, same);
    else {
      const content = await mergeContent(path, same);
      if (content.kind === "unmerged") throw new UnreadableSide(content.why);
    }
  } catch (error) {
    if (!(error instanceof UnreadableSide)) throw error;
    throw new SealtreeError(
      "E_INPUT_INVALID",
      `${side === "ours" ? "ours" : "theirs"} cannot be kept: ${error.message}`,
      {
        file: path,
        hints: ["take the other side, or repair the file on its own branch and merge again"],
      },
    );
  }
}

function wholeFile(path: string): Omit<OpenConflict, "what"> {
  return { path, name: path, scope: undefined, ours: undefined, theirs: undefined, isChoice: true };
}

/** True for a file without conflict markers that is none of what a merge left there. */
async function isSettledByHand(
  tree: Tree,
  path: string,
  left: readonly (Uint8Array | string | undefined)[],
): Promise<boolean> {
  const bytes = await readQuietly(tree, path);
  const text = bytes === undefined ? undefined : decodeUtf8(bytes);
  if (bytes === undefined || text === undefined || /^(?:<{7}|>{7}) /m.test(text)) return false;
  return left.every((other) => other === undefined || Buffer.compare(Buffer.from(other), bytes) !== 0);
}

/** Generation files that git took away and the merge still needs, as HEAD has them. */
async function keepGenerations(
  place: GitPlace,
  tree: Tree,
  scope: ScopePath,
  sides: Parameters<typeof findTakenBack>[2],
): Promise<FileChange[]> {
  const head = await findHead(place);
  if (head === undefined) return [];
  const before = await openCommitTree(place, head);
  try {
    const changes: FileChange[] = [];
    for (const { generation } of await findTakenBack(before, scope, sides)) {
      const path = generationPath(scope, generation);
      const bytes = await before.read(path);
      if (bytes !== undefined && (await tree.read(path)) === undefined) changes.push({ path, bytes });
    }
    return changes;
  } finally {
    before.close();
  }
}

/** The policy as it will be; undefined while it is not right. */
async function findMergedPolicy(tree: Tree, resolved: readonly FileResolution[]): Promise<Policy | undefined> {
  const written = new Map(resolved.flatMap(({ changes }) => changes).map(({ path, bytes }) => [path, bytes]));
  const read = async (path: string) => {
    const bytes = written.get(path);
    return written.has(path) ? (bytes === undefined ? undefined : Buffer.from(bytes)) : await tree.read(path);
  };
  const list = async (directory: string) => {
    const paths = new Set([...(await tree.list(directory)), ...written.keys()]);
    return [...paths].filter(
      (path) => path.startsWith(`${directory}/`) && (!written.has(path) || written.get(path) !== undefined),
    );
  };
  try {
    return await loadPolicy({ label: "the merged policy", read, list });
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** What stands in the work tree; undefined for what is no file that can be read. */
async function readQuietly(tree: Tree, path: string): Promise<Uint8Array | undefined> {
  try {
    return await tree.read(path);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
