import { isSealtreeError } from "../../errors.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import { completeWords } from "../complete-words.ts";
import type { Context } from "../context.ts";

export const complete: CommandModule = {
  arguments: "",
  kind: "plain",
  passesThrough: true,
  description:
    "Prints what may stand in place of the last word after the two dashes, one candidate a line. Called by the scripts of sealtree completion; says nothing when it cannot tell.",
  options: [],
  examples: [
    { command: "sealtree __complete -- get prod/", description: "addresses in and below prod" },
    { command: "sealtree __complete -- set --", description: "options of set" },
  ],
  json: '{"candidates": [word]}',
  async run(context, args) {
    context.about({ operation: "complete" });
    const candidates = await findCandidates(context, args.slice(1));
    if (context.options.json) context.json({ candidates });
    else for (const candidate of candidates) context.line(candidate);
  },
};

async function findCandidates(context: Context, words: readonly string[]): Promise<string[]> {
  try {
    return await completeWords(words, () => openWorkTree(context.place().root));
  } catch (error) {
    if (isSealtreeError(error)) return [];
    throw error;
  }
}
