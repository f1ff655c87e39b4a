import { printCommandReference } from "../command-reference.ts";
import type { CommandModule } from "../command.ts";

export const docs: CommandModule = {
  arguments: "",
  kind: "plain",
  description: "Prints the reference of all commands as Markdown. For this project's own documentation.",
  options: [],
  examples: [
    { command: "sealtree __docs > docs/commands.md", description: "the page of the documentation" },
    { command: "sealtree __docs --json", description: "the same text as one JSON value" },
  ],
  json: '{"markdown": text}',
  async run(context) {
    const markdown = await printCommandReference();
    if (context.options.json) context.json({ markdown });
    else context.io.stdout.write(markdown);
  },
};
