import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { maskLog, printForms, secretPieces } from "../support/job-log.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const pieces = [
  "::add-mask::x",
  "::set-output name=a::b",
  "::stop-commands::x",
  "##[add-mask]x",
  "##[error]x",
  "##vso[task.setvariable]x",
  "\n::error::x",
  "\r::warning::x",
  "%0A::notice::x",
  "%25",
  "%0D",
  "\r",
  "\n",
  "\r\n",
  "\u2028",
  "\u0085",
  "\ufeff",
  "<<EOF\n",
  "EOF",
  "A=b\n",
  "\u001b[2J",
  "$(id)`id`${{ secrets.X }}",
  "' \" \\",
  "é😀",
];
const names = ["EOF", "add-mask", "set-output", "stop-commands", "error", "group", "a.b-c", "_", "GITHUB", "count2"];
const hostileName = fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/));
// What a mask puts into the log is no part of a value here, so that it is not taken for one.
const hostileText = fc.array(
  fc
    .oneof(fc.constantFrom(...pieces), fc.string({ unit: "grapheme" }))
    .filter((text) => !/[\0*]|\$\{secret:/.test(text)),
  { maxLength: 6 },
);

/** Values by variable, each of its own and no shorter than a mask, under names that make no two of one variable. */
const scope = fc
  .uniqueArray(fc.tuple(hostileName, hostileText), {
    minLength: 1,
    maxLength: 6,
    selector: ([name]) => name.replaceAll(/[.-]/g, "_").toUpperCase(),
  })
  .map((items) =>
    Object.fromEntries(items.map(([name, texts], index) => [`S_${name}`, `test-${index}${texts.join("")}-canary`])),
  );

const variableOf = (name: string) => (/[.-]/.test(name) ? name.replaceAll(/[.-]/g, "_").toUpperCase() : name);

let repository: TestRepository;
let count = 0;
beforeAll(async () => {
  repository = await createSealedRepository();
});

/** Seals `values` in a scope of their own. */
async function seal(values: Readonly<Record<string, string>>): Promise<string> {
  const path = `prod/s${(count += 1)}`;
  await repository.ok(["import", path, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
  return path;
}

type Result = Awaited<ReturnType<typeof act>>;

/** Nothing was taken for a command, no value is in what anybody reads, and later steps can print none. */
function expectQuiet(result: Result, values: readonly string[]): void {
  expect([result.code, result.commands, result.annotations]).toEqual([0, [], []]);
  const shown = [result.log, result.summary, result.outputs.get("names"), ...result.state.values()].join("\n");
  const later = maskLog(values.map(printForms).join("\n"), result.masks);
  for (const value of values) {
    const forms = secretPieces(value);
    expect(forms.filter((form) => shown.includes(form))).toEqual([]);
    expect(forms.filter((form) => later.includes(form))).toEqual([]);
    expect(result.masks).toContain(value);
  }
}

describe("export of hostile names and values", () => {
  it.each(["env", "outputs"])("to %s hands over just these, and shows none", async (to) => {
    await fc.assert(
      fc.asyncProperty(scope, async (values) => {
        const scopes = await seal(values);
        const result = await act(repository, { command: "export", scopes, to });
        const expected = Object.entries(values).map(([name, value]) => [variableOf(name), value] as const);
        const { variables, outputs } = result;
        const given = to === "env" ? variables : new Map([...outputs].filter(([name]) => name.startsWith("S_")));
        expect(new Map(given)).toEqual(new Map(expected));
        expect([variables.size, outputs.size]).toEqual(to === "env" ? [expected.length, 2] : [0, expected.length + 2]);
        expectQuiet(result, Object.values(values));
      }),
      { numRuns: 6 },
    );
  });

  it("to a file writes just these, and shows none", async () => {
    await fc.assert(
      fc.asyncProperty(scope, async (values) => {
        const scopes = await seal(values);
        const file = join(repository.home, `${scopes.replaceAll("/", "-")}.json`);
        const result = await act(repository, { command: "export", scopes, to: "file", format: "json", file });
        expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(values);
        expect([...result.outputs.keys()].sort()).toEqual(["count", "file", "names"]);
        expectQuiet(result, Object.values(values));
      }),
      { numRuns: 5 },
    );
  });

  it.each([
    ["scopes", "prod/none ::add-mask::x\n::error::y"],
    ["only", "A%0A::error::y,##[error]z"],
    ["file", "x%0A::error::y\r\n##[add-mask]z"],
    ["to", "env\n::add-mask::x"],
    ["format", "::set-output"],
    ["working-directory", "a\n::error::y"],
  ])("refuses what is hostile in the input %s, and repeats nothing of it", async (name, written) => {
    const scopes = await seal({ S_KEY: "test-value-canary" });
    const to = name === "file" || name === "format" ? { to: "file", file: "/nonexistent/test.env" } : {};
    const result = await act(repository, { command: "export", scopes, ...to, [name]: written });
    expect(result).toMatchObject({ commands: [], variables: new Map(), outputs: new Map() });
    expect(result.code).not.toBe(0);
    expect(result.raw).not.toMatch(/add-mask::x|error::y|\]z/);
    expect(result.annotations.length).toBe(1);
  });

  it("hands over none when one cannot be, whichever it is", async () => {
    for (const odd of [{ S_ODD: { $binary: "//79AP/+/QA=" } }, { S_ODD: "test\0value" }, { S_ODD: "12345" }]) {
      const scopes = await seal({
        S_A: "test-value-first",
        ...(odd as Record<string, string>),
        S_Z: "test-value-last",
      });
      for (const to of ["env", "outputs"]) {
        const result = await act(repository, { command: "export", scopes, to });
        expect([result.code, result.variables.size, result.outputs.size]).toEqual([2, 0, 0]);
        expect(result.annotations[0]?.message).toContain("S_ODD");
      }
    }
  });
});

describe("outputs that differ only in case", () => {
  it("are refused, because one would be in place of the other", async () => {
    const scopes = await seal({ S_TOKEN: "test-value-one", s_token: "test-value-two" });
    const result = await act(repository, { command: "export", scopes, to: "outputs" });
    expect([result.code, result.outputs.size, result.annotations[0]?.message]).toEqual([
      2,
      0,
      expect.stringContaining("s_token would be in place of S_TOKEN"),
    ]);
    expect((await act(repository, { command: "export", scopes })).variables.size).toBe(2);
  });
});

describe("run with hostile names and values", () => {
  it("gives the script just these, obeys nothing that it prints, and shows none", async () => {
    await fc.assert(
      fc.asyncProperty(scope, async (values) => {
        const scopes = await seal(values);
        const variables = Object.keys(values).map(variableOf);
        const run = [
          ...variables.flatMap((name) => [
            `printf '%s\\n' "$${name}"`,
            `printf '%s' "$${name}" | base64 -w0; echo`,
            `printf 'x%s' "$${name}" | base64 -w0; echo`,
          ]),
          `echo '::add-mask::known'; echo '##[error]known' >&2; printf '\\r::error::known\\n'`,
          `compgen -e S_ | sort | tr '\\n' ' '`,
        ].join("\n");
        const result = await act(repository, { command: "run", scopes, run });
        expect(result.log.split("\n")).toContain("::add-mask::known");
        expect(result.log).toContain([...variables].sort().join(" "));
        expect([result.masks.includes("known"), result.variables.size]).toEqual([false, 0]);
        expect([...result.outputs.keys()]).toEqual(["count", "names", "status"]);
        expectQuiet(result, Object.values(values));
      }),
      { numRuns: 4 },
    );
  });
});
