import { existsSync } from "node:fs";
import { join } from "node:path";
import { SealtreeError } from "../errors.ts";

/** Something that git was stopped in. */
export interface GitOperation {
  /** Such as `a merge`. */
  readonly name: string;
  /** The command that ends it. */
  readonly finish: string;
  /** The command that gives it up. */
  readonly abort: string;
  /** The revision that comes in; undefined where git does not say. */
  readonly theirs: string | undefined;
}

const rebase = {
  name: "a rebase",
  finish: "git rebase --continue",
  abort: "git rebase --abort",
  theirs: "REBASE_HEAD",
};

/** A rebase comes first: it leaves the marker of a cherry-pick too. */
const operations: readonly (GitOperation & { readonly marker: string })[] = [
  { marker: "rebase-merge", ...rebase },
  { marker: "rebase-apply", ...rebase },
  {
    marker: "MERGE_HEAD",
    name: "a merge",
    finish: "git merge --continue",
    abort: "git merge --abort",
    theirs: "MERGE_HEAD",
  },
  {
    marker: "CHERRY_PICK_HEAD",
    name: "a cherry-pick",
    finish: "git cherry-pick --continue",
    abort: "git cherry-pick --abort",
    theirs: "CHERRY_PICK_HEAD",
  },
  {
    marker: "REVERT_HEAD",
    name: "a revert",
    finish: "git revert --continue",
    abort: "git revert --abort",
    theirs: "REVERT_HEAD^",
  },
  {
    marker: "BISECT_LOG",
    name: "a bisect",
    finish: "git bisect reset",
    abort: "git bisect reset",
    theirs: undefined,
  },
];

/** What git is in the middle of; undefined when it is in nothing that it knows of. */
export function findOperation(gitDirectory: string): GitOperation | undefined {
  return operations.find(({ marker }) => existsSync(join(gitDirectory, marker)));
}

/** Throws E_OPERATION_IN_PROGRESS while git is in the middle of a merge or its kin. */
export function checkNothingInProgress(gitDirectory: string): void {
  const operation = findOperation(gitDirectory);
  if (operation === undefined) return;
  throw new SealtreeError("E_OPERATION_IN_PROGRESS", `git is in the middle of ${operation.name}`, {
    hints: [
      operation.finish === operation.abort
        ? `end it first: ${operation.finish}`
        : `finish it: ${operation.finish}, or give it up: ${operation.abort}`,
      "--no-commit changes the work tree only",
    ],
  });
}
