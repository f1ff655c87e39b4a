import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";

/** The commits of a range and their parents. */
export interface CommitGraph {
  /** Commit to its parents, first parent first; children before parents. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  /** Position in `parents`: a child's is smaller than its parents'. */
  readonly order: ReadonlyMap<string, number>;
}

/** What makes git read the graph from the commits themselves. */
const plain = ["-c", "core.commitGraph=false"];

/**
 * The commits that `tip` reaches and `base` does not, whatever dates they claim: git's own walk goes
 * by dates, and lists too many where those are wrong. Both are full ids. Throws E_GIT_FAILED.
 */
export async function loadCommitGraph(place: GitPlace, base: string, tip: string): Promise<CommitGraph> {
  const output = await git(place, [...plain, "rev-list", "--parents", "--topo-order", tip, `^${base}`, "--"]);
  const listed = new Map(
    splitLines(output).map((line) => {
      const [commit = "", ...ids] = line.split(" ");
      return [commit, ids] as const;
    }),
  );
  const parents = (await hasTooMany(place, base, listed)) ? await withoutAncestors(place, base, listed) : listed;
  return { parents, order: new Map([...parents.keys()].map((commit, index) => [commit, index])) };
}

/** So many are asked for one by one, before all of the history is listed. */
const maxAsked = 16;

/** Of what is listed and before `base`, the oldest has parents that are not listed. */
async function hasTooMany(place: GitPlace, base: string, listed: CommitGraph["parents"]): Promise<boolean> {
  const oldest = [...listed].filter(([, ids]) => ids.length === 0 || ids.some((id) => id !== base && !listed.has(id)));
  if (oldest.length > maxAsked) return true;
  const answers = await Promise.all(oldest.map(async ([commit]) => await isAncestor(place, commit, base)));
  return answers.some(Boolean);
}

async function withoutAncestors(place: GitPlace, base: string, listed: CommitGraph["parents"]) {
  const before = new Set(splitLines(await git(place, [...plain, "rev-list", base, "--"])));
  return new Map([...listed].filter(([commit]) => !before.has(commit)));
}

/** The commits from `tip` along first parents that `base` does not reach, newest first. Both are full ids. */
export async function listFirstParents(place: GitPlace, base: string, tip: string): Promise<string[]> {
  const output = await git(place, [...plain, "rev-list", "--first-parent", tip, `^${base}`, "--"]);
  return splitLines(output);
}

/** True when `ancestor` is `commit` or before it. Both are full ids. */
export async function isAncestor(place: GitPlace, ancestor: string, commit: string): Promise<boolean> {
  const args = [...plain, "merge-base", "--is-ancestor", ancestor, commit];
  return (await tryGit(place, args, { allowExit: [1] })) !== undefined;
}

/**
 * All best common ancestors of two commits, as `git merge-base --all` gives them. Those within the
 * graph are found without git; it is asked when the histories part before it.
 */
export async function findMergeBases(place: GitPlace, graph: CommitGraph, a: string, b: string): Promise<string[]> {
  return findNearBases(graph, a, b) ?? (await listMergeBases(place, a, b));
}

/**
 * All best common ancestors of two commits; empty when this clone has none. Who compares two
 * histories by one of several would not see what a merge takes from the others. Both are full ids.
 */
export async function listMergeBases(place: GitPlace, a: string, b: string): Promise<string[]> {
  const output = await tryGit(place, [...plain, "merge-base", "--all", a, b], { allowExit: [1] });
  return splitLines(output ?? "");
}

const [ofA, ofB, isPast] = [1, 2, 4];

/**
 * Walks down from both, children before parents. A commit that both reach is a base, and all that
 * is before a base is past. Undefined when the walk leaves the graph with something still open.
 */
function findNearBases({ parents, order }: CommitGraph, a: string, b: string): string[] | undefined {
  const flags = new Map([[a, ofA]]);
  flags.set(b, (flags.get(b) ?? 0) | ofB);
  const bases: string[] = [];
  for (;;) {
    const open = [...flags].filter(([, flag]) => (flag & isPast) === 0);
    if (open.length === 0) break;
    if (open.some(([commit]) => !order.has(commit))) return undefined;
    const next = [...flags.keys()].reduce((x, y) => ((order.get(x) ?? Infinity) <= (order.get(y) ?? Infinity) ? x : y));
    let flag = flags.get(next) ?? 0;
    flags.delete(next);
    if (flag === (ofA | ofB)) {
      bases.push(next);
      flag |= isPast;
    }
    for (const parent of parents.get(next) ?? []) flags.set(parent, (flags.get(parent) ?? 0) | flag);
  }
  return bases;
}

function splitLines(output: string): string[] {
  return output.split("\n").filter((line) => line !== "");
}
