import { openWorkTree } from "../../store/work-tree.ts";
import { findPolicyMentions } from "../../values/policy-mentions.ts";
import type { CommandModule } from "../command.ts";
import { moveJson, moveOptions, runMove } from "../move-command.ts";

export const mv: CommandModule = {
  arguments: "<from> <to>",
  kind: "write",
  description:
    "Moves a secret to another address, or all secrets of a scope to a scope that is not there yet. The value keeps its id, the time it was set and its comments. Whoever could read the old address can still read it in the history: moving does not rotate.",
  options: moveOptions,
  examples: [
    { command: "sealtree mv prod/api/STRIPE prod/api/STRIPE_KEY", description: "a better name" },
    { command: "sealtree mv prod/api prod/web", description: "a whole scope" },
  ],
  json: moveJson,
  async run(context, args, options) {
    const move = await runMove(context, args, options, "move");
    for (const { file, line, written, meant } of await findPolicyMentions(openWorkTree(context.place().root), move)) {
      context.say(`sealtree: warning: ${file}:${line} still names ${written}; change it to ${meant}`);
    }
  },
};
