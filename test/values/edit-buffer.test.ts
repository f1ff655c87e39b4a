import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseScopePath, parseSecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { parseEditBuffer, printEditBuffer } from "../../src/values/edit-buffer.ts";
import { entriesOf, failureOf, plain, secretValue, textEntries } from "./entry-samples.ts";

const scope = parseScopePath("dev/app");
const comment = fc.string({ unit: fc.constantFrom("a", " ", "#", "|", ":", "é", "\t", "-"), maxLength: 8 });

describe("printEditBuffer", () => {
  it("keeps records and the comments directly above them", () => {
    const record = fc.tuple(secretValue, fc.array(comment, { maxLength: 3 }));
    fc.assert(
      fc.property(entriesOf(record), (records) => {
        const entries = new Map([...records].map(([name, [secret]]) => [name, secret]));
        const comments = new Map([...records].map(([name, [, lines]]) => [name, lines]));
        const buffer = parseEditBuffer(printEditBuffer(scope, entries, comments));
        expect(plain(buffer.entries)).toEqual(plain(entries));
        expect(buffer.comments).toEqual(new Map([...comments].filter(([, lines]) => lines.length > 0)));
      }),
      { numRuns: 500 },
    );
  });

  it("prints a heading, then each record below its comments", () => {
    const comments = new Map([[parseSecretName("V1"), [" from the vault", "#!"]]]);
    const text = printEditBuffer(scope, textEntries("a", "b c"), comments);
    expect(text.split("\n").filter((line) => !line.startsWith("#|"))).toEqual([
      "",
      "V0: a",
      "",
      "# from the vault",
      "##!",
      'V1: "b c"',
      "",
    ]);
    expect(text).toMatch(/^#\| dev\/app: /);
  });

  it("throws rather than print a comment that would read back as something else", () => {
    const comments = new Map([[parseSecretName("V0"), [" a\nV1: b"]]]);
    expect(() => printEditBuffer(scope, textEntries("a"), comments)).toThrow(/reads? back differently/);
  });
});

describe("parseEditBuffer", () => {
  it("moves a comment with the record it stands above", () => {
    const { comments } = parseEditBuffer("#| heading\n\nB: 1\n#for A\nA: 2\n");
    expect(comments).toEqual(new Map([["A", ["for A"]]]));
  });

  it("drops only the heading at the start", () => {
    const { comments } = parseEditBuffer("#| one\n#| two\n\n#| mine\nA: 1\n");
    expect(comments).toEqual(new Map([["A", ["| mine"]]]));
  });

  it("takes # inside a value as part of the value", () => {
    const { entries, comments } = parseEditBuffer('A: |\n  # a\n  b # c\nB: "x # y"\n');
    expect([...entries.values()].map((secret) => secret.revealText())).toEqual(["# a\nb # c\n", "x # y"]);
    expect(comments.size).toBe(0);
  });

  it("reads a buffer with CRLF line ends", () => {
    const { entries, comments } = parseEditBuffer("#| heading\r\n\r\n# note\r\nA: 1\r\nB: |\r\n  x\r\n  y\r\n");
    expect(entries.get(parseSecretName("B"))?.equals(Secret.text("x\ny\n"))).toBe(true);
    expect(comments).toEqual(new Map([["A", [" note"]]]));
  });

  it.each([
    ["at the end", "A: 1\n# canary\n", 2],
    ["above an empty line", "# canary\n\nA: 1\n", 1],
    ["after a value", "A: 1 # canary\n", 1],
    ["after a block header", "A: | # canary\n  x\n", 1],
    ["that is indented", "A: 1\n # canary\nB: 2\n", 2],
    ["without records", "# canary\n", 1],
    ["after the document", "A: 1\n...\n# canary\n", 3],
  ])("refuses a comment %s, which a scope file cannot keep", (_where, text, line) => {
    const error = failureOf(() => parseEditBuffer(text));
    expect(error).toMatchObject({ code: "E_INPUT_INVALID", line });
    expect((error as Error).message).not.toContain("canary");
  });
});
