import { SealtreeError } from "../../errors.ts";
import { parseScopePath } from "../../secret/address.ts";
import type { ImportRequest } from "../../values/import-values.ts";
import type { CommandModule } from "../command.ts";
import { inputOptions, parseImportMode, parsePlaintextInput, readPlaintextInput } from "../plaintext-input.ts";
import { writeImport } from "../write-import.ts";

export const encrypt: CommandModule = {
  arguments: "<file>",
  kind: "write",
  description:
    "Makes a new scope that holds exactly what a plaintext file holds, the reverse of decrypt: comments above a record of YAML come along. FILE may be - for stdin. A scope that is there already takes --merge or --replace.",
  options: [{ flags: "--scope <scope>", description: "the scope to make" }, ...inputOptions],
  examples: [
    { command: "sealtree encrypt /dev/shm/api.yaml --scope prod/api", description: "a file that decrypt made" },
    { command: "sealtree encrypt - --scope prod/web --format json < web.json", description: "from a pipe" },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [name], "removed": [name], "drops": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [file = ""], options) {
    if (typeof options["scope"] !== "string") {
      throw new SealtreeError("E_USAGE", "there is no scope to make", { hints: ["name one: --scope prod/api"] });
    }
    const scope = parseScopePath(options["scope"]);
    context.about({ operation: "encrypt", scope });
    const mode: ImportRequest["mode"] = parseImportMode(options) ?? "new";
    const input = await readPlaintextInput(context, file, options);
    const { entries, comments } = parsePlaintextInput(input.text, input.format, "values and comments");
    const request = { scope, entries, mode, ...(comments === undefined ? {} : { comments }) };
    await writeImport(context, request, { verb: "encrypt", asks: mode !== "new" });
  },
};
