import { existsSync } from "node:fs";
import { join } from "node:path";
import { SealtreeError } from "../errors.ts";

const operations = [
  { marker: "MERGE_HEAD", name: "a merge", finish: "git merge --continue", abort: "git merge --abort" },
  {
    marker: "CHERRY_PICK_HEAD",
    name: "a cherry-pick",
    finish: "git cherry-pick --continue",
    abort: "git cherry-pick --abort",
  },
  { marker: "REVERT_HEAD", name: "a revert", finish: "git revert --continue", abort: "git revert --abort" },
  { marker: "rebase-merge", name: "a rebase", finish: "git rebase --continue", abort: "git rebase --abort" },
  { marker: "rebase-apply", name: "a rebase", finish: "git rebase --continue", abort: "git rebase --abort" },
  { marker: "BISECT_LOG", name: "a bisect", finish: "git bisect reset", abort: "git bisect reset" },
] as const;

/** Throws E_OPERATION_IN_PROGRESS while git is in the middle of a merge or its kin. */
export function checkNothingInProgress(gitDirectory: string): void {
  const operation = operations.find(({ marker }) => existsSync(join(gitDirectory, marker)));
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
