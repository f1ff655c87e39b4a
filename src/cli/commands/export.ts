import { resolve } from "node:path";
import { SealtreeError } from "../../errors.ts";
import { parseScopePath } from "../../secret/address.ts";
import { checkNotTracked, writePlaintextFile } from "../../values/plaintext-file.ts";
import { byName, byVariable } from "../../values/select-secrets.ts";
import { isTextFormatName, textFormats, type TextFormatName } from "../../values/text-formats.ts";
import type { CommandModule } from "../command.ts";
import { confirmPlaintext, writePlaintext } from "../confirm-plaintext.ts";
import { parseNameList } from "../name-list.ts";
import { auditOpened, openValues } from "../open-values.ts";
import { count } from "../present.ts";

const keepsNames: readonly TextFormatName[] = ["json", "yaml"];

export const exportValues: CommandModule = {
  arguments: "<scopes...>",
  kind: "read",
  description:
    "Prints the values of the scopes in plaintext, in the format another program reads, with the references in them resolved; sealtree decrypt prints them as they are stored. Refuses a value that the format cannot hold, and two secrets of one name.",
  options: [
    { flags: "--format <format>", description: `${Object.keys(textFormats).join(", ")}; dotenv without` },
    { flags: "--only <names>", description: "these names only, joined by commas" },
    { flags: "-o, --output <file>", description: "write to a file that only you may read, instead of stdout" },
    { flags: "--allow-plaintext", description: "write also where git would take the file" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "sealtree export prod/api --format docker -o /run/api.env", description: "for docker run --env-file" },
    { command: 'eval "$(sealtree export dev/app --format shell --yes)"', description: "into this shell" },
  ],
  json: '{"format", "names": [name], "file": path|null, "text": string|null} (text without -o)',
  async run(context, args, options) {
    const scopes = args.map(parseScopePath);
    const [first] = scopes;
    context.about({ operation: "export", ...(scopes.length === 1 && first !== undefined ? { scope: first } : {}) });
    const format = parseFormat(options["format"]);
    const file = typeof options["output"] === "string" ? resolve(context.directory, options["output"]) : undefined;
    if (file !== undefined && options["allowPlaintext"] !== true) {
      await checkNotTracked(file, context.io.env, "or write to stdout: leave -o out");
    }
    const selected = await openValues(context, scopes, parseNameList(options["only"]));
    if (!keepsNames.includes(format)) byVariable(selected);
    const entries = new Map([...byName(selected)].map(([name, { secret }]) => [name, secret]));
    const text = textFormats[format].print(entries, context.session.random);
    const names = [...entries.keys()];
    if (file === undefined) await confirmPlaintext(context, count(names.length, "value"));
    auditOpened(context, "export", selected);
    if (file !== undefined) writePlaintextFile(file, text);
    if (context.options.json)
      context.json({ format, names, file: file ?? null, text: file === undefined ? text : null });
    else if (file === undefined) writePlaintext(context, text);
    else context.say(`wrote ${count(names.length, "value")} to ${file}, in plaintext`);
  },
};

function parseFormat(option: unknown): TextFormatName {
  if (option === undefined) return "dotenv";
  if (typeof option === "string" && isTextFormatName(option)) return option;
  throw new SealtreeError("E_USAGE", "the format is not known", {
    hints: [`one of ${Object.keys(textFormats).join(", ")}`],
  });
}
