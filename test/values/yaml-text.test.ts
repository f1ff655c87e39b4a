import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { Secret } from "../../src/secret/secret.ts";
import { parseSecretName } from "../../src/secret/address.ts";
import { parseYaml, printYaml } from "../../src/values/yaml-text.ts";
import { entriesOf, failureOf, hardTexts, plain, secretValue, textEntries, textValue } from "./entry-samples.ts";

function textsOf(text: string): unknown[] {
  return [...parseYaml(text).values()].map((secret) => secret.revealText());
}

describe("parseYaml", () => {
  it("reads every scalar as the text it is written as", () => {
    const text = "A: yes\nB: 0755\nC: 1_000\nD: 1e3\nE: ~\nF:\nG: 'x'\nH: 1.10\nI: 2001-01-01\nJ: null\n";
    expect(textsOf(text)).toEqual(["yes", "0755", "1_000", "1e3", "~", "", "x", "1.10", "2001-01-01", "null"]);
  });

  it("reads !!binary as bytes, with white space between", () => {
    const entries = parseYaml("A: !!binary |\n  AAH+\n  /w==\n");
    expect(plain(entries)).toEqual([["A", "binary", "0001feff"]]);
  });

  it("reads an empty text, a comment and a flow map", () => {
    expect(parseYaml("").size).toBe(0);
    expect(parseYaml("# nothing\n").size).toBe(0);
    expect(textsOf("{A: b, B: 2}")).toEqual(["b", "2"]);
  });

  it("keeps __proto__ as a name", () => {
    expect(plain(parseYaml("__proto__: x\n"))).toEqual([["__proto__", "text", "78"]]);
  });

  it.each([
    ["an anchor", "A: 1\nB: &canary x\n", 2],
    ["an anchor on a name", "A: 1\n&canary B: x\n", 2],
    ["an anchor on the map", "&canary\nA: 1\n", 2],
    ["an alias", "A: 1\nB: *canary\n", 2],
    ["a merge of an alias", "A: 1\n<<: *canary\n", 2],
    ["a tag", "A: 1\nB: !!str canary\n", 2],
    ["a local tag", "A: !canary 1\n", 1],
    ["a tag on a name", "!!str A: canary\n", 1],
    ["a second document", "A: 1\n---\nB: canary\n", 2],
    ["a directive", "%YAML 1.1\n---\nA: canary\n", 1],
    ["a name twice", "A: canary\nB: 2\nA: 3\n", 3],
    ["a nested map", "A:\n  B: canary\n", 2],
    ["a list", "A:\n  - canary\n", 2],
    ["a flow list", "A: [canary]\n", 1],
    ["a list at the top", "- canary\n", 1],
    ["a text at the top", "canary\n", 1],
    ["a name without a value", "{canary}", 1],
    ["a map as a name", "{a: canary}: 1\n", 1],
    ["a quote that is not closed", 'A: 1\nB: "canary\n', 3],
    ["two colons", "A: b: canary\n", 1],
    ["base64 that is not canonical", "A: !!binary canary=\n", 1],
    ["half of a surrogate pair", 'A: "canary\\ud800"\n', 1],
    ["a byte order mark", "\uFEFFA: canary\n", 1],
  ])("refuses %s with its line and without its content", (_what, text, line) => {
    const error = failureOf(() => parseYaml(text));
    expect(error).toMatchObject({ code: "E_INPUT_INVALID", line });
    expect(String((error as Error).message)).not.toContain("canary");
    expect((error as Error).cause).toBeUndefined();
  });

  it("refuses a merge key and any other name that is not a secret name", () => {
    expect(failureOf(() => parseYaml("A: 1\n<<: x\n"))).toMatchObject({ code: "E_NAME_INVALID", line: 2 });
    expect(failureOf(() => parseYaml("'a b': x\n"))).toMatchObject({ code: "E_NAME_INVALID", line: 1 });
  });

  it.each(["A: " + "[".repeat(100_000), "A: " + "{a: ".repeat(50_000), "A:\n  " + "- ".repeat(50_000)])(
    "refuses deep nesting without recursing into it",
    (text) => {
      expect(failureOf(() => parseYaml(text))).toMatchObject({ code: "E_INPUT_INVALID" });
    },
  );

  it("refuses a text of more than 8 Mi characters", () => {
    const error = failureOf(() => parseYaml(`A: ${"x".repeat(8 * 1024 * 1024)}`));
    expect(error).toMatchObject({ code: "E_INPUT_INVALID" });
  });

  it("throws only its own errors, whatever the text", () => {
    const fragments = fc.constantFrom(
      "A",
      ":",
      " ",
      "\n",
      "-",
      "?",
      "&a",
      "*a",
      "!x ",
      "|",
      "'",
      '"',
      "{",
      "}",
      "[",
      ",",
      "#",
      "---",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 16 }), (parts) => {
        try {
          parseYaml(parts.join(""));
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^E_(?:INPUT|NAME)_INVALID$/) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("printYaml", () => {
  it("reads back byte for byte", () => {
    fc.assert(
      fc.property(entriesOf(secretValue), (entries) => {
        expect(plain(parseYaml(printYaml(entries)))).toEqual(plain(entries));
      }),
      { numRuns: 1000 },
    );
  });

  it.each(["1.1", "1.2"] as const)("gives a YAML %s parser the same strings", (version) => {
    const same = (entries: Map<string, string>) => {
      const secrets = new Map([...entries].map(([name, text]) => [parseSecretName(name), Secret.text(text)]));
      const map: unknown = parse(printYaml(secrets), { version, mapAsMap: true });
      expect(entries.size === 0 ? new Map() : map).toEqual(entries);
    };
    same(new Map(hardTexts.map((text, index) => [`V${index}`, text])));
    fc.assert(fc.property(entriesOf(textValue), same), { numRuns: 500 });
  });

  it("shows plain values plain and lines as lines", () => {
    const key = "-----BEGIN TEST KEY-----\nAAAA\n-----END TEST KEY-----\n";
    expect(printYaml(textEntries("postgres://app@db/app", "two words", "yes", key, "a\nb"))).toBe(
      [
        "V0: postgres://app@db/app",
        'V1: "two words"',
        'V2: "yes"',
        "V3: |",
        "  -----BEGIN TEST KEY-----",
        "  AAAA",
        "  -----END TEST KEY-----",
        "V4: |-",
        "  a",
        "  b",
        "",
      ].join("\n"),
    );
  });

  it("writes white space that an editor could lose as escapes", () => {
    expect(printYaml(textEntries("a \nb", "a\r\nb", "\u2028\u00a0", "a\u0000"))).toBe(
      ['V0: "a \\nb"', 'V1: "a\\r\\nb"', 'V2: "\\u2028\\xA0"', 'V3: "a\\x00"', ""].join("\n"),
    );
  });

  it("writes bytes that are not UTF-8 as !!binary, also in a value marked as text", () => {
    const entries = new Map([[parseSecretName("A"), Secret.of(Uint8Array.of(0xff, 0xfe), "text")]]);
    expect(printYaml(entries)).toBe('A: !!binary "//4="\n');
  });

  it("prints no entries as an empty map", () => {
    expect(parseYaml(printYaml(new Map())).size).toBe(0);
  });
});
