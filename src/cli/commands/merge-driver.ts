import { resolve } from "node:path";
import { exitCodes } from "../../errors.ts";
import { mergeFiles, type MergeOutcome } from "../../history/merge-files.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";

export const mergeDriver: CommandModule = {
  arguments: "<base> <ours> <theirs> <path>",
  kind: "plain",
  description:
    "Git runs this to merge a scope file; sealtree git-setup tells it to. Merges by secret, without a key, and writes the result to <ours>. A secret that both sides changed is a conflict: the file then holds both of its records between conflict markers, and the exit status is 1.",
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
    return [`cannot merge ${path}: ${outcome.why}`, `ours is kept as it was; theirs: git show :3:${path}`];
  }
  const conflicts = outcome.conflicts.map(
    ({ name, isRemoval }) =>
      `conflict in ${path}: ${name} was ${isRemoval ? "removed on one side and set on the other" : "set on both sides"}`,
  );
  const takenBack = outcome.takenBack.flatMap(({ generation, name }) => [
    `conflict in ${path}: ${name} is sealed under generation ${generation}, which their side takes back`,
    `keep its file: git checkout HEAD -- ${path.replace(/\.yaml$/, ".keys")}/${generation}.yaml`,
  ]);
  const markers = conflicts.length > 0 ? "keep one record of each, remove the marker lines, then: " : "then: ";
  return [...conflicts, ...takenBack, `${markers}git add ${path}`];
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
