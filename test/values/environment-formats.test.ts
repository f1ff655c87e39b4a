import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RandomSource } from "../../src/crypto/random.ts";
import { hasCode } from "../../src/errors.ts";
import { parseSecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";
import { printCompose } from "../../src/values/compose-text.ts";
import { printDocker } from "../../src/values/docker-text.ts";
import { environmentName, environmentNames } from "../../src/values/environment-name.ts";
import { printGithub } from "../../src/values/github-text.ts";
import { printShell } from "../../src/values/shell-text.ts";
import { printSystemd } from "../../src/values/systemd-text.ts";
import { isTextFormatName, textFormats } from "../../src/values/text-formats.ts";
import { failureOf, hardTexts, textEntries, textValue } from "./entry-samples.ts";
import { readByShell } from "./shell-reader.ts";

const zeros: RandomSource = (size) => new Uint8Array(size);
const withoutNul = textValue.filter((text) => !text.includes("\0"));

describe("environmentName", () => {
  it.each([
    ["STRIPE_KEY", "STRIPE_KEY"],
    ["apiKey", "apiKey"],
    ["mcp.bun.apiKey", "MCP_BUN_APIKEY"],
    ["a-b", "A_B"],
    ["_x.1", "_X_1"],
  ])("turns %s into %s", (name, variable) => {
    expect(environmentName(parseSecretName(name))).toBe(variable);
  });

  it("refuses two names that become one variable", () => {
    const names = ["a.b", "c", "A_B"].map(parseSecretName);
    const error = failureOf(() => environmentNames(names));
    expect(error).toMatchObject({ code: "E_NAME_CLASH", message: "a.b and A_B both become the variable A_B" });
    expect([...environmentNames(names.slice(0, 2))]).toEqual([
      ["a.b", "A_B"],
      ["c", "c"],
    ]);
  });
});

describe("the formats for an environment", () => {
  const formats = ["dotenv", "shell", "docker", "compose", "systemd", "github"] as const;

  it.each(formats)("%s refuses binary values and NUL, and names the secret", (format) => {
    for (const secret of [
      Secret.of(Uint8Array.of(65), "binary"),
      Secret.of(Uint8Array.of(255), "text"),
      Secret.text("a\0b"),
    ]) {
      const error = failureOf(() => textFormats[format].print(new Map([[parseSecretName("a.b"), secret]]), zeros));
      expect(error).toMatchObject({ code: "E_VALUE_UNFIT" });
      expect((error as Error).message).toContain(`a.b does not fit the format ${format}`);
    }
  });

  it.each(formats)("%s refuses names that clash and prints variables", (format) => {
    const clash = new Map(["a.b", "a-b"].map((name) => [parseSecretName(name), Secret.text("x")]));
    expect(failureOf(() => textFormats[format].print(clash, zeros))).toMatchObject({ code: "E_NAME_CLASH" });
    expect(textFormats[format].print(new Map([[parseSecretName("a.b"), Secret.text("x")]]), zeros)).toContain("A_B");
  });

  it("has only its own names in the registry", () => {
    expect(isTextFormatName("yaml")).toBe(true);
    expect(isTextFormatName("toString")).toBe(false);
  });
});

describe("printShell", () => {
  it("gives a POSIX shell every value exactly", () => {
    const texts = [...hardTexts, ...fc.sample(withoutNul, { numRuns: 400, seed: 3 })].filter(
      (text) => !text.includes("\0"),
    );
    const names = texts.map((_, index) => `V${index}`);
    expect(readByShell(printShell(textEntries(...texts)), names)).toEqual(texts);
  });

  it("exports with single quotes", () => {
    expect(printShell(textEntries("it's"))).toBe("export V0='it'\\''s'\n");
  });
});

describe("printDocker", () => {
  it("is raw lines, as docker splits them", () => {
    fc.assert(
      fc.property(
        fc.array(
          withoutNul.filter((text) => !/[\r\n]/.test(text)),
          { maxLength: 6 },
        ),
        (texts) => {
          const lines = printDocker(textEntries(...texts))
            .split("\n")
            .slice(0, -1);
          expect(lines.map((line) => line.replace(/^V\d+=/, ""))).toEqual(texts);
        },
      ),
    );
  });

  it.each(["a\nb", "a\r", "x".repeat(64 * 1024 - 3)])("refuses a line break and more than 64 KiB", (text) => {
    expect(failureOf(() => printDocker(textEntries(text)))).toMatchObject({ code: "E_VALUE_UNFIT" });
  });

  it("takes the longest line docker reads", () => {
    expect(printDocker(textEntries("x".repeat(64 * 1024 - 4)))).toHaveLength(64 * 1024);
  });
});

describe("printCompose", () => {
  it("is read back by the rules of compose's parser, old and new, or refused", () => {
    const odd = fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "{", "#", "\n", " ", "a", "n"), maxLength: 8 });
    let printed = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(withoutNul, odd), { maxLength: 3 }), (texts) => {
        const text = findPrinted(textEntries(...texts));
        if (text === undefined) return;
        printed++;
        expect(readComposeFile(text)).toEqual(texts.map((value, index) => [`V${index}`, value]));
      }),
      { numRuns: 1000 },
    );
    expect(printed).toBeGreaterThan(300);
  });

  it.each(["a\r", "a b\\", "it's $HOME", `it's "so"`, "it's \\n"])("refuses %j, which would need an escape", (text) => {
    expect(failureOf(() => printCompose(textEntries(text)))).toMatchObject({ code: "E_VALUE_UNFIT" });
  });

  it("quotes only where it has to", () => {
    expect(printCompose(textEntries("word", "a b", "it's", ""))).toBe("V0=word\nV1='a b'\nV2=\"it's\"\nV3=''\n");
  });
});

describe("printSystemd", () => {
  it("is read back by the rules of EnvironmentFile", () => {
    const value = withoutNul.filter((text) => !/\p{Noncharacter_Code_Point}/u.test(text));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), (texts) => {
        expect(readEnvironmentFile(printSystemd(textEntries(...texts)))).toEqual(
          texts.map((text, index) => [`V${index}`, text]),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses a noncharacter, which systemd drops with the whole variable", () => {
    expect(failureOf(() => printSystemd(textEntries("a\uFFFF")))).toMatchObject({ code: "E_VALUE_UNFIT" });
  });

  it("quotes only where it has to", () => {
    expect(printSystemd(textEntries("word", 'a "b" $c\\', ""))).toBe('V0=word\nV1="a \\"b\\" \\$c\\\\"\nV2=\n');
  });
});

describe("printGithub", () => {
  it("is read back by the rules of $GITHUB_ENV, whatever the values", () => {
    let calls = 0;
    const random: RandomSource = (size) => createHash("sha256").update(String(calls++)).digest().subarray(0, size);
    fc.assert(
      fc.property(fc.array(withoutNul, { maxLength: 6 }), (texts) => {
        expect(readGithubFile(printGithub(textEntries(...texts), random))).toEqual(
          texts.map((text, index) => [`V${index}`, text]),
        );
      }),
    );
  });

  it("takes another delimiter when the value has the first", () => {
    const draws = [Uint8Array.from({ length: 16 }, () => 0), Uint8Array.from({ length: 16 }, () => 1)];
    const text = printGithub(textEntries(`sealtree_${"00".repeat(16)}`), () => draws.shift() ?? new Uint8Array(16));
    expect(text.split("\n")[0]).toBe(`V0<<sealtree_${"01".repeat(16)}`);
  });

  it("gives up on a random source that repeats a delimiter in the value", () => {
    const error = failureOf(() => printGithub(textEntries(`sealtree_${"00".repeat(16)}`), zeros));
    expect(hasCode(error, "E_VALUE_UNFIT")).toBe(false);
    expect((error as Error).message).toBe("the random source repeats itself");
  });
});

function findPrinted(entries: Parameters<typeof printCompose>[0]): string | undefined {
  try {
    return printCompose(entries);
  } catch (error) {
    if (hasCode(error, "E_VALUE_UNFIT")) return undefined;
    throw error;
  }
}

/**
 * As compose-go reads an env_file: a quote ends at the next one without a backslash before it; within
 * double quotes, and without quotes, escapes and variables would be put in, so there must be none.
 */
function readComposeFile(text: string): [string, string][] {
  const entries: [string, string][] = [];
  let rest = text;
  while (rest !== "") {
    const [start = "", name = "", quote = ""] = /^(\w+)=(['"]?)/.exec(rest) ?? [];
    if (start === "") throw new Error("the text is no env_file");
    rest = rest.slice(start.length);
    let end = quote === "" ? rest.indexOf("\n") : rest.indexOf(quote);
    while (quote !== "" && rest[end - 1] === "\\") end = rest.indexOf(quote, end + 1);
    const value = rest.slice(0, end);
    if (quote !== "'" && /[$\\]/.test(value)) throw new Error("something would be put in");
    if (quote === "" && /[#\s]/.test(value)) throw new Error("a part would be taken for a comment");
    entries.push([name, value]);
    rest = rest.slice(end + quote.length);
    if (!rest.startsWith("\n")) throw new Error("a value goes on behind its end");
    rest = rest.slice(1);
  }
  return entries;
}

/** The grammar of systemd.exec(5), EnvironmentFile=, for assignments without comments. */
function readEnvironmentFile(text: string): [string, string][] {
  const entries: [string, string][] = [];
  let rest = text;
  while (rest !== "") {
    const match = /^(\w+)=(?:"((?:[^"\\]|\\[^])*)"|([^"\n'\\]*))\n/.exec(rest);
    if (match === null) throw new Error("the text is no environment file");
    entries.push([match[1] ?? "", match[3] ?? (match[2] ?? "").replace(/\\(["\\$`])/g, "$1")]);
    rest = rest.slice(match[0].length);
  }
  return entries;
}

/** The grammar of GitHub's workflow commands, Multiline strings. */
function readGithubFile(text: string): [string, string][] {
  const entries: [string, string][] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length - 1; index++) {
    const [name = "", delimiter = ""] = (lines[index] ?? "").split("<<");
    const end = lines.indexOf(delimiter, index + 1);
    entries.push([name, lines.slice(index + 1, end).join("\n")]);
    index = end;
  }
  return entries;
}
