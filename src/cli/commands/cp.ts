import type { CommandModule } from "../command.ts";
import { moveJson, moveOptions, runMove } from "../move-command.ts";

export const cp: CommandModule = {
  arguments: "<from> <to>",
  kind: "write",
  description:
    "Copies a secret to another address, or all secrets of a scope to a scope that is not there yet, with the time they were set and their comments. The copies are values of their own: rotating one leaves the other.",
  options: moveOptions,
  examples: [
    { command: "sealtree cp staging/api/MAIL_KEY prod/api/MAIL_KEY", description: "to another scope" },
    { command: "sealtree cp staging/api qa/api", description: "a whole scope" },
  ],
  json: moveJson,
  async run(context, args, options) {
    await runMove(context, args, options, "copy");
  },
};
