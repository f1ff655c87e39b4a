import { codeownersPath, planCodeowners } from "../../access/codeowners.ts";
import { loadPolicy } from "../../access/policy.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import { writeGeneratedFile } from "../generated-file.ts";

export const codeowners: CommandModule = {
  arguments: "",
  kind: "write",
  description:
    "Writes .github/CODEOWNERS from the policy: who may write in a scope approves changes of it, admins approve changes of policies and workflows. Stands between two markers; other lines stay. Members need github: NAME in the policy. --check compares and changes nothing: it exits with 1 when the file differs.",
  options: [{ flags: "--check", description: "compare only, for CI" }],
  examples: [
    { command: "sealtree codeowners", description: "after the policy or the scopes changed" },
    { command: "sealtree codeowners --check", description: "in a workflow" },
  ],
  json: '{"file", "changed": boolean, "commit": id|null, "dry_run": boolean}, with --check {"file", "agrees": boolean}',
  async run(context, _args, options) {
    context.about({ operation: "codeowners" });
    const plan = async (tree = openWorkTree(context.place().root)) =>
      await planCodeowners(tree, await loadPolicy(tree));
    const { after } = await plan();
    if (after.length > 0)
      context.say(
        `${codeownersPath} has lines after the block of sealtree: where they match, they win; move them above it`,
      );
    return await writeGeneratedFile(
      context,
      { path: codeownersPath, command: "codeowners", plan },
      options["check"] === true,
    );
  },
};
