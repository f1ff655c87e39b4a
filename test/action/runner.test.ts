import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMaskable, listMasks } from "../../src/action/masks.ts";
import { createRunner } from "../../src/action/runner.ts";
import { Secret } from "../../src/secret/secret.ts";
import { prepareStep, readStep } from "../support/runner.ts";

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "::add-mask::x",
        "::set-output name=a::b",
        "##[error]x",
        "%0A",
        "%25",
        "\r",
        "\n",
        "::error::",
        "<<EOF",
      ),
      fc.string(),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

function open(random: (size: number) => Uint8Array = randomBytes) {
  const { env } = prepareStep({ workspace: "/", inputs: {} });
  let raw = "";
  const write = (chunk: string | Uint8Array) => {
    raw += Buffer.from(chunk).toString("utf8");
  };
  return { runner: createRunner({ env, write, random }), read: () => readStep(raw, env) };
}

describe("createRunner", () => {
  it("has nothing taken for a command, whatever is printed", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { runner, read } = open();
        runner.print(text);
        runner.annotate("notice", "after");
        expect(read()).toMatchObject({ masks: [], commands: [], annotations: [{ level: "notice", message: "after" }] });
      }),
      { numRuns: 50 },
    );
  });

  it("keeps an annotation one annotation, with its message, file and title as they are", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (message, file, title) => {
        const { runner, read } = open();
        runner.annotate("error", message, { file, title, line: 3 });
        const [annotation, ...others] = read().annotations;
        expect(others).toEqual([]);
        expect(annotation).toEqual({ level: "error", message, properties: { file, line: "3", title } });
      }),
      { numRuns: 50 },
    );
  });

  it("hands values over as they are, and no others", () => {
    fc.assert(
      fc.property(hostile, hostile, (one, two) => {
        fc.pre(!`${one}${two}`.includes("\0"));
        const { runner, read } = open();
        runner.setVariables(
          new Map([
            ["ONE", one],
            ["TWO", two],
          ]),
        );
        runner.setOutput("one", one);
        const { variables, outputs, raw } = read();
        expect([[...variables], [...outputs], raw]).toEqual([
          [
            ["ONE", one],
            ["TWO", two],
          ],
          [["one", one]],
          "",
        ]);
      }),
      { numRuns: 50 },
    );
  });

  it.each(["A=B", "A<<B", "A\nB", "", "1A", "A B"])("refuses the name %j", (name) => {
    const { runner, read } = open();
    expect(() =>
      runner.setVariables(
        new Map([
          ["FIRST", "test-value"],
          [name, "test-value"],
        ]),
      ),
    ).toThrow("has characters that a runner does not take");
    expect(read().variables.size).toBe(0);
  });

  it("refuses a value with the delimiter of its file in it, or a NUL", () => {
    const { runner, read } = open((size) => new Uint8Array(size).fill(0xab));
    const value = `x\nsealtree_${"ab".repeat(16)}\nPATH=/tmp`;
    expect(() => runner.setVariables(new Map([["A", value]]))).toThrow("A holds the delimiter of its file");
    expect(() => runner.setOutput("A", "a\0b")).toThrow("A has a NUL");
    expect(read()).toMatchObject({ variables: new Map(), outputs: new Map() });
  });

  it("leaves a report out of the summary that is too long for it", () => {
    const { runner, read } = open();
    runner.summarize("short");
    runner.summarize("x".repeat(1024 * 1024));
    expect(read().summary).toBe("short\n\nThe report is too long for a job summary.\n");
  });
});

describe("listMasks", () => {
  it("has the value, its lines of 4 characters, base64, JSON and URL forms", () => {
    const value = 'first line\nab\nfour\n"quoted" & more';
    const masks = listMasks(Secret.text(value));
    const base64 = Buffer.from(value).toString("base64");
    for (const form of [value, "first line", "four", base64, Buffer.from(value).toString("base64url")])
      expect(masks).toContain(form);
    for (const form of [JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) expect(masks).toContain(form);
    expect(masks).not.toContain("ab");
  });

  it("has none for a value whose every line is short, since the runner takes a mask apart into its lines", () => {
    for (const value of ["ab1\ncd2\nef3\ngh4", " ab1 \r\ncd2\r\nef3"])
      expect([isMaskable(Secret.text(value)), listMasks(Secret.text(value))]).toEqual([false, []]);
    expect(isMaskable(Secret.text("ab1\ncd2\nef34"))).toBe(true);
  });

  it.each(["", "1", "true", "12345", "    1    \n"])("has none for %j, which is too short", (value) => {
    expect([isMaskable(Secret.text(value)), listMasks(Secret.text(value))]).toEqual([false, []]);
  });
});
