import { parseScopePath } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import { inputOptions, parseImportMode, parsePlaintextInput, readPlaintextInput } from "../plaintext-input.ts";
import { writeImport } from "../write-import.ts";

export const importValues: CommandModule = {
  arguments: "<scope> [file]",
  kind: "write",
  description:
    "Seals the values of a plaintext file, or of stdin, in one commit: adds and changes, and with --replace removes what the file does not have. Shows the plan and asks, and reads every value back before it says done. The file stays where it is: removing it is up to you.",
  options: inputOptions,
  examples: [
    { command: "sealtree import dev/app .env", description: "what a project starts with" },
    { command: "sealtree import prod/api --format json --yes < api.json", description: "from a pipe, in a script" },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [name], "removed": [name], "drops": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = "", file], options) {
    const scope = parseScopePath(text);
    context.about({ operation: "import", scope });
    const mode = parseImportMode(options) ?? "merge";
    const input = await readPlaintextInput(context, file, options);
    const { entries } = parsePlaintextInput(input.text, input.format, "values");
    await writeImport(context, { scope, entries, mode }, { verb: "import", asks: true });
  },
};
