import type { Policy } from "../access/policy.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import { loadCommitGraph, type CommitGraph } from "../git/commit-graph.ts";
import type { GitPlace } from "../git/place.ts";
import { openRawObjects } from "../git/raw-objects.ts";
import { policyError } from "../store/finding.ts";
import { accessPolicyPath } from "../store/layout.ts";
import { createCommitJudge, type CommitJudge, type CommitVerdict } from "./judge-commit.ts";
import { severityOf, type Refusal } from "./refusal.ts";

export interface HistoryRequest {
  /** Full id of the commit that is trusted: its tree, and what it says of who may write. */
  readonly from: string;
  /** Full id of the last commit to judge. */
  readonly to: string;
  /**
   * `one step` judges every commit by the policy of `from`, as a merge into it would be; `steps`
   * goes along first parents, each judged by the policy before it.
   */
  readonly way: "steps" | "one step";
  /** Commits that leave our files alone must be signed too. */
  readonly all: boolean;
  /** Every refusal is an error, also where the policy does not ask for signatures. */
  readonly strict: boolean;
  onProgress?(done: number, total: number): void;
}

export interface VerifyFinding extends Refusal {
  /** Full id; undefined for what holds for the clone as a whole. */
  readonly commit: string | undefined;
  /** First line of the commit's message; empty for none. */
  readonly subject: string;
  readonly severity: "error" | "warning";
}

export interface Verification {
  /** In the order in which the commits came in. */
  readonly findings: readonly VerifyFinding[];
  readonly commits: number;
  /** Commits along first parents, oldest first, up to the first with a finding: each is the end of a verified step. */
  readonly verified: readonly string[];
  /** What the policy of `from` asks for. */
  readonly signing: Policy["signing"];
}

/** A commit along first parents, and all that comes in with it, itself included. */
interface Step {
  readonly before: string;
  readonly after: string;
  readonly commits: readonly string[];
}

interface StepResult {
  readonly findings: readonly VerifyFinding[];
  /** True when a refused commit changed the policy: nobody authorised what it grants. */
  readonly isTainted: boolean;
}

/** Commits that are judged at once: enough to keep git busy, few enough for memory. */
const batchSize = 256;

/**
 * Judges every commit that `to` reaches and `from` does not, by the policy before the step that
 * brought it in (docs/signed-history.md). Dates count for nothing. After a refused change of the
 * policy the last policy that was authorised goes on to count. Throws E_NOT_INITIALISED and
 * E_POLICY_INVALID when `from` has no policy to judge by, E_OBJECT_INVALID, E_GIT_FAILED.
 */
export async function verifyHistory(place: GitPlace, request: HistoryRequest): Promise<Verification> {
  const { from, to } = request;
  const graph = await loadCommitGraph(place, from, to);
  const objects = openRawObjects(place);
  try {
    const judge = createCommitJudge({ place, objects, graph, all: request.all });
    const first = requirePolicy(from, await judge.policyOf(from));
    const steps = request.way === "steps" ? splitSteps(graph, from, to) : [wholeStep(graph, from, to)];
    const walk = { ...request, judge, total: graph.parents.size };
    const { findings, verified } = await judgeSteps(walk, steps, first);
    return { findings, commits: graph.parents.size, verified, signing: first.signing };
  } finally {
    objects.close();
  }
}

/** The usable policy of a commit that is trusted. Throws E_NOT_INITIALISED, E_POLICY_INVALID. */
function requirePolicy(commit: string, { policy, error }: Awaited<ReturnType<CommitJudge["policyOf"]>>): Policy {
  if (error !== undefined) throw policyError(error, []);
  if (policy !== undefined) return policy;
  throw new SealtreeError(
    "E_NOT_INITIALISED",
    `no ${accessPolicyPath} in ${commit.slice(0, 12)}, so nobody could write`,
    {
      hints: ["verify from a later commit, which has one"],
    },
  );
}

/** Steps along first parents, oldest first; one step when they do not lead to `from`. */
function splitSteps(graph: CommitGraph, from: string, to: string): Step[] {
  const chain: string[] = [];
  let commit: string | undefined = to;
  for (; commit !== undefined && graph.parents.has(commit); commit = graph.parents.get(commit)?.[0]) chain.push(commit);
  if (commit !== from) return [wholeStep(graph, from, to)];
  const taken = new Set<string>();
  let before = from;
  return chain.reverse().map((after) => {
    const step = { before, after, commits: takeNew(graph, after, taken) };
    before = after;
    return step;
  });
}

/** The commits that `tip` brings in besides those that are taken, parents before children. */
function takeNew({ parents, order }: CommitGraph, tip: string, taken: Set<string>): string[] {
  const found: string[] = [];
  const open = [tip];
  for (let commit = open.pop(); commit !== undefined; commit = open.pop()) {
    if (taken.has(commit) || !parents.has(commit)) continue;
    taken.add(commit);
    found.push(commit);
    open.push(...(parents.get(commit) ?? []));
  }
  return found.sort((a, b) => (order.get(b) ?? 0) - (order.get(a) ?? 0));
}

function wholeStep(graph: CommitGraph, from: string, to: string): Step {
  return { before: from, after: to, commits: [...graph.parents.keys()].reverse() };
}

interface Walk extends HistoryRequest {
  readonly judge: CommitJudge;
  readonly total: number;
}

async function judgeSteps(walk: Walk, steps: readonly Step[], first: Policy) {
  const findings: VerifyFinding[] = [];
  const verified: string[] = [];
  /** Counts in the place of later policies once one of them was refused. */
  let held: Policy | undefined;
  let last = first;
  let done = 0;
  for (let index = 0; index < steps.length;) {
    const batch = takeBatch(steps, index);
    const policies: Policy[] = [];
    for (const { before } of batch) {
      last = held ?? (before === walk.from ? first : ((await findPolicyOf(walk.judge, before)) ?? last));
      policies.push(last);
    }
    const results = await Promise.all(
      batch.map(async (step, at) => await judgeStep(walk, step, policies[at] ?? first)),
    );
    const tainted = results.findIndex(({ isTainted }) => isTainted && held === undefined);
    const kept = tainted < 0 ? results : results.slice(0, tainted + 1);
    for (const [at, result] of kept.entries()) {
      findings.push(...result.findings);
      if (findings.length === 0) verified.push(batch[at]?.after ?? "");
      done += batch[at]?.commits.length ?? 0;
    }
    if (tainted >= 0) held = policies[tainted];
    index += kept.length;
    walk.onProgress?.(done, walk.total);
  }
  return { findings, verified };
}

/** Undefined for a commit that cannot be read or whose policy cannot be used; it is refused when it is judged. */
async function findPolicyOf(judge: CommitJudge, commit: string): Promise<Policy | undefined> {
  try {
    const { policy, error } = await judge.policyOf(commit);
    return error === undefined ? policy : undefined;
  } catch (error) {
    if (hasCode(error, "E_OBJECT_INVALID")) return undefined;
    throw error;
  }
}

function takeBatch(steps: readonly Step[], start: number): readonly Step[] {
  let end = start;
  for (let size = 0; end < steps.length && (end === start || size < batchSize); end++) {
    size += steps[end]?.commits.length ?? 0;
  }
  return steps.slice(start, end);
}

async function judgeStep(walk: Walk, { commits }: Step, policy: Policy): Promise<StepResult> {
  const verdicts: CommitVerdict[] = [];
  for (let start = 0; start < commits.length; start += batchSize) {
    const batch = commits.slice(start, start + batchSize);
    verdicts.push(...(await Promise.all(batch.map(async (commit) => await walk.judge.judge(commit, policy)))));
  }
  const signing = walk.strict ? "require" : policy.signing;
  const findings = verdicts.flatMap(({ commit, subject, refusals }) =>
    refusals.map((refusal) => ({ ...refusal, commit, subject, severity: severityOf(refusal.rule, signing) })),
  );
  const errors = new Set(findings.filter(({ severity }) => severity === "error").map(({ commit }) => commit));
  return { findings, isTainted: verdicts.some(({ commit, changesPolicy }) => changesPolicy && errors.has(commit)) };
}
