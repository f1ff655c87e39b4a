import type { BranchJudge } from "../rotation/branch-trust.ts";
import type { Context } from "./context.ts";
import { oneLine } from "./one-line.ts";

/**
 * Judges the branch of a pull request's rotations as `sealtree verify --range` does, by the policy of its trunk.
 * What that policy only warns of is said once a commit.
 */
export function branchJudge(context: Context): BranchJudge {
  const said = new Set<string>();
  return async (from, to) => {
    const { verifyClone } = await import("../review/verify-clone.ts");
    const range = { from, to, way: "one step", mustDescend: false, remembers: false } as const;
    const { findings } = await verifyClone(context.place(), { ...range, all: false, strict: false });
    for (const { commit, severity, message } of findings) {
      const text = `warning: ${commit?.slice(0, 12) ?? "this clone"}, on the rotation branch: ${oneLine(message)}`;
      if (severity === "warning" && !said.has(text)) context.say(text);
      said.add(text);
    }
    return findings.filter(({ severity }) => severity === "error");
  };
}
