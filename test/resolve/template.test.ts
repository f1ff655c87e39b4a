import { parse as parseWithDotenv } from "dotenv";
import fc from "fast-check";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { hasCode } from "../../src/errors.ts";
import { parseTemplate, templateFormatOf, type TemplateFormatName } from "../../src/resolve/template.ts";
import { textValue } from "../values/entry-samples.ts";
import { nastyTexts, places, referenceTo, renderWith, substitute } from "./template-samples.ts";

const one = referenceTo(0);
const two = referenceTo(1);

describe.each(["yaml", "json", "toml"] as const)("a template in %s", (format) => {
  const { template, read } = places[format];
  const tree = read(template);

  it("reads as the template's own tree with the values in it, for more than 200 nasty values", async () => {
    expect(nastyTexts.length).toBeGreaterThan(200);
    for (const [index, text] of nastyTexts.entries()) {
      const texts = [text, nastyTexts[(index * 7 + 3) % nastyTexts.length] ?? ""];
      expect(read(await renderWith(template, format, texts))).toEqual(substitute(tree, texts));
    }
  });

  it("does so for any two values", async () => {
    await fc.assert(
      fc.asyncProperty(textValue, textValue, async (first, second) => {
        const texts = [first, second];
        expect(read(await renderWith(template, format, texts))).toEqual(substitute(tree, texts));
      }),
      { numRuns: 150 },
    );
  });

  it("does so for a file with the line ends of Windows", async () => {
    const windows = template.replaceAll(/\r?\n/g, "\r\n");
    for (const text of nastyTexts) {
      const rendered = await renderWith(windows, format, [text, "b"]);
      expect(read(rendered)).toEqual(substitute(read(windows), [text, "b"]));
    }
  });

  it("changes nothing but the references when the values are plain", async () => {
    const expected = template
      .split("\n")
      .map((line) =>
        /COMMENT|\\u0024/.test(line)
          ? line.replace(/\\u0024\{secret:test\\\/nasty\/V0\}/, "abc")
          : line.replace(/\$?\$\{secret:test\/nasty\/V([01])\}/g, (found, index) =>
              found.startsWith("$$") ? found.slice(1) : index === "0" ? "abc" : "xyz",
            ),
      );
    const rendered = await renderWith(template, format, ["abc", "xyz"]);
    const changed = rendered.split("\n").filter((line, index) => line !== expected[index]);
    // A plain scalar with a space or a dollar gets quotes, so that nothing can be read into it.
    const quoted = format === "yaml" ? ["within:", "multi:", "escaped:", "? complex", ": abc", "last:"] : [];
    expect(changed.filter((line) => !quoted.some((start) => line.startsWith(start)))).toEqual([]);
  });
});

describe("a template in YAML", () => {
  it("leaves every document without references byte for byte", async () => {
    const text = "%YAML 1.2\n---\na:   1 # x\r\nb: [ 1,2 ]\n...\n--- !x\n- |\n  $${HOME} ${HOME}\n\n\n";
    expect(await renderWith(text, "yaml", [])).toBe(text);
  });

  it("renders several documents", async () => {
    const text = `a: ${one}\n---\nb: ${two}\n`;
    const rendered = parseAllDocuments(await renderWith(text, "yaml", ["1", "no"]));
    expect(rendered.map((document) => document.toJS() as unknown)).toEqual([{ a: "1" }, { b: "no" }]);
  });

  it("keeps what looks like a number, a date or a word of YAML a string", async () => {
    for (const text of ["1", "0755", "yes", "null", "~", "", "2026-01-02", "1e3", "0x1", ".inf", "12:30", "<<", "="])
      expect(parseYaml(await renderWith(`k: ${one}\n`, "yaml", [text]), { version: "1.1" })).toEqual({ k: text });
  });

  it("leaves it to a tag to make something else of a value", async () => {
    expect(parseYaml(await renderWith(`port: !!int ${one}\n`, "yaml", ["5432"]))).toEqual({ port: 5432 });
  });

  it("is not read into by a value that looks like more YAML", async () => {
    const text = `a: ${one}\nb: |\n  x\n  ${one}\nc: 2\n`;
    const value = 'x"\nadmin: true\nc: 3 # ';
    expect(parseYaml(await renderWith(text, "yaml", [value]))).toEqual({ a: value, b: `x\n${value}\n`, c: 2 });
  });
});

describe("a template in .env", () => {
  const template = `# ${one} stays\nexport A=${one} # why\nB = "x ${one} y"\r\nC='${one}'\nD=plain\nE=https://u:${two}@h\nF=$\${secret:x} \${HOME}\n`;

  it("reads in Node and dotenv as what the values say, or is refused", async () => {
    let fit = 0;
    for (const text of nastyTexts) {
      const rendered = await renderWith(template, "dotenv", [text, "b"]).catch((error: unknown) => {
        if (!hasCode(error, "E_VALUE_UNFIT")) throw error;
        return undefined;
      });
      if (rendered === undefined) continue;
      fit += 1;
      const expected = {
        A: text,
        B: `x ${text} y`,
        C: text,
        D: "plain",
        E: "https://u:b@h",
        F: "${secret:x} ${HOME}",
      };
      expect(parseWithDotenv(rendered)).toEqual(expected);
      expect({ ...parseEnv(rendered) }).toEqual(expected);
    }
    expect(fit).toBeGreaterThan(nastyTexts.length * 0.6);
  });

  it("keeps comments, order, line ends and what has no references", async () => {
    expect(await renderWith(template, "dotenv", ["v a", "w"])).toBe(
      `# ${one} stays\nexport A='v a' # why\nB = 'x v a y'\r\nC='v a'\nD=plain\nE=https://u:w@h\nF='\${secret:x} \${HOME}'\n`,
    );
  });
});

describe("a template in plain text", () => {
  it("has the values as they are", async () => {
    expect(await renderWith(`a=${one};"${two}" $\${secret:x} $\${y}`, "text", ['"', "\n"])).toBe(
      'a=";"\n" ${secret:x} $${y}',
    );
  });
});

describe("parseTemplate", () => {
  it("says line and column of every reference", async () => {
    const text = `a: 1\nb: [x, "${one}"]\nc: |\n  x\n  y ${two}\n`;
    const { references } = await parseTemplate(text, "yaml", "f");
    expect(references.map(({ address, line, column }) => [address.name, line, column])).toEqual([
      ["V0", 2, 9],
      ["V1", 5, 5],
    ]);
  });

  it.each<[TemplateFormatName, string, string]>([
    ["yaml", `a: 1\n${one}: 2\n`, "f:2:1: a name cannot be a secret"],
    ["yaml", `? [a, "${one}"]\n: 2\n`, "f:1:8: a name cannot be a secret"],
    ["json", `{\n "x${one}": 1}`, "f:2:4: a name cannot be a secret"],
    ["toml", `"${one}" = 1`, "f:1:2: a name cannot be a secret"],
    ["toml", `x = {"${one}" = 1}`, "f:1:7: a name cannot be a secret"],
    ["toml", `['${one}']`, "f:1:3: a name cannot be a secret"],
    ["toml", `[[a."${one}"]]`, "f:1:6: a name cannot be a secret"],
    ["yaml", "a: 1\nb: 'x ${secret:nope}'\n", "f:2:7: it begins as a reference does, and is none"],
    ["json", '{"a": "${secret: dev/K}"}', "f:1:8: it begins as a reference does, and is none"],
    ["text", "x\n\n ${secret:dev/K", "f:3:2: it begins as a reference does, and is none"],
  ])("refuses in %s %j", async (format, text, message) => {
    await expect(parseTemplate(text, format, "f")).rejects.toMatchObject({ code: "E_REFERENCE_INVALID", message });
  });

  it.each<[TemplateFormatName, string, number]>([
    ["yaml", `a: 1\nb: [${one}]\n`, 2],
    ["yaml", `a: {b: ${one}}\n`, 1],
    ["yaml", `a: 1\nb: !${one} x\n`, 2],
    ["yaml", "a: 'x\n", 2],
    ["json", `{"a": ${one}}`, 1],
    ["toml", `a = 1\nb = ${one}\n`, 2],
    ["dotenv", `A=1\nwhat ${one}\n`, 2],
  ])("refuses text that is no %s, with the line and without content", async (format, text, line) => {
    const error = await parseTemplate(text, format, "f").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_INPUT_INVALID", line });
    expect(String((error as Error).message)).not.toMatch(/secret:|test\/nasty|what/);
  });

  it("does not grow without end", async () => {
    const template = await parseTemplate(one.repeat(1000), "text", "f");
    const value = "x".repeat(1 << 20);
    expect(() => template.render(() => value)).toThrow("f with its values would have more than 64 Mi characters");
  });

  it("refuses YAML that is nested too deep to be read", async () => {
    await expect(parseTemplate("[".repeat(5000), "yaml", "f")).rejects.toMatchObject({ code: "E_INPUT_INVALID" });
  });

  it.each([
    ["config.yaml", "yaml"],
    ["a/b.YML", "yaml"],
    ["values.yaml.tmpl", "yaml"],
    ["x.json", "json"],
    ["Cargo.toml.in", "toml"],
    [".env", "dotenv"],
    [".env.production", "dotenv"],
    ["prod.env", "dotenv"],
    [".env.example", "dotenv"],
    ["nginx.conf", "text"],
    ["README", "text"],
  ])("takes %s for %s", (file, format) => {
    expect(templateFormatOf(file)).toBe(format);
  });
});
