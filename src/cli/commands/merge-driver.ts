import { resolve } from "node:path";
import { exitCodes } from "../../errors.ts";
import { mergeFiles, type MergeOutcome } from "../../history/merge-files.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

export const mergeDriver: CommandModule = {
  arguments: "<base> <ours> <theirs> <path>",
  kind: "plain",
  description:
    "Git runs this to merge files of sealtree; sealtree git-setup tells it to. Merges a scope file by secret, a policy by entry and a key file by key, and keeps the one of two keyring files that fits; without a key. Writes the result to <ours>. What both sides changed is a conflict: it then stands in the file between conflict markers, twice, and the exit status is 1.",
  options: [],
  examples: [
    { command: "sealtree merge-driver %O %A %B %P", description: "in git's config, where git fills in the files" },
    { command: "sealtree merge-driver base ours theirs secrets/prod/api.yaml", description: "by hand, on three files" },
  ],
  json: '{"path", "merged": boolean, "conflicts": [name], "taken_back": [generation], "why": text|null}',
  async run(context, [base = "", ours = "", theirs = "", path = ""]) {
    context.about({ operation: "merge" });
    const file = (name: string) => resolve(context.directory, name);
    const request = { root: context.directory, base: file(base), ours: file(ours), theirs: file(theirs), path };
    const outcome = await mergeFiles(request);
    if (context.options.json) printJson(context, path, outcome);
    else for (const line of describe(path, outcome)) context.say(`sealtree: ${line}`);
    return outcome.kind === "merged" ? exitCodes.ok : exitCodes.found;
  },
};

function describe(path: string, outcome: MergeOutcome): string[] {
  if (outcome.kind === "merged") return [];
  if (outcome.kind === "unmerged") {
    return [
      `cannot merge ${path}: ${outcome.why}`,
      `ours is kept as it was; theirs: git show :3:${path}`,
      ...(outcome.after === undefined ? [] : [`git add ${path}, finish the merge, then: ${outcome.after}`]),
    ];
  }
  const conflicts = outcome.conflicts.map(({ name, what }) => `conflict in ${path}: ${name} ${what}`);
  const takenBack = outcome.takenBack.flatMap(({ generation, name }) => [
    `conflict in ${path}: ${name} is sealed under generation ${generation}, which their side takes back`,
    `keep its file: git checkout HEAD -- ${path.replace(/\.yaml$/, ".keys")}/${generation}.yaml`,
  ]);
  const hasMarkers = outcome.conflicts.some((conflict) => conflict.hasMarkers);
  const way = hasMarkers
    ? "settle it: sealtree resolve; or keep one of each, remove the marker lines, then: "
    : "then: ";
  return [...conflicts, ...takenBack, `${way}git add ${path}`];
}

function printJson(context: Context, path: string, outcome: MergeOutcome): void {
  context.json({
    path,
    merged: outcome.kind === "merged",
    conflicts: outcome.kind === "conflict" ? outcome.conflicts.map(({ name }) => name) : [],
    taken_back: outcome.kind === "conflict" ? outcome.takenBack.map(({ generation }) => generation) : [],
    why: outcome.kind === "unmerged" ? outcome.why : null,
  });
}
