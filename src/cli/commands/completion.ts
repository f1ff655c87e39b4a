import { SealtreeError } from "../../errors.ts";
import type { CommandModule } from "../command.ts";
import { completionScripts, completionShells } from "../completion-scripts.ts";

export const completion: CommandModule = {
  arguments: "<shell>",
  kind: "plain",
  description: `Prints the script that makes a shell complete commands, options, scopes and addresses: ${completionShells.join(", ")}. Completing reads names only and needs no key.`,
  options: [],
  examples: [
    { command: "source <(sealtree completion bash)", description: "in ~/.bashrc" },
    {
      command: "sealtree completion fish > ~/.config/fish/completions/sealtree.fish",
      description: "for fish, once",
    },
  ],
  json: '{"shell", "script"}',
  run(context, [text]) {
    context.about({ operation: "completion" });
    const shell = completionShells.find((known) => known === text);
    if (shell === undefined) {
      throw new SealtreeError("E_USAGE", "the shell is not known", {
        hints: [`one of ${completionShells.join(", ")}`],
      });
    }
    if (context.options.json) context.json({ shell, script: completionScripts[shell] });
    else context.io.stdout.write(completionScripts[shell]);
    return Promise.resolve();
  },
};
