import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { maxRecordChars } from "../../src/crypto/record.ts";
import { maxDropChars } from "../../src/crypto/sealed-header.ts";
import { hasCode } from "../../src/errors.ts";
import { parseScopePath, parseSecretName, type SecretName } from "../../src/secret/address.ts";
import { parseScopeFile, printScopeFile, type ScopeEntry } from "../../src/store/scope-file.ts";

const scope = parseScopePath("prod/api");
const record = "st1.AAAA";
const head = "$sealtree: 1\n$scope: prod/api\n";
const read = (text: string) => parseScopeFile(Buffer.from(text), scope);

function failure(text: string | Uint8Array): { code: string; line: number | undefined; message: string } {
  try {
    parseScopeFile(typeof text === "string" ? Buffer.from(text) : text, scope);
  } catch (error) {
    if (hasCode(error, "E_SCOPE_MALFORMED", "E_SCOPE_MOVED", "E_CONFLICT_MARKERS"))
      return { code: error.code, line: error.line, message: error.message };
    throw error;
  }
  throw new Error("it was read");
}

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/).map(parseSecretName);
const comments = fc.array(fc.stringMatching(/^[ -~é☃😀]{0,30}$/u), { maxLength: 3 });
const entries = fc
  .dictionary(names, fc.record({ record: fc.stringMatching(/^st1d?\.[A-Za-z0-9_-]{1,80}$/), comments }), {
    maxKeys: 12,
  })
  .map(
    (items) =>
      new Map(
        Object.entries(items).map(([name, item]) => [name as SecretName, { ...item, line: 0 } satisfies ScopeEntry]),
      ),
  );

describe("printScopeFile and parseScopeFile", () => {
  it("take a record and a drop as long as each may be, and no longer", () => {
    for (const [prefix, most] of [
      ["st1.", maxRecordChars],
      ["st1d.", maxDropChars],
    ] as const) {
      const line = (length: number) => `${head}\nA: ${prefix}${"A".repeat(length - prefix.length)}\n`;
      expect(read(line(most)).size).toBe(1);
      expect(failure(line(most + 1))).toMatchObject({ line: 4, message: expect.stringContaining("too long") });
    }
  });

  it("say how to make room where drops fill a scope", () => {
    const drop = { record: `st1d.${"A".repeat(maxDropChars - 5)}`, comments: [], line: 0 };
    const full = new Map(["A", "B", "C"].map((name) => [parseSecretName(name), drop]));
    expect(() => printScopeFile(scope, full)).toThrow(
      expect.objectContaining({
        hints: [expect.stringContaining("sealtree adopt prod/api"), "split it in two scopes"],
      }),
    );
  });

  it("read back what was written, for any names and comments", () => {
    fc.assert(
      fc.property(entries, (items) => {
        const back = read(printScopeFile(scope, items));
        expect([...back.keys()].sort()).toEqual([...items.keys()].sort());
        for (const [name, item] of items)
          expect(back.get(name)).toMatchObject({ record: item.record, comments: item.comments });
      }),
    );
  });

  it("write what any YAML reader takes for the same flat map of strings", () => {
    fc.assert(
      fc.property(entries, (items) => {
        const text = printScopeFile(scope, items);
        for (const version of ["1.1", "1.2"] as const) {
          const data = parse(text, { version, mapAsMap: true }) as Map<unknown, unknown>;
          const expected = new Map<unknown, unknown>([
            ["$sealtree", 1],
            ["$scope", "prod/api"],
          ]);
          for (const [name, item] of items) expected.set(name, item.record);
          expect(data).toEqual(expected);
        }
      }),
    );
  });

  it("quote names that YAML takes for something else", () => {
    const items = new Map(
      ["yes", "No", "null", "y", "E10", "TRUE", "on"].map((name) => [
        parseSecretName(name),
        { record, comments: [], line: 0 },
      ]),
    );
    expect(printScopeFile(scope, items).match(/^".*": /gm)).toHaveLength(7);
  });

  it("sort by name and put a blank line before each", () => {
    const items = new Map(
      ["b", "B", "a"].map((name) => [parseSecretName(name), { record, comments: [" about"], line: 0 }]),
    );
    expect(printScopeFile(scope, items)).toBe(
      `${head}\n# about\nB: ${record}\n\n# about\na: ${record}\n\n# about\nb: ${record}\n`,
    );
  });
});

describe("parseScopeFile", () => {
  it("reads records in any order, with any number of blank lines", () => {
    expect([...read(`${head}B: ${record}\n\n\n# x\nA: ${record}\n`).keys()]).toEqual(["B", "A"]);
  });

  it.each([
    ["a plaintext value", `${head}\nKEY: secret-canary\n`, 4],
    ["a quoted plaintext value", `${head}\nKEY: "secret-canary"\n`, 4],
    ["a duplicate", `${head}\nKEY: ${record}\nKEY: ${record}\n`, 5],
    ["an anchor", `${head}\nKEY: &canary ${record}\n`, 4],
    ["a tag", `${head}\nKEY: !!str ${record}\n`, 4],
    ["a flow map", `${head}\n{KEY: canary}\n`, 4],
    ["a tab", `${head}\nKEY:\t${record}\n`, 4],
    ["a trailing space", `${head}\nKEY: ${record} \n`, 4],
    ["a comment behind a record", `${head}\nKEY: ${record} # canary\n`, 4],
    ["a carriage return", `${head}\nKEY: ${record}\r\n`, 4],
    ["a byte order mark", `\ufeff${head}`, 1],
    ["another version", `$sealtree: 2\n$scope: prod/api\n`, 1],
    ["no scope line", `$sealtree: 1\nKEY: ${record}\n`, 2],
    ["an unquoted boolean name", `${head}\nyes: ${record}\n`, 4],
    ["a quoted plain name", `${head}\n"KEY": ${record}\n`, 4],
    ["a name with a slash", `${head}\na/b: ${record}\n`, 4],
    ["a comment that stands alone", `${head}\n# canary\n\nKEY: ${record}\n`, 5],
    ["a comment at the end", `${head}\nKEY: ${record}\n\n# canary\n`, 6],
    ["a comment with an escape", `${head}\n# \u001b]52;canary\nKEY: ${record}\n`, 4],
    ["a comment with a line separator", `${head}\n# a\u2028KEY: canary\nKEY: ${record}\n`, 4],
    ["no last newline", `${head}\nKEY: ${record}`, 4],
    ["two documents", `${head}---\nKEY: ${record}\n`, 3],
    ["a merge key", `${head}\n<<: ${record}\n`, 4],
    ["a block scalar", `${head}\nKEY: |\n  canary\n`, 4],
    ["an empty file", "", 1],
  ])("refuses %s and names the line, never what stands there", (_, text, line) => {
    const found = failure(text);
    expect(found).toMatchObject({ code: "E_SCOPE_MALFORMED", line });
    expect(found.message).not.toContain("canary");
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(failure(Buffer.concat([Buffer.from(`${head}\n# `), Buffer.from([0xff, 10])])).code).toBe(
      "E_SCOPE_MALFORMED",
    );
  });

  it("names the scope that a moved file was sealed for", () => {
    expect(failure(`$sealtree: 1\n$scope: prod/web\n`)).toMatchObject({
      code: "E_SCOPE_MOVED",
      message: "sealed for prod/web, found at prod/api",
    });
  });

  it("names the line of conflict markers", () => {
    expect(failure(`${head}\n<<<<<<< HEAD\nKEY: ${record}\n=======\nKEY: st1.BBBB\n>>>>>>> other\n`)).toMatchObject({
      code: "E_CONFLICT_MARKERS",
      line: 4,
    });
  });

  it("refuses more than 4 MiB without reading it", () => {
    expect(failure(Buffer.alloc(4 * 1024 * 1024 + 1, 35)).message).toContain("4 MiB");
  });

  it("refuses more than 10,000 records, and so does the writer", () => {
    const lines = Array.from({ length: 10_001 }, (_, index) => `\nKEY_${index}: ${record}\n`);
    expect(failure(head + lines.join("")).message).toContain("10,000");
    const items = new Map(
      Array.from({ length: 10_001 }, (_, index) => [parseSecretName(`K${index}`), { record, comments: [], line: 0 }]),
    );
    expect(() => printScopeFile(scope, items)).toThrow(/10,000/);
  });
});
