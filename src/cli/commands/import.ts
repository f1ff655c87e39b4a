import { usageError } from "../../errors.ts";
import { parseScopePath } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import { migrationOptions } from "../migration-source.ts";
import { inputOptions, parseImportMode, parsePlaintextInput, readPlaintextInput } from "../plaintext-input.ts";
import { writeImport } from "../write-import.ts";

const onlyWithFrom = ["keys", "prefix", "dots", "comments", "asWritten", "markdown"] as const;

export const importValues: CommandModule = {
  arguments: "<scope> [file]",
  kind: "write",
  description:
    "Seals the values of a file, of stdin or of another system in one commit: adds and changes, and with --replace removes what the source does not have. Shows the plan and asks, and reads every value back before it says done. With --from it opens the files of SOPS, dotenvx and ejson, or reads a path in Vault or a secret in AWS in the file's place, flattens what is nested, and reports what came, what was renamed and what is left to do. The source stays where it is: removing it is up to you.",
  options: [...inputOptions, ...migrationOptions],
  examples: [
    { command: "sealtree import dev/app .env", description: "what a project starts with" },
    { command: "sealtree import prod/api --format json --yes < api.json", description: "from a pipe, in a script" },
    { command: "sealtree import prod/api secrets.enc.yaml --from sops", description: "move from SOPS, with a report" },
    {
      command: "sealtree import prod/api secret/apps/api --from vault --dry-run",
      description: "what moving would bring",
    },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [name], "removed": [name], "drops": [name], "commit": id|null, "dry_run": boolean}; with --from also {"from", "values": [{"name", "source", "type", "renamed": boolean, "open": boolean, "comments": number, "note"}], "left_out": [{"source", "reason"}], "next": [text], "verified": number}',
  async run(context, [text = "", file], options) {
    const scope = parseScopePath(text);
    context.about({ operation: "import", scope });
    const mode = parseImportMode(options) ?? "merge";
    if (options["from"] !== undefined) {
      const { writeMigration } = await import("../write-migration.ts");
      await writeMigration(context, scope, file, options, mode);
      return;
    }
    if (onlyWithFrom.some((key) => options[key] !== undefined)) {
      throw usageError("an option is only for moving from another system", "say which: --from sops, for one");
    }
    const input = await readPlaintextInput(context, file, options);
    const { entries } = parsePlaintextInput(input.text, input.format, "values");
    await writeImport(context, { scope, entries, mode }, { verb: "import", asks: true });
  },
};
