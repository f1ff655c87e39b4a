import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, printJson } from "../../src/values/json-text.ts";
import { entriesOf, failureOf, plain, secretValue, textEntries } from "./entry-samples.ts";

describe("parseJson", () => {
  it("reads strings, escapes and white space", () => {
    const entries = parseJson(' {"A" : "b\\u00e9\\n\\/",\r\n\t"__proto__":""} ');
    expect([...entries].map(([name, secret]) => [name, secret.revealText()])).toEqual([
      ["A", "bé\n/"],
      ["__proto__", ""],
    ]);
  });

  it("reads a $binary object as bytes", () => {
    expect(plain(parseJson('{"A": {"$binary": "AP8="}}'))).toEqual([["A", "binary", "00ff"]]);
  });

  it.each([
    ['{"A": "canary",\n"B": 12345678901234567890}', 2, "the value of B is a number, not a string"],
    ['{"B": -1}', 1, "the value of B is a number, not a string"],
    ['{"B": true}', 1, "the value of B is true or false, not a string"],
    ['{"B": null}', 1, "the value of B is null, not a string"],
    ['{"B": ["canary"]}', 1, "the value of B is a list, not a string"],
    ['{"B": {"C": "canary"}}', 1, "B holds an object"],
    ['{"B": {}}', 1, "B holds an object"],
    ['{"B": {"$binary": "", "$binary": ""}}', 1, "B holds an object"],
    ['{"B": {"$binary": 1}}', 1, "the value of B.$binary is a number, not a string"],
    ['{"B": {"$binary": "canary"}}', 1, "the value of B is not base64"],
    ['{"B": "1",\n\n"\\u0042": "canary"}', 3, "the text has B twice"],
    ['{"B": "canary', 1, "the value of B is a broken string, not a string"],
    ['{"B": "can\nary"}', 1, "the value of B is a broken string, not a string"],
    ['{"B": "\\x"}', 1, "the value of B is a broken string, not a string"],
    ['{"B": "\\ud83d"}', 1, "the value of B has half of a surrogate pair"],
    ['{"B": "1" "C"}', 1, "the JSON has no comma or closing brace here"],
    ['{"B": "1",}', 1, "a name is something, not a string"],
    ['{"B" "1"}', 1, "the JSON has no colon after a name"],
    ['{"B": "1"} canary', 1, "the JSON goes on after its end"],
    ['["canary"]', 1, "the text is not a JSON object"],
    ["", 1, "the text is not a JSON object"],
    ["\uFEFF{}", 1, "the text begins with a byte order mark"],
  ])("refuses %j", (text, line, message) => {
    const error = failureOf(() => parseJson(text));
    expect(error).toMatchObject({ code: "E_INPUT_INVALID", line, message });
    expect((error as Error).cause).toBeUndefined();
  });

  it("refuses a name that is not a secret name without repeating it", () => {
    const error = failureOf(() => parseJson('{\n"can ary": "x"}'));
    expect(error).toMatchObject({ code: "E_NAME_INVALID", line: 2 });
    expect((error as Error).message).not.toContain("can ary");
  });

  it("accepts of JSON.parse's texts exactly the flat ones with strings", () => {
    const fragments = fc.constantFrom("{", "}", '"A"', '"B"', ":", ",", " ", '"x"', "1", "[]", '"$binary"', "\n", "\\");
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 9 }), (parts) => {
        const text = `{${parts.join("")}}`;
        let entries: ReturnType<typeof parseJson> | undefined;
        try {
          entries = parseJson(text);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^E_(?:INPUT|NAME)_INVALID$/) });
          return;
        }
        const texts = Object.fromEntries([...entries].map(([name, secret]) => [name, secret.revealText()]));
        if (!text.includes("$binary")) expect(JSON.parse(text)).toEqual(texts);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads a string of a million escapes", () => {
    expect(parseJson(`{"A": "${"\\n".repeat(1_000_000)}"}`).size).toBe(1);
  });
});

describe("printJson", () => {
  it("reads back byte for byte", () => {
    fc.assert(
      fc.property(entriesOf(secretValue), (entries) => {
        expect(plain(parseJson(printJson(entries)))).toEqual(plain(entries));
      }),
      { numRuns: 1000 },
    );
  });

  it("is what JSON.stringify prints for texts, with a final newline", () => {
    expect(printJson(textEntries("a", 'b "c"'))).toBe(`${JSON.stringify({ V0: "a", V1: 'b "c"' }, null, 2)}\n`);
    expect(printJson(new Map())).toBe("{}\n");
  });
});
