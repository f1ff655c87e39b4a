import { git, tryGit } from "../git/run.ts";
import type { GitPlace } from "../git/place.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";

const begin = "# sealtree: begin";
const end = "# sealtree: end";
/** Keyrings and journals are never merged by line: a conflict keeps our file whole. */
const attributes = [
  begin,
  "secrets/**/*.yaml text eol=lf merge=sealtree",
  "secrets/**/*.keys/*.yaml -merge",
  "secrets/**/*.rotation/*.yaml -merge",
  end,
].join("\n");

/** Whether git is ready to merge scope files. */
export interface GitSetup {
  /** `outdated`: the driver starts another program than this one. */
  readonly driver: "installed" | "outdated" | "missing";
  /** False when no attribute, or another one that wins, sends scope files to the driver. */
  readonly hasAttributes: boolean;
}

/** The change that puts our lines into `.gitattributes`, keeping all others; undefined when they are there. */
export async function planAttributes(tree: Tree): Promise<FileChange | undefined> {
  const bytes = await tree.read(".gitattributes");
  const text = bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
  if (text.includes(attributes)) return undefined;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  const rest = from >= 0 && to > from ? text.slice(0, from) + text.slice(to + end.length + 1) : text;
  const separator = rest === "" || rest.endsWith("\n") ? "" : "\n";
  return { path: ".gitattributes", bytes: `${rest}${separator}${attributes}\n` };
}

/**
 * Tells this clone's git how to merge scope files. `self` is how to start this program. Gives
 * true when it was not so before.
 */
export async function installDrivers(place: GitPlace, self: readonly [string, string]): Promise<boolean> {
  const driver = printDriver(self);
  if ((await findDriver(place)) === driver) return false;
  // The driver first: git dies of a merge driver that has a name and no command.
  await git(place, ["config", "--local", "--replace-all", "merge.sealtree.driver", driver]);
  await git(place, ["config", "--local", "merge.sealtree.name", "sealtree: merge sealed secrets by name"]);
  return true;
}

/** What git would do with a scope file now, in this clone and with its attributes. */
export async function readGitSetup(place: GitPlace, self: readonly [string, string]): Promise<GitSetup> {
  const driver = await findDriver(place);
  const attribute = await git(place, ["check-attr", "merge", "--", "secrets/dev/app.yaml"]);
  return {
    driver: driver === undefined ? "missing" : driver === printDriver(self) ? "installed" : "outdated",
    hasAttributes: attribute.trimEnd().endsWith(": merge: sealtree"),
  };
}

/** The merge driver that this clone is set up with. */
async function findDriver(place: GitPlace): Promise<string | undefined> {
  const driver = await tryGit(place, ["config", "--get", "merge.sealtree.driver"], { allowExit: [1] });
  return driver?.trimEnd();
}

/**
 * The shell line git runs. When this program has moved it looks for `sealtree` in PATH, and
 * without one it merges by line, as git does where no driver is set up. Git replaces `%`
 * placeholders in the line before the shell sees it, and quotes the path it puts in.
 */
function printDriver(self: readonly [string, string]): string {
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`).replaceAll("%", "%%")}'`;
  const [node, script] = [quote(self[0]), quote(self[1])];
  const line = "merge-driver %O %A %B %P";
  return [
    `if test -x ${node} && test -f ${script}; then ${node} ${script} ${line};`,
    `elif command -v sealtree >/dev/null 2>&1; then sealtree ${line};`,
    "else git merge-file -L ours -L base -L theirs %A %O %B; fi",
  ].join(" ");
}
