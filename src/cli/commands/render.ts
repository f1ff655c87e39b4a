import { basename, resolve } from "node:path";
import { SealtreeError, usageError } from "../../errors.ts";
import { resolveReferences } from "../../resolve/resolve-references.ts";
import { createSecretSource } from "../../resolve/secret-source.ts";
import { parseTemplate, templateFormatOf, templateFormats, type TemplateFormatName } from "../../resolve/template.ts";
import { printAddress } from "../../secret/address.ts";
import { decodeUtf8 } from "../../secret/utf8.ts";
import { withLine } from "../../values/input-line.ts";
import { auditReads } from "../audit-reads.ts";
import type { CommandModule } from "../command.ts";
import { confirmPlaintext, writePlaintext } from "../confirm-plaintext.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { readInputFile, readStdin } from "../value-input.ts";

const maxTemplateBytes = 8 * 1024 * 1024;

export const render: CommandModule = {
  arguments: "<template>",
  kind: "read",
  description:
    "Puts values in place of the references ${secret:scope/NAME} of a file, each quoted as its place in YAML, JSON, TOML or .env needs, and prints the result or writes it to a file that only you may read. Everything else stays byte for byte. $${secret: is the text ${secret:. References that cannot be resolved are listed, all at once, and then nothing is written. - reads the template from stdin.",
  options: [
    { flags: "-o, --output <file>", description: "write to a file that only you may read, instead of stdout" },
    { flags: "--format <format>", description: `${templateFormats.join(", ")}; by the file's name without` },
    { flags: "--check", description: "only look whether every reference can be resolved" },
    { flags: "--allow-plaintext", description: "write also where git would take the file" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "sealtree render config.yaml.tmpl -o /run/app/config.yaml", description: "a config for a service" },
    { command: "sealtree render deploy/.env.example --check", description: "in CI: is every reference there?" },
  ],
  json: '{"template", "format", "references": [{"address", "line", "column"}], "file": path|null, "text": string|null} (text without -o and --check)',
  async run(context, [template = ""], options) {
    context.about({ operation: "render" });
    const isCheck = options["check"] === true;
    const file = typeof options["output"] === "string" ? resolve(context.directory, options["output"]) : undefined;
    if (isCheck && file !== undefined) throw usageError("--check writes nothing", "leave -o out, or --check");
    if (file !== undefined && file === resolve(context.directory, template))
      throw usageError("the template itself would be written over", "name another file with -o");
    const format = parseFormat(options["format"], template);
    if (file !== undefined && options["allowPlaintext"] !== true) {
      const { checkNotTracked } = await import("../../values/plaintext-file.ts");
      await checkNotTracked(file, context.io.env, "or write to stdout: leave -o out");
    }
    const name = template === "-" ? "stdin" : basename(template);
    const read = await parse(await readTemplate(context, template), format, name);
    const identities = read.references.length === 0 ? [] : await context.session.identities();
    const found = await resolveReferences(
      read.references.map((it) => ({ ...it, file: name })),
      createSecretSource(await context.tree(), identities),
    );
    const rendered = read.render((address) => found.textOf(address));
    const references = read.references.map(({ address, line, column }) => ({
      address: printAddress(address),
      line,
      column,
    }));
    const text = file === undefined && !isCheck ? rendered : null;
    if (text !== null) await confirmPlaintext(context, `${name} with ${count(references.length, "value")}`);
    if (!isCheck) auditReads(context, "render", found.opened);
    if (file !== undefined) {
      const { writePlaintextFile } = await import("../../values/plaintext-file.ts");
      writePlaintextFile(file, rendered);
    }
    if (context.options.json) context.json({ template, format, references, file: file ?? null, text });
    else if (text !== null) writePlaintext(context, text);
    else if (isCheck) context.say(`${count(references.length, "reference")} in ${name}, all can be resolved`);
    else context.say(`wrote ${file ?? ""} with ${count(references.length, "value")}, in plaintext`);
  },
};

async function parse(text: string, format: TemplateFormatName, name: string) {
  try {
    return await parseTemplate(text, format, name);
  } catch (error) {
    throw withLine(error, name);
  }
}

async function readTemplate(context: Context, template: string): Promise<string> {
  const bytes =
    template === "-" ? await readStdin(context, maxTemplateBytes) : readInputFile(context, template, maxTemplateBytes);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_INPUT_INVALID", "the template is not UTF-8");
  return text;
}

function parseFormat(option: unknown, template: string): TemplateFormatName {
  if (option === undefined && template !== "-") return templateFormatOf(template);
  const format = templateFormats.find((known) => known === option);
  if (format !== undefined) return format;
  throw usageError(
    option === undefined ? "the format of stdin is not known" : "the format is not known",
    `--format ${templateFormats.join("|")}`,
  );
}
