import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSealtreeError } from "../../src/errors.ts";
import { readIniTree } from "../../src/migrate/ini-tree.ts";
import { readJsonTree } from "../../src/migrate/json-tree.ts";
import { readPlain } from "../../src/migrate/read-plain.ts";
import { readYamlTrees } from "../../src/migrate/yaml-tree.ts";
import { textsOf } from "./fixtures.ts";

describe("a JSON tree", () => {
  test("keeps the order of names that are numbers, and the digits of numbers", () => {
    expect(
      textsOf(readPlain('{"b2": 1, "1": {"0": 12345678901234567890, "x": 1.50}, "a": [true, null, "é"]}', "json")),
    ).toEqual({
      b2: "1",
      "1.0": "12345678901234567890",
      "1.x": "1.50",
      "a.0": "true",
      "a.2": Buffer.from("é").toString("latin1"),
    });
    expect(readJsonTree('{"2": 1, "1": 2}').items.map(({ key }) => key)).toEqual(["2", "1"]);
  });

  test("accepts what JSON.parse accepts, and nothing else", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (data) => {
        fc.pre(!/\\ud[89a-f]/i.test(JSON.stringify(data)));
        expect(readJsonTree(JSON.stringify(data, null, 1)).items).toHaveLength(Object.keys(data).length);
      }),
      { numRuns: 100 },
    );
    for (const text of [
      "",
      "{",
      "[]",
      "1",
      '{"a" 1}',
      '{"a":1,}',
      '{"a":01}',
      '{"a":1} x',
      '{"a":"\\x"}',
      '{"a":1,"a":2}',
      '{"a":"\\ud800"}',
    ]) {
      expect(() => readJsonTree(text)).toThrow(expect.objectContaining({ code: "E_INPUT_INVALID" }));
    }
    expect(() => readJsonTree(`${'{"a":'.repeat(70)}1${"}".repeat(70)}`)).toThrow(/nested too deeply/);
  });
});

describe("a YAML tree", () => {
  test("keeps comments with what is below them, and types as the core schema does", () => {
    const [tree] = readYamlTrees("# one\na: 1\nb:\n  # two\n  c: x # three\n  d: 0x1F\n# last\n");
    expect(tree?.items[0]).toMatchObject({ key: "a", comments: [" one"], value: { type: "integer", text: "1" } });
    expect(tree?.items[1]?.value).toMatchObject({
      items: [{ comments: [" two", " three"] }, { value: { type: "integer", text: "31" } }],
    });
    expect(tree?.trailing).toEqual([" last"]);
  });

  test.each(["a: *x\n", "a: !secret x\n", "- a\n", "a: 1\na: 2\n", "a: [1\n", "just text\n"])("refuses %j", (text) => {
    expect(() => readYamlTrees(text)).toThrow(expect.objectContaining({ code: "E_INPUT_INVALID" }));
  });
});

test("an INI tree has the keys above every section first, and takes the quotes off", () => {
  const tree = readIniTree("top = 0\n[db]\n; note\nuser = joe\nurl = `https://h/;x`\n");
  expect(tree.items.map(({ key }) => key)).toEqual(["DEFAULT", "db"]);
  expect(tree.items[1]?.value).toMatchObject({
    items: [
      { key: "user", comments: ["note"], value: { text: "joe" } },
      { key: "url", value: { text: "https://h/;x" } },
    ],
  });
  expect(() => readIniTree("nothing\n")).toThrow(expect.objectContaining({ line: 1 }));
});

test("no text makes a reader fail in any other way than with E_INPUT_INVALID", () => {
  const readers = [readJsonTree, readYamlTrees, readIniTree];
  const text = fc.oneof(
    fc.string(),
    fc.string({
      unit: fc.constantFrom(
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "'",
        "#",
        "-",
        "&",
        "*",
        "!",
        "|",
        ">",
        " ",
        "\n",
        "\t",
        "a",
        "1",
      ),
    }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom(...readers), (input, reader) => {
      try {
        reader(input);
      } catch (error) {
        expect(isSealtreeError(error) && error.code).toBe("E_INPUT_INVALID");
        if (input.length > 8) expect(String(error)).not.toContain(input);
      }
    }),
    { numRuns: 300 },
  );
});
