import type { Policy } from "../access/policy.ts";
import { hasCode } from "../errors.ts";
import { findMergeBases, type CommitGraph } from "../git/commit-graph.ts";
import { parseCommitObject, type CommitObject } from "../git/commit-object.ts";
import type { GitPlace } from "../git/place.ts";
import type { RawObjects } from "../git/raw-objects.ts";
import { policiesDirectory } from "../store/layout.ts";
import { findSigner } from "./commit-signer.ts";
import { openJudgedTrees } from "./judged-trees.ts";
import { listMergeNeeds } from "./merge-provenance.ts";
import { isMet, listNeeds, sayNeeds, type Need } from "./needed-rights.ts";
import { findPolicyRefusals } from "./policy-step.ts";
import type { Refusal } from "./refusal.ts";
import { createScopeContents } from "./scope-contents.ts";
import { createPolicyLookup, type TreePolicy } from "./tree-policies.ts";

/** What became of one commit. */
export interface CommitVerdict {
  readonly commit: string;
  /** First line of its message; empty when it cannot be read. */
  readonly subject: string;
  readonly refusals: readonly Refusal[];
  /** True when it leaves another access policy than one of its parents had. */
  readonly changesPolicy: boolean;
}

/** Judges commits of one graph. */
export interface CommitJudge {
  /** Judges a commit by `policy`, whatever other policies its history has. */
  judge(commit: string, policy: Policy): Promise<CommitVerdict>;
  /** The access policy of a commit. Throws E_OBJECT_INVALID. */
  policyOf(commit: string): Promise<TreePolicy>;
}

export interface JudgeOptions {
  readonly place: GitPlace;
  readonly objects: RawObjects;
  readonly graph: CommitGraph;
  /** Also commits that leave our files alone must be signed by a member; merges need not. */
  readonly all: boolean;
}

/** Commits that are kept: one is read for itself, and as the parent of others. */
const maxCached = 4000;

/** A judge that reads each commit and tree once while they stay in memory. */
export function createCommitJudge({ place, objects, graph, all }: JudgeOptions): CommitJudge {
  const trees = openJudgedTrees(objects);
  const contents = createScopeContents(trees);
  const policies = createPolicyLookup(trees);
  const read = createCommitCache(objects);
  const treeOf = async (commit: string) => (await read(commit)).tree;

  const judgeRead = async (
    id: string,
    commit: CommitObject,
    policy: Policy,
  ): Promise<Omit<CommitVerdict, "commit">> => {
    const { tree, parents, subject } = commit;
    const expected = graph.parents.get(id);
    if (expected !== undefined && expected.join() !== parents.join()) {
      return refused(subject, {
        rule: "malformed-object",
        message: "git takes it to have other parents than it says",
        hint: "remove what gives it others: git replace -l, and info/grafts in the git folder",
      });
    }
    const parentTrees = await Promise.all(parents.map(treeOf));
    const work = await listWork(id, tree, parents, parentTrees);
    if ("rule" in work) return refused(subject, work);
    const before = work.mayChangePolicy ? await Promise.all(parentTrees.map(policies)) : [];
    const after = once(async () => await policies(tree));
    const isOther = await Promise.all(before.map(async ({ key }) => key !== (await after()).key));
    const isOwnPolicy = isOther.length > 0 && isOther.every(Boolean);
    const joins = isOwnPolicy && parents.length > 1 ? [joinsPolicies] : [];
    const refusals = isOwnPolicy ? findPolicyRefusals(before, await after()) : [];
    const refusal = await authorise(commit, [...work.needs, ...joins], policy, after);
    return {
      subject,
      changesPolicy: isOther.some(Boolean),
      refusals: refusal === undefined ? refusals : [refusal, ...refusals],
    };
  };

  const listWork = async (
    id: string,
    tree: string,
    parents: readonly string[],
    parentTrees: readonly string[],
  ): Promise<Work | Refusal> => {
    const [first, second] = parentTrees;
    if (parentTrees.length === 2 && first !== undefined && second !== undefined) {
      const bases = async () => {
        const [a = "", b = ""] = parents;
        return await Promise.all((await findMergeBases(place, graph, a, b)).map(treeOf));
      };
      const needs = await listMergeNeeds(trees, contents, { merged: tree, sides: [first, second], bases });
      return { needs, mayChangePolicy: true };
    }
    if (parentTrees.length > 2) {
      const changes = await Promise.all(parentTrees.map((parent) => trees.listChanges(parent, tree)));
      return changes.every((list) => list.length === 0) ? { needs: [], mayChangePolicy: false } : octopus;
    }
    const changes = await trees.listChanges(first, tree);
    if (first === undefined && changes.length > 0) return rootCommit(id);
    const needs = (await Promise.all(changes.map((change) => listNeeds(contents, change)))).flat();
    return { needs, mayChangePolicy: changes.some(({ path }) => path.startsWith(`${policiesDirectory}/`)) };
  };

  const authorise = async (
    commit: CommitObject,
    needs: readonly Need[],
    policy: Policy,
    after: () => Promise<TreePolicy>,
  ): Promise<Refusal | undefined> => {
    const isMerge = commit.parents.length > 1;
    if (needs.length === 0 && (isMerge || !all)) return undefined;
    const never = needs.filter(({ anyOf }) => anyOf.length === 0);
    if (never.length > 0) {
      const hint = "leave it out; sealtree reads regular files only";
      return { rule: "odd-file", message: `it ${sayNeeds(never)}`, hint };
    }
    const own = async () => usablePolicy(await after());
    const signer = await findSigner(commit, { policy, own });
    if ("refusal" in signer) return isMerge ? evilMerge(needs, signer.refusal) : withNeeds(needs, signer.refusal);
    const { member } = signer;
    const missing = needs.filter((need) => !isMet(policy, member, need));
    if (missing.length === 0) return undefined;
    return explainMissing(member.name, missing, policy, await own());
  };

  return {
    async judge(commit, policy) {
      try {
        return { commit, ...(await judgeRead(commit, await read(commit), policy)) };
      } catch (error) {
        if (!hasCode(error, "E_OBJECT_INVALID")) throw error;
        const hint = error.hints[0] ?? "";
        return { commit, ...refused("", { rule: "malformed-object", message: error.message, hint }) };
      }
    },
    policyOf: async (commit) => await policies(await treeOf(commit)),
  };
}

/** What a commit does by itself. */
interface Work {
  readonly needs: readonly Need[];
  readonly mayChangePolicy: boolean;
}

const joinsPolicies: Need = { what: "joins two policies", anyOf: ["admin"], scope: undefined };
const adminSigns =
  "an admin looks at what the two policies come to, and signs the merge: git commit --amend --no-edit -S";

function usablePolicy({ policy, error }: TreePolicy): Policy | undefined {
  return error === undefined ? policy : undefined;
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}

function createCommitCache(objects: RawObjects): (id: string) => Promise<CommitObject> {
  const known = new Map<string, Promise<CommitObject>>();
  return async (id) => {
    const found = known.get(id);
    if (found !== undefined) return await found;
    if (known.size >= maxCached) known.clear();
    const commit = objects.read(id, "commit").then((bytes) => parseCommitObject(bytes, id.length));
    known.set(id, commit);
    return await commit;
  };
}

/** A commit that cannot be judged is taken to change the policy: what follows goes by the one before. */
function refused(subject: string, ...refusals: Refusal[]): Omit<CommitVerdict, "commit"> {
  return { subject, refusals, changesPolicy: true };
}

const octopus: Refusal = {
  rule: "octopus",
  message: "it merges more than two sides, which differ in files of ours",
  hint: "merge one branch after the other",
};

function rootCommit(id: string): Refusal {
  const hint = `a member looks at it and commits its files again; or pins a later commit: sealtree verify --pin ${id.slice(0, 12)}`;
  return { rule: "root-commit", message: "it begins a history of its own that has files of ours", hint };
}

function withNeeds(needs: readonly Need[], refusal: Refusal): Refusal {
  return needs.length === 0 ? refusal : { ...refusal, message: `it ${sayNeeds(needs)}, and ${refusal.message}` };
}

function evilMerge(needs: readonly Need[], { rule, message }: Refusal): Refusal {
  return {
    rule: "evil-merge",
    message: `the merge ${sayNeeds(needs)}, which is on neither side, and no signature of a member covers it (${rule}: ${message})`,
    hint: needs.includes(joinsPolicies)
      ? adminSigns
      : "merge again without it; who must settle a conflict signs the merge: git merge -S",
  };
}

function explainMissing(name: string, missing: readonly Need[], policy: Policy, own: Policy | undefined): Refusal {
  const takes = [
    ...new Set(missing.map(({ anyOf, scope }) => `${anyOf.join(" or ")}${scope === undefined ? "" : ` in ${scope}`}`)),
  ];
  const list = takes.length > 3 ? `${takes.slice(0, 3).join(", ")} and more` : takes.join(", ");
  const message = `it ${sayNeeds(missing)}, and ${name} lacks the right: ${list}`;
  const then = own?.members.get(name);
  const isAllowedThere = own !== undefined && then !== undefined && missing.every((need) => isMet(own, then, need));
  if (!isAllowedThere || own.version === policy.version) {
    const hint = missing.includes(joinsPolicies)
      ? adminSigns
      : "who may do it makes the commit; sealtree access of NAME says who";
    return { rule: "not-allowed", message, hint };
  }
  if (own.version < policy.version) {
    const hint = "a member who may do it makes the change again on the present branch";
    return { rule: "stale-branch", message: `${message}, since the branch was cut`, hint };
  }
  const hint = "merge the change of the policy first; what it allows counts from the next merge on";
  return { rule: "policy-self-authorised", message: `${message}, but by a policy under judgement`, hint };
}
