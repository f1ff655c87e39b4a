import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { parseTemplate, type TemplateFormatName } from "../../src/resolve/template.ts";
import { printAddress } from "../../src/secret/address.ts";
import { hardTexts, textValue } from "../values/entry-samples.ts";

/** A reference that stands for the text at `index` of a list. */
export function referenceTo(index: number): string {
  return `\${secret:test/nasty/V${index}}`;
}

/** `template` with its references replaced by `texts`, by the number in their names. */
export async function renderWith(
  template: string,
  format: TemplateFormatName,
  texts: readonly string[],
): Promise<string> {
  const read = await parseTemplate(template, format, "sample");
  return read.render((address) => texts[Number(printAddress(address).replace(/^.*V/, ""))] ?? "");
}

/** More than 200 texts that a format may get wrong: all that were gathered, and others drawn at random. */
export const nastyTexts: readonly string[] = [
  ...hardTexts,
  ...'""" \'\'\' """" a\'\'\' \'\'\'a \\""" \\u0041 ${HOME} ${secret:test/nasty/V0} $${secret: =x ]x }x ,x'.split(" "),
  "-----BEGIN TEST KEY-----\nAAAA\nBBBB\n-----END TEST KEY-----\n",
  "x".repeat(5000),
  "a  b   c",
  ...fc.sample(textValue, { numRuns: 220, seed: 11 }),
];

/** What a parser reads from each place of these templates is `<V0>` and `<V1>` in the text beside it. */
export const places: Readonly<Record<"yaml" | "json" | "toml", { template: string; read: (text: string) => unknown }>> =
  {
    yaml: {
      template: [
        "# ${secret:in/a/COMMENT} stays",
        "plain:   ${secret:test/nasty/V0}   # why",
        "within: a ${secret:test/nasty/V0} b",
        "url: https://u:${secret:test/nasty/V0}@h/${secret:test/nasty/V1}",
        "single: 'it''s ${secret:test/nasty/V0} \"x\"'",
        'double: "a\\t${secret:test/nasty/V0}\\u00e9 \\"x\\""',
        "list:",
        "  - ${secret:test/nasty/V0}",
        "  - !!str ${secret:test/nasty/V1}",
        "flow: [\"${secret:test/nasty/V0}\", {k: '${secret:test/nasty/V1}'}, 3]",
        "anchor: &x ${secret:test/nasty/V0}",
        "alias: *x",
        "literal: |  # kept",
        "  first",
        "    ${secret:test/nasty/V0}",
        "  last: ${secret:test/nasty/V1}",
        "",
        "keep: |+",
        "  ${secret:test/nasty/V0}",
        "",
        "indented: |2",
        "    ${secret:test/nasty/V0}",
        "   x",
        "strip: >-",
        "  folded ${secret:test/nasty/V0}",
        "  more",
        "multi: one",
        "  ${secret:test/nasty/V0}",
        "  three",
        "escaped: $${secret:test/nasty/V0} and ${HOME} and $${HOME}",
        "? complex",
        ": ${secret:test/nasty/V0}",
        "last: ${secret:test/nasty/V1}",
      ].join("\n"),
      read: (text) => parseYaml(text) as unknown,
    },
    json: {
      template:
        '{ "a" : "${secret:test/nasty/V0}",\r\n\t"b": ["x ${secret:test/nasty/V1}\\n\\u00e9", 1.0, {"c":"$${secret:test/nasty/V0}"}],\n "d":"\\u0024{secret:test\\/nasty/V0}" }\n',
      read: (text) => JSON.parse(text) as unknown,
    },
    toml: {
      template: [
        "# ${secret:in/a/COMMENT} stays",
        'basic = "a ${secret:test/nasty/V0} \\"b\\"" # why',
        "literal = 'C:\\${secret:test/nasty/V0}'",
        '[table."quoted".x]',
        '"key.x" = "${secret:test/nasty/V0}"',
        "list = [ '${secret:test/nasty/V1}', # comment",
        '  "${secret:test/nasty/V0}", { k = "${secret:test/nasty/V1}", "q" = 1 },',
        "]",
        'long = """',
        "first ${secret:test/nasty/V0}",
        'last "quoted" ${secret:test/nasty/V1}"""',
        "raw = '''",
        "${secret:test/nasty/V0}",
        "a''b ${secret:test/nasty/V1}'''",
        "n = 1_000",
        "when = 2026-01-02T03:04:05Z",
        'escaped = "$${secret:test/nasty/V0} ${HOME}"',
        "[[items]]",
        'value = "${secret:test/nasty/V0}"',
      ].join("\n"),
      read: (text) => JSON.parse(JSON.stringify(parseToml(text))) as unknown,
    },
  };

/** The parsed template with the texts put in: what the rendered one has to read as. */
export function substitute(tree: unknown, texts: readonly string[]): unknown {
  if (typeof tree === "string") {
    return tree.replace(/\$?\$\{secret:test\/nasty\/V([0-9]+)\}/g, (found, index: string) =>
      found.startsWith("$$") ? found.slice(1) : (texts[Number(index)] ?? ""),
    );
  }
  if (Array.isArray(tree)) return tree.map((item: unknown) => substitute(item, texts));
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, substitute(value, texts)]));
}
