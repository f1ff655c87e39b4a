import { setTimeout as sleep } from "node:timers/promises";
import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "./place.ts";
import { git, runGit, tryGit, withoutUserInfo } from "./run.ts";

/** A branch as a remote has it. */
export interface RemoteBranch {
  /** Such as `origin`. */
  readonly remote: string;
  /** Such as `main`. */
  readonly branch: string;
}

/** What became of a push. `raced`: somebody was faster; `refused`: a rule there forbids it. */
export type PushOutcome =
  | { readonly kind: "pushed" }
  | { readonly kind: "raced" }
  | { readonly kind: "refused"; readonly why: string }
  /** No answer came, so it may have been taken or not. */
  | { readonly kind: "unknown" };

/** A ref to move, and what it must be now: a commit, or undefined where it must not be there. */
export interface RefUpdate {
  readonly ref: string;
  readonly commit: string;
  /** Undefined lets any fast-forward through. */
  readonly expected?: { readonly commit: string | undefined };
}

const silenceMs = 60_000;

/** With an empty map a fetch does not move remote-tracking refs on the way. */
const quietFetch = [
  "--refmap=",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-recurse-submodules",
  "--no-auto-maintenance",
  "--quiet",
];

/**
 * Where the present branch is pushed to: its upstream, else the only remote that there is, with
 * a branch of the same name. Throws E_NO_REMOTE.
 */
export async function findRemoteBranch(place: GitPlace): Promise<RemoteBranch> {
  const head = (await tryGit(place, ["symbolic-ref", "--quiet", "--short", "HEAD"], { allowExit: [1, 128] }))?.trim();
  if (head === undefined)
    throw noRemote("HEAD is at a commit and on no branch", ["git switch main, or the branch that is rotated on"]);
  const read = async (key: string) =>
    (await tryGit(place, ["config", "--get", `branch.${head}.${key}`], { allowExit: [1] }))?.trim();
  const [remote, merge] = [await read("remote"), await read("merge")];
  if (remote !== undefined && remote !== "." && merge?.startsWith("refs/heads/") === true)
    return { remote, branch: merge.slice("refs/heads/".length) };
  const remotes = (await git(place, ["remote"])).split("\n").filter(Boolean);
  const [only] = remotes;
  if (only !== undefined && remotes.length === 1) return { remote: only, branch: head };
  throw noRemote(remotes.length === 0 ? "there is no remote" : `no upstream is set for ${head}`, [
    `git push --set-upstream ${only ?? "origin"} ${head}`,
    "what is rotated at a provider must be kept where it outlives this machine",
  ]);
}

/** True for what git takes as the name of a branch, and no option or shorthand. */
export async function isBranchName(place: GitPlace, name: string): Promise<boolean> {
  if (name.startsWith("-") || name.includes("@{")) return false;
  return (await tryGit(place, ["check-ref-format", `refs/heads/${name}`], { allowExit: [1] })) !== undefined;
}

/**
 * Fetches refs of a remote: ref there to commit, without those that are not there. Moves no branch
 * and no remote-tracking ref. Throws E_NETWORK when the remote cannot be asked.
 */
export async function fetchRefs(
  place: GitPlace,
  remote: string,
  refs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const listed = await ask(place, ["ls-remote", "--refs", "--quiet", "--", remote, ...refs]);
  const found = new Map(
    listed.split("\n").flatMap((line) => {
      const [id = "", ref = ""] = line.split("\t");
      return refs.includes(ref) && /^[0-9a-f]{40,64}$/.test(id) ? [[ref, id] as const] : [];
    }),
  );
  const here = await Promise.all([...new Set(found.values())].map((id) => hasCommit(place, id)));
  if (here.every(Boolean)) return found;
  // All of them, so that they are of one moment: they may have moved since they were listed.
  const wanted = [...found.keys()].map((ref) => `+${ref}:${fetchedRef(ref)}`);
  await ask(place, ["fetch", ...quietFetch, "--", remote, ...wanted]);
  for (const ref of found.keys())
    found.set(ref, (await git(place, ["rev-parse", "--verify", `${fetchedRef(ref)}^{commit}`])).trim());
  return found;
}

/** Whether `ancestor` is in the history of `commit`. Fetches the rest of a shallow history when that is needed to tell. */
export async function isInHistory(place: GitPlace, remote: string, ancestor: string, commit: string): Promise<boolean> {
  const isThere = async () =>
    (await tryGit(place, ["merge-base", "--is-ancestor", ancestor, commit], { allowExit: [1, 128] })) !== undefined;
  if (ancestor === commit || (await isThere())) return true;
  return (await fetchHistory(place, remote, commit)) && (await isThere());
}

/** Fetches the rest of a shallow history; false where nothing was left out. Throws E_NETWORK. */
export async function fetchHistory(place: GitPlace, remote: string, commit: string): Promise<boolean> {
  if ((await git(place, ["rev-parse", "--is-shallow-repository"])).trim() !== "true") return false;
  await ask(place, ["fetch", "--unshallow", ...quietFetch, "--", remote, commit]);
  return true;
}

/**
 * Pushes all of `updates` or none, never with force: what is not a fast-forward is `raced`. The
 * user's pre-push hook does not run. With `isDryRun` the remote is asked and nothing moves.
 */
export async function pushRefs(
  place: GitPlace,
  remote: string,
  updates: readonly RefUpdate[],
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): Promise<PushOutcome> {
  const leases = updates.flatMap(({ ref, expected }) =>
    expected === undefined ? [] : [`--force-with-lease=${ref}:${expected.commit ?? ""}`],
  );
  const args = ["push", "--porcelain", "--atomic", "--no-verify", "--no-follow-tags", ...leases];
  const specs = updates.map(({ ref, commit }) => `${commit}:${ref}`);
  const dry = isDryRun ? ["--dry-run"] : [];
  const { exitCode, stdout, stderr } = await runGit(place, [...args, ...dry, "--", remote, ...specs], {
    silenceMs,
  }).catch(() => ({ exitCode: 128, stdout: "", stderr: "" }));
  if (exitCode === 0) return { kind: "pushed" };
  const reasons = stdout.split("\n").filter((line) => line.startsWith("!\t"));
  if (reasons.length === 0)
    return isRefusedAtOnce(stderr) ? { kind: "refused", why: firstLine(stderr) } : { kind: "unknown" };
  const races =
    /fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|incorrect old value|reference already exists/;
  const own = reasons.filter((line) => !/atomic (?:push|transaction) failed/.test(line));
  if (own.length === 0 || own.some((line) => races.test(line))) return { kind: "raced" };
  return { kind: "refused", why: firstLine(own[0]?.split("\t")[2] ?? "") };
}

/** Where a fetched ref is kept, out of the way of the user's own. */
function fetchedRef(ref: string): string {
  return `refs/sealtree/fetched/${ref.replace(/^refs\//, "")}`;
}

async function hasCommit(place: GitPlace, id: string): Promise<boolean> {
  return (await tryGit(place, ["cat-file", "-e", `${id}^{commit}`], { allowExit: [1, 128] })) !== undefined;
}

async function ask(place: GitPlace, args: readonly string[], attempts = 5): Promise<string> {
  const { exitCode, stdout, stderr } = await runGit(place, args, { silenceMs });
  if (exitCode === 0) return stdout;
  // Another process fetches into this clone, too.
  if (attempts > 1 && /cannot lock ref|\.lock': File exists/.test(stderr)) {
    await sleep(20 + Math.random() * 80);
    return await ask(place, args, attempts - 1);
  }
  throw new SealtreeError("E_NETWORK", `git ${args[0] ?? ""} from the remote failed: ${firstLine(stderr)}`, {
    hints: ["git fetch shows what is wrong; then run the command again"],
  });
}

/** The remote answered, and did not let us push at all: nothing has happened there. */
function isRefusedAtOnce(stderr: string): boolean {
  return /Authentication failed|could not read (?:Username|Password)|Permission (?:to|denied)|returned error: 40[13]|does not support --atomic|repository .*not found|does not appear to be a git repository/i.test(
    stderr,
  );
}

function firstLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const line = lines.find((each) => /^(?:fatal|error):/.test(each)) ?? lines.find(Boolean) ?? "no message";
  // What a server says may be meant for a terminal.
  return withoutUserInfo(line)
    .replaceAll(/\p{C}+/gu, " ")
    .slice(0, 200);
}

function noRemote(message: string, hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_NO_REMOTE", message, { hints });
}
