import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { loadPolicy } from "../access/policy.ts";
import { isSealtreeError } from "../errors.ts";
import { findGitDirectories } from "../git/commit.ts";
import { checkNothingInProgress } from "../git/in-progress.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { readGitSetup } from "../history/git-setup.ts";
import { policiesDirectory, secretsDirectory } from "../store/layout.ts";
import { inspectLock } from "../store/lock.ts";
import { openWorkTree, temporaryFile } from "../store/work-tree.ts";
import { fail, ok, warn, type Diagnosis, type Patient } from "./diagnosis.ts";

/** The repository at `place`: its policy, this clone's git settings, and what killed commands left behind. */
export async function diagnoseRepository(place: GitPlace, { self }: Patient): Promise<Diagnosis[]> {
  const policy = await diagnosePolicy(place);
  if (!hasGit(place)) {
    const exported = warn("repository", `${place.root} has no .git: it can be read, not written`, "git clone it");
    return [exported, policy, ...diagnoseLeftovers(place.root)];
  }
  const directories = await findGitDirectories(place);
  return [
    ok("repository", place.root),
    policy,
    ...(await diagnoseDriver(place, self)),
    diagnoseOperation(directories.gitDirectory),
    diagnoseLock(join(directories.commonDirectory, "sealtree.lock")),
    ...diagnoseLeftovers(place.root),
  ];
}

async function diagnosePolicy(place: GitPlace): Promise<Diagnosis> {
  try {
    const { version, members } = await loadPolicy(openWorkTree(place.root));
    return ok("policy", `version ${version}, ${members.size} ${members.size === 1 ? "member" : "members"}`);
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return fail("policy", error.message, error.code === "E_NOT_INITIALISED" ? "sealtree init" : "sealtree check");
  }
}

async function diagnoseDriver(place: GitPlace, self: Patient["self"]): Promise<Diagnosis[]> {
  const { driver, diffDriver, hasAttributes } = await readGitSetup(place, self);
  const fix = "sealtree git-setup";
  const outdated = "it starts another program than this one";
  const states = {
    missing: warn("merge driver", "this clone merges scope files by line, and a merge may need work by hand", fix),
    outdated: warn("merge driver", outdated, fix),
    installed: existsSync(self[1])
      ? ok("merge driver", "installed")
      : fail("merge driver", "the program it starts is not there", fix),
  };
  return [
    states[driver],
    diffDriver === "installed"
      ? ok("diff driver", "installed")
      : warn("diff driver", diffDriver === "missing" ? "git diff shows sealed text in this clone" : outdated, fix),
    hasAttributes
      ? ok("attributes", "scope files go to the merge and diff drivers")
      : warn("attributes", "git does not send scope files to the merge and diff drivers", fix),
  ];
}

function diagnoseOperation(gitDirectory: string): Diagnosis {
  try {
    checkNothingInProgress(gitDirectory);
    return ok("git operation", "none in progress");
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return warn("git operation", `${error.message}: nothing can be committed`, error.hints[0] ?? "git status");
  }
}

function diagnoseLock(path: string): Diagnosis {
  const state = inspectLock(path);
  if (state === "free") return ok("write lock", "free");
  if (state === "held") return warn("write lock", "another sealtree command is writing now", "wait for it");
  return warn("write lock", "a command that was killed left it; the next one takes it over", `rm '${path}'`);
}

function diagnoseLeftovers(root: string): Diagnosis[] {
  const found = [secretsDirectory, policiesDirectory].flatMap((directory) => listTemporary(join(root, directory)));
  if (found.length === 0) return [ok("leftovers", "none")];
  return [
    warn(
      "leftovers",
      `a command that was killed left ${found.length} half-written ${found.length === 1 ? "file" : "files"}`,
      `rm ${found.map((path) => `'${path}'`).join(" ")}`,
    ),
  ];
}

function listTemporary(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return paths.filter((path) => temporaryFile.test(basename(path))).map((path) => join(directory, path));
}
