import { testScope } from "./test-keys.ts";
import type { Fields, Vector } from "./vector.ts";

const head = "$sealtree: 1\n$scope: prod/api\n";
const canonical = `${head}\n# shared with billing\n#\n#  two spaces\nDATABASE_URL: st1.AQ\n\nSTRIPE_KEY: st1.Ag\n`;

/**
 * Scope files. Records are checked in shape here, so the vectors have short ones that open
 * nowhere; comments are given without their `#`.
 */
export function scopeFileVectors(): Vector[] {
  return [...goodVectors(), ...headVectors(), ...lineVectors(), ...byteVectors()];
}

function goodVectors(): Vector[] {
  const database = { name: "DATABASE_URL", record: "st1.AQ", comments: [" shared with billing", "", "  two spaces"] };
  const stripe = { name: "STRIPE_KEY", record: "st1.Ag", comments: [] };
  const plain = (name: string, record = "st1.AQ"): Fields => ({ name, record, comments: [] });
  return [
    reads("canonical", "as a writer writes it", canonical, [database, stripe]),
    reads("no record", "only the two head lines", head, []),
    reads("any order", "a reader takes any order, a writer sorts", `${head}\nB: st1.AQ\n\nA: st1.AQ\n`, [
      plain("B"),
      plain("A"),
    ]),
    reads("no empty line", "records may touch", `${head}A: st1.AQ\nB: st1.Ag\n`, [plain("A"), plain("B", "st1.Ag")]),
    reads("many empty lines", "as a merge may leave them", `${head}\n\n\nA: st1.AQ\n\n`, [plain("A")]),
    reads("quoted name", "YAML 1.1 reads yes as a boolean", `${head}\n"yes": st1.AQ\n`, [plain("yes")]),
    reads("quoted name in capitals", "any case of the words is quoted", `${head}\n"NuLL": st1.AQ\n`, [plain("NuLL")]),
    reads("quoted exponent", "readers of YAML 1.1 take E10 for a number", `${head}\n"E10": st1.AQ\n`, [plain("E10")]),
    reads("quoted negative exponent", "YAML reads 1e-5 as a number", '$sealtree: 1\n$scope: "1e-5"\n', [], "1e-5"),
    reads("name that begins with a word", "yes_sir is a string in any YAML", `${head}\nyes_sir: st1.AQ\n`, [
      plain("yes_sir"),
    ]),
    reads("dots and dashes", "names have _ . and -", `${head}\n_mcp.bun-api.Key: st1.AQ\n`, [
      plain("_mcp.bun-api.Key"),
    ]),
    reads("a drop", "it stands where a record stands", `${head}\nA: st1d.AQ\n\nB: st1.Ag\n`, [
      plain("A", "st1d.AQ"),
      plain("B", "st1.Ag"),
    ]),
    reads("comment in unicode", "UTF-8", `${head}\n# \u00fcber\nA: st1.AQ\n`, [
      { ...plain("A"), comments: [" \u00fcber"] },
    ]),
    reads(
      "quoted scope",
      "YAML reads 2026 as a number",
      '$sealtree: 1\n$scope: "2026"\n\nA: st1.AQ\n',
      [plain("A")],
      "2026",
    ),
    reads(
      "quoted date",
      "YAML 1.1 reads 2026-01-02 as a date",
      '$sealtree: 1\n$scope: "2026-01-02"\n',
      [],
      "2026-01-02",
    ),
    reads(
      "scope with a number inside",
      "prod/1 is a string in any YAML",
      "$sealtree: 1\n$scope: prod/1\n",
      [],
      "prod/1",
    ),
  ];
}

function headVectors(): Vector[] {
  return [
    fails("empty file", "the head lines are missing", ""),
    fails("version 2", "not defined", canonical.replace("$sealtree: 1", "$sealtree: 2")),
    fails("no version", "the first line is missing", canonical.replace("$sealtree: 1\n", "")),
    fails("head lines swapped", "they have one order", "$scope: prod/api\n$sealtree: 1\n"),
    fails("no scope", "the second line is missing", "$sealtree: 1\n\nA: st1.AQ\n"),
    fails("another scope", "sealed for prod/web, found at prod/api", canonical.replace("prod/api", "prod/web")),
    fails("number as scope without quotes", "2026 is a number in YAML", "$sealtree: 1\n$scope: 2026\n", "2026"),
    fails(
      "needless quotes on the scope",
      "quotes stand only where they must",
      canonical.replace("prod/api", '"prod/api"'),
    ),
    fails("comment before the head", "the head lines come first", `# comment\n${canonical}`),
    fails("document marker", "not in the subset", `---\n${canonical}`),
    fails("scope twice", "a head line among the records", `${head}$scope: prod/api\n`),
  ];
}

function lineVectors(): Vector[] {
  const line = (text: string) => `${head}\n${text}\n`;
  return [
    fails("plaintext value", "a value that is not sealed", line("A: hunter2-test")),
    fails("no value", "nothing after the colon", line("A:")),
    fails("prefix alone", "nothing after st1.", line("A: st1.")),
    fails("unknown record version", "st2. is not defined", line("A: st2.AQ")),
    fails("prefix of a drop alone", "nothing after st1d.", line("A: st1d.")),
    fails("unknown drop version", "st2d. is not defined", line("A: st2d.AQ")),
    fails("other letter for a drop", "st1D. is not defined", line("A: st1D.AQ")),
    fails("padded base64", "= is not in a record", line("A: st1.AQ==")),
    fails("same name twice", "names are unique", line("A: st1.AQ\n\nA: st1.Ag")),
    fails(
      "same name twice, once quoted",
      "names are unique however they are written",
      line('"yes": st1.AQ\n\n"yes": st1.Ag'),
    ),
    fails("word without quotes", "YAML 1.1 reads yes as a boolean", line("yes: st1.AQ")),
    fails("word in capitals without quotes", "YAML 1.1 reads NO as a boolean", line("NO: st1.AQ")),
    fails("needless quotes", "quotes stand only where they must", line('"A": st1.AQ')),
    fails("single quotes", "not in the subset", line("'yes': st1.AQ")),
    fails("quoted record", "not in the subset", line('A: "st1.AQ"')),
    fails("name with a digit first", "not a name", line("1A: st1.AQ")),
    fails("name with a slash", "not a name", line("a/b: st1.AQ")),
    fails("name of 129 characters", "not a name", line(`${"A".repeat(129)}: st1.AQ`)),
    fails("no space", "a space stands after the colon", line("A:st1.AQ")),
    fails("two spaces", "one space stands after the colon", line("A:  st1.AQ")),
    fails("space before the colon", "not in the subset", line("A : st1.AQ")),
    fails("trailing space", "nothing comes after a record", line("A: st1.AQ ")),
    fails("comment after a record", "comments have their own line", line("A: st1.AQ # comment")),
    fails("indented record", "not in the subset", line("  A: st1.AQ")),
    fails("indented comment", "not in the subset", line(" # comment\nA: st1.AQ")),
    fails("line with a space", "an empty line has no character", line("A: st1.AQ\n \nB: st1.AQ")),
    fails("comment at the end", "a comment stands right above a record", line("A: st1.AQ\n# comment")),
    fails("comment above an empty line", "a comment stands right above a record", line("# comment\n\nA: st1.AQ")),
    fails("anchor", "not in the subset", line("A: &a st1.AQ")),
    fails("alias", "not in the subset", line("A: *a")),
    fails("tag", "not in the subset", line("A: !!str st1.AQ")),
    fails("merge key", "not in the subset", line("<<: st1.AQ")),
    fails("flow map", "not in the subset", line("{A: st1.AQ}")),
    fails("block literal", "not in the subset", line("A: |\n  st1.AQ")),
    fails("next document", "not in the subset", line("A: st1.AQ\n---\nB: st1.AQ")),
    fails(
      "conflict markers",
      "an unfinished merge",
      line("<<<<<<< ours\nA: st1.AQ\n=======\nA: st1.Ag\n>>>>>>> theirs"),
    ),
  ];
}

function byteVectors(): Vector[] {
  return [
    fails("no final line feed", "the last line does not end", canonical.slice(0, -1)),
    fails("CR LF", "lines end with LF", canonical.replaceAll("\n", "\r\n")),
    fails("CR alone", "CR is nowhere", canonical.replace("Ag\n", "Ag\r\n")),
    fails("byte order mark", "the file begins with $", `\ufeff${canonical}`),
    fails("tab after the colon", "a space stands there", canonical.replace("URL: ", "URL:\t")),
    fails("tab in a comment", "control characters are nowhere", canonical.replace("shared with", "shared\twith")),
    fails("escape in a comment", "control characters are nowhere", canonical.replace("shared", "\u001b[2J")),
    fails(
      "right-to-left override in a comment",
      "it hides what stands there",
      canonical.replace("shared", "\u202eshared"),
    ),
    fails(
      "line separator in a comment",
      "YAML 1.1 breaks a line at U+2028",
      canonical.replace("shared", "\u2028B: st1.AQ"),
    ),
    fails("next line in a comment", "YAML 1.1 breaks a line at U+0085", canonical.replace("shared", "\u0085B: st1.AQ")),
    fails("nul", "control characters are nowhere", canonical.replace("st1.Ag", "st1.Ag\0")),
    fails("fullwidth letter in a name", "names are ASCII", canonical.replace("STRIPE", "\uff33TRIPE")),
    {
      name: "not UTF-8",
      comment: "a comment with the byte ff; file_hex stands for file",
      input: { scope: testScope, file_hex: Buffer.from(`${head}\n# \u00ff\nA: st1.AQ\n`, "latin1").toString("hex") },
      expect: "malformed",
    },
  ];
}

function reads(name: string, comment: string, file: string, records: readonly Fields[], scope = testScope): Vector {
  return { name, comment, input: { scope, file }, expect: "ok", output: { records } };
}

function fails(name: string, comment: string, file: string, scope = testScope): Vector {
  return { name, comment, input: { scope, file }, expect: "malformed" };
}
