import { git, tryGit } from "../git/run.ts";
import type { GitPlace } from "../git/place.ts";
import { accessPolicyPath, attributesPath, memberPath, rotationPolicyPath } from "../store/layout.ts";
import { replaceMarkedBlock } from "../store/marked-block.ts";
import { readText, type Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";

/** Journals are never merged by line: a conflict keeps our file whole. */
const attributes = [
  "secrets/**/*.yaml text eol=lf merge=sealtree diff=sealtree",
  "secrets/**/*.rotation/*.yaml -merge !diff",
  "policies/access.yaml merge=sealtree",
  "policies/rotation.yaml merge=sealtree",
  "policies/members/*.pub merge=sealtree",
];
/** A file of each kind that the merge driver merges, a scope file first. */
const samples = [
  "secrets/dev/app.yaml",
  `secrets/dev/app.keys/${"0".repeat(32)}.yaml`,
  accessPolicyPath,
  rotationPolicyPath,
  memberPath("alice"),
] as const;

/** `outdated`: the driver starts another program than this one. */
export type DriverState = "installed" | "outdated" | "missing";

/** Whether git is ready to merge scope files and to show them. */
export interface GitSetup {
  /** Of merges. */
  readonly driver: DriverState;
  /** Of `git diff`, `git log -p` and `git show`. */
  readonly diffDriver: DriverState;
  /** False when no attribute, or another one that wins, sends files of ours to the drivers. */
  readonly hasAttributes: boolean;
}

/** The change that puts our lines into `.gitattributes`, keeping all others; undefined when they are there. */
export async function planAttributes(tree: Tree): Promise<FileChange | undefined> {
  const text = (await readText(tree, attributesPath)) ?? "";
  const wanted = replaceMarkedBlock(text, attributes);
  return wanted === text ? undefined : { path: attributesPath, bytes: wanted };
}

/**
 * Tells this clone's git how to merge scope files, and how to show them. `self` is how to start
 * this program. Gives true when it was not so before.
 */
export async function installDrivers(place: GitPlace, self: readonly [string, string]): Promise<boolean> {
  const setMerge = await setConfig(place, mergeKey, printDriver(self));
  // The driver first: git dies of a merge driver that has a name and no command.
  if (setMerge) await setConfig(place, "merge.sealtree.name", "sealtree: merge sealed secrets by name");
  const setDiff = await setConfig(place, diffKey, printDiffDriver(self));
  return setMerge || setDiff;
}

/** What git would do with files of ours now, in this clone and with its attributes. */
export async function readGitSetup(place: GitPlace, self: readonly [string, string]): Promise<GitSetup> {
  const [attribute, merge, diff] = await Promise.all([
    git(place, ["check-attr", "merge", "diff", "--", ...samples]),
    findConfig(place, mergeKey),
    findConfig(place, diffKey),
  ]);
  return {
    driver: stateOf(merge, printDriver(self)),
    diffDriver: stateOf(diff, printDiffDriver(self)),
    hasAttributes: [...samples.map((path) => `${path}: merge`), `${samples[0]}: diff`].every((line) =>
      attribute.includes(`${line}: sealtree\n`),
    ),
  };
}

const mergeKey = "merge.sealtree.driver";
const diffKey = "diff.sealtree.textconv";

function stateOf(found: string | undefined, wanted: string): DriverState {
  return found === undefined ? "missing" : found === wanted ? "installed" : "outdated";
}

/** Gives true when it was not so before. */
async function setConfig(place: GitPlace, key: string, value: string): Promise<boolean> {
  if ((await findConfig(place, key)) === value) return false;
  await git(place, ["config", "--local", "--replace-all", key, value]);
  return true;
}

/** What this clone is set up with. */
async function findConfig(place: GitPlace, key: string): Promise<string | undefined> {
  return (await tryGit(place, ["config", "--get", key], { allowExit: [1] }))?.trimEnd();
}

/**
 * The shell line git runs. When this program has moved it looks for `sealtree` in PATH, and
 * without one it merges by line, as git does where no driver is set up; a keyring file is then a
 * conflict, and ours is kept. Git replaces `%` placeholders in the line before the shell sees it,
 * and quotes the path it puts in.
 */
function printDriver(self: readonly [string, string]): string {
  const shown = (word: string) => quote(word).replaceAll("%", "%%");
  const [node, script] = [shown(self[0]), shown(self[1])];
  const line = "merge-driver %O %A %B %P";
  return [
    `if test -x ${node} && test -f ${script}; then ${node} ${script} ${line};`,
    `elif command -v sealtree >/dev/null 2>&1; then sealtree ${line};`,
    "else case %P in *.keys/*) exit 1;; *) git merge-file -L ours -L base -L theirs %A %O %B;; esac; fi",
  ].join(" ");
}

/**
 * The shell line git runs to show a file: a function, since git puts the file's name behind it.
 * Where this program is not to be found the file is shown as it is.
 */
function printDiffDriver(self: readonly [string, string]): string {
  const [node, script] = [quote(self[0]), quote(self[1])];
  return [
    `show() { if test -x ${node} && test -f ${script}; then ${node} ${script} diff-driver "$1";`,
    `elif command -v sealtree >/dev/null 2>&1; then sealtree diff-driver "$1";`,
    'else cat "$1"; fi; }; show',
  ].join(" ");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
