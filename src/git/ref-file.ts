import { SealtreeError } from "../errors.ts";
import { writeBlob } from "./commit.ts";
import type { GitPlace } from "./place.ts";
import { git, runGit, tryGit } from "./run.ts";

/** One small file in the commit that a ref of ours names: not on any branch, and in no work tree. */
export interface RefFile {
  /** Full id. */
  readonly commit: string;
  readonly text: string;
}

/** Our own name, so that a machine without a committer can record too. Who acts stands in the file. */
const person = {
  GIT_AUTHOR_NAME: "sealtree",
  GIT_AUTHOR_EMAIL: "sealtree@localhost",
  GIT_COMMITTER_NAME: "sealtree",
  GIT_COMMITTER_EMAIL: "sealtree@localhost",
};

/** The commit that `ref` names; undefined when there is no such ref. */
export async function findRef(place: GitPlace, ref: string): Promise<string | undefined> {
  const id = await tryGit(place, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], { allowExit: [1, 128] });
  return id?.trim();
}

/** The file at `path` of a commit; undefined when it is none, or larger than `maxBytes`. */
export async function readRefFile(
  place: GitPlace,
  commit: string,
  path: string,
  maxBytes: number,
): Promise<RefFile | undefined> {
  const name = `${commit}:${path}`;
  const size = await tryGit(place, ["cat-file", "-s", name], { allowExit: [1, 128] });
  if (size === undefined || Number(size) > maxBytes) return undefined;
  const text = await tryGit(place, ["cat-file", "blob", name], { allowExit: [1, 128] });
  return text === undefined ? undefined : { commit, text };
}

/** Makes a commit with `text` as its only file. Moves no ref. Gives its full id. */
export async function writeRefFile(
  place: GitPlace,
  file: { readonly path: string; readonly text: string; readonly message: string; readonly parents: readonly string[] },
): Promise<string> {
  const blob = await writeBlob(place, file.text);
  const tree = (await git(place, ["mktree"], { input: `100644 blob ${blob}\t${file.path}\n` })).trim();
  const parents = file.parents.flatMap((parent) => ["-p", parent]);
  const args = ["commit-tree", "--no-gpg-sign", ...parents, tree];
  return (await git(place, args, { input: `${file.message}\n`, env: person })).trim();
}

/** Moves `ref` to `commit` if it is at `expected`, where undefined stands for no such ref. Throws E_RACED. */
export async function moveRef(
  place: GitPlace,
  ref: string,
  commit: string,
  expected: string | undefined,
): Promise<void> {
  const old = expected ?? "0".repeat(commit.length);
  const { exitCode } = await runGit(place, ["update-ref", "--no-deref", ref, commit, old]);
  if (exitCode === 0) return;
  throw new SealtreeError("E_RACED", "somebody else recorded a deployment just now", {
    hints: ["run the command again: it looks at what is there first"],
  });
}

/** The remote that the present branch, or else the whole repository, belongs to; undefined without one. */
export async function findRemoteName(place: GitPlace): Promise<string | undefined> {
  const head = (await tryGit(place, ["symbolic-ref", "--quiet", "--short", "HEAD"], { allowExit: [1, 128] }))?.trim();
  const own =
    head === undefined
      ? undefined
      : (await tryGit(place, ["config", "--get", `branch.${head}.remote`], { allowExit: [1] }))?.trim();
  if (own !== undefined && own !== ".") return own;
  const remotes = (await git(place, ["remote"])).split("\n").filter(Boolean);
  return remotes.length === 1 ? remotes[0] : remotes.find((name) => name === "origin");
}
