import { execFileSync } from "node:child_process";
import type { World } from "./world.ts";

/**
 * Merges each open pull request as the button on GitHub does, with a merge commit that no member signs. Leaves
 * one that has a conflict for the next day. Gives how many it merged.
 */
export function mergePulls({ github, server, clock }: World): number {
  const date = `${Math.floor(clock.now() / 1000)} +0000`;
  const person = { NAME: "Test Host", EMAIL: "host@example.test", DATE: date };
  const env = Object.fromEntries(
    Object.entries(person).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]),
  );
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: server.folder,
      env: { PATH: process.env["PATH"] ?? "", GIT_CONFIG_NOSYSTEM: "1", ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  let merged = 0;
  for (const issue of github.issues) {
    const { pull, state } = issue;
    if (pull === undefined || state !== "open") continue;
    const tree = findMergedTree(() => git("merge-tree", "--write-tree", "main", pull.head.ref));
    if (tree === undefined) continue;
    const commit = git("commit-tree", tree, "-p", "main", "-p", pull.head.ref, "-m", `merge #${issue.number}`);
    git("update-ref", "refs/heads/main", commit);
    issue.state = "closed";
    merged++;
  }
  return merged;
}

function findMergedTree(merge: () => string): string | undefined {
  try {
    return merge();
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 1) return undefined;
    throw error;
  }
}
