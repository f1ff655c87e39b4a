import { parse } from "dotenv";
import fc from "fast-check";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { parseDotenv, printDotenv } from "../../src/values/dotenv-text.ts";
import { failureOf, hardTexts, plain, textEntries, textValue } from "./entry-samples.ts";
import { readByShell } from "./shell-reader.ts";

const note = "# a POSIX shell reads the next value differently\n";

function fits(text: string): boolean {
  try {
    printDotenv(textEntries(text));
    return true;
  } catch (error) {
    if (hasCode(error, "E_VALUE_UNFIT")) return false;
    throw error;
  }
}

function textsOf(text: string): [string, string | undefined][] {
  return [...parseDotenv(text)].map(([name, secret]) => [name, secret.revealText()]);
}

describe("parseDotenv", () => {
  it("reads what the library reads", () => {
    const text = [
      "# comment",
      "",
      "A=1",
      "export B = two words # note",
      "C: colon",
      "D='single #1'",
      'E="a\\nb"',
      'F=`it\'s "x"`',
      'G="line one',
      'line two"',
      "H=",
      "I=''",
      "J='it's'",
      "K=a=b",
      "l.m-n=1",
    ].join("\n");
    expect(textsOf(text)).toEqual(Object.entries(parse(text)));
    expect(textsOf(text)).toHaveLength(12);
  });

  it("reads CRLF files and keeps __proto__", () => {
    expect(textsOf("A=1\r\n__proto__=x\r\n")).toEqual([
      ["A", "1"],
      ["__proto__", "x"],
    ]);
  });

  it.each([
    ["a name twice", "A=1\n\nA=canary\n", 3, "E_INPUT_INVALID"],
    ["__proto__ twice", "__proto__=1\n__proto__=canary\n", 2, "E_INPUT_INVALID"],
    ["a line that is no assignment", "A=1\ncanary\n", 2, "E_INPUT_INVALID"],
    ["a name with a space", "A=1\ncan ary=2\n", 2, "E_INPUT_INVALID"],
    ["a name that is not a secret name", "A=1\n1canary=2\n", 2, "E_NAME_INVALID"],
    ["a quote that is not closed", 'A=1\nB="canary\nC=3\n', 2, "E_INPUT_INVALID"],
    ["a lone quote", "B='\n", 1, "E_INPUT_INVALID"],
    ["text after the closing quote", "B='can' ary\n", 1, "E_INPUT_INVALID"],
    ["a byte order mark", "\uFEFFA=canary\n", 1, "E_INPUT_INVALID"],
    ["a second line after a multi-line value", 'A="1\ncanary" x\nB=2\n', 1, "E_INPUT_INVALID"],
    ["an assignment behind a line separator in a comment", "# x\u2028B=canary\n", 2, "E_INPUT_INVALID"],
  ])("refuses %s with its line and without its content", (_what, text, line, code) => {
    const error = failureOf(() => parseDotenv(text));
    expect(error).toMatchObject({ code, line });
    expect((error as Error).message).not.toContain("canary");
  });

  it("either reads what the library reads or refuses", () => {
    const parts = fc.constantFrom(
      "A",
      "B",
      "=",
      "'",
      '"',
      "`",
      "\n",
      " ",
      "#",
      "\\",
      "x",
      "\\n",
      "export ",
      ": ",
      "\r",
      "\u2028",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 14 }), (fragments) => {
        const text = fragments.join("");
        let entries: ReturnType<typeof parseDotenv>;
        try {
          entries = parseDotenv(text);
        } catch (error) {
          expect(hasCode(error, "E_INPUT_INVALID", "E_NAME_INVALID")).toBe(true);
          return;
        }
        expect(Object.fromEntries([...entries].map(([name, secret]) => [name, secret.revealText()]))).toEqual(
          parse(text),
        );
      }),
      { numRuns: 5000 },
    );
  });
});

describe("printDotenv", () => {
  it("is read back alike by Node, by dotenv and by itself", () => {
    fc.assert(
      fc.property(fc.array(textValue.filter(fits), { maxLength: 8 }), (texts) => {
        const entries = textEntries(...texts);
        const expected = Object.fromEntries(texts.map((text, index) => [`V${index}`, text]));
        const text = printDotenv(entries);
        expect(parse(text)).toEqual(expected);
        expect({ ...parseEnv(text) }).toEqual(expected);
        expect(plain(parseDotenv(text))).toEqual(plain(entries));
      }),
      { numRuns: 1000 },
    );
  });

  it("is read back by a POSIX shell too, except below a comment that says so", () => {
    const sample = [...hardTexts, ...fc.sample(textValue, { numRuns: 400, seed: 5 })].filter(fits);
    const same = sample.filter((text) => !printDotenv(textEntries(text)).startsWith(note));
    expect(same.length).toBeGreaterThan(200);
    const script = printDotenv(textEntries(...same));
    expect(
      readByShell(
        script,
        same.map((_, index) => `V${index}`),
      ),
    ).toEqual(same);
  });

  it("never makes a shell run a part of a value", () => {
    const command = "kill $$";
    const wrappers = [
      "'$(@)",
      "'`@`",
      "'${x:-$(@)}",
      "'$[x[$(@)]]",
      '\'"; @; "',
      "`@`",
      "\\\n@\n",
      "x' @\\",
      "';@;'",
      "#\n@\\",
    ];
    const texts = wrappers.map((wrapper) => wrapper.replace("@", () => command)).filter(fits);
    const output = readByShell(printDotenv(textEntries(...texts, "last")), [`V${texts.length}`]);
    expect(output).toEqual(["last"]);
  });

  it.each([
    ["word", "V0=word\n"],
    ["", "V0=''\n"],
    ["two words", "V0='two words'\n"],
    ["a\nb", "V0='a\nb'\n"],
    ["$HOME", "V0='$HOME'\n"],
    ["it's", 'V0="it\'s"\n'],
    ["it's $5", `${note}V0="it's $5"\n`],
    ["C:\\dir\\", `${note}V0=C:\\dir\\\n\n`],
  ])("writes %j", (text, expected) => {
    expect(printDotenv(textEntries(text))).toBe(expected);
  });

  it.each(["a\rb", "a\r\nb", 'it\'s "x"', "it's $(id)", "it's `id`", "it's a\\nb", "a b\\", "a\0b"])(
    "refuses %j",
    (text) => {
      const error = failureOf(() => printDotenv(textEntries("fits", text)));
      expect(error).toMatchObject({ code: "E_VALUE_UNFIT" });
      expect((error as Error).message).toContain("V1");
      expect((error as Error).message).not.toContain(text);
    },
  );
});
