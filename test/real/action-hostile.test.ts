import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import { maskLog, printForms, secretPieces } from "../support/job-log.ts";
import { nastyValues } from "../support/nasty-values.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { runPost, runStep, type StepResult } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const long = Buffer.alloc(60_000, "0123456789 abcdef/").toString("latin1");
/** By name: what a runner, a shell, a terminal or a parser of its files could take for its own. */
const hostile: Readonly<Record<string, string>> = {
  COMMAND: "test\n::add-mask::x\n::set-output name=a::b\n::stop-commands::y",
  OLD_COMMAND: "test ##[add-mask]x\r\n##[set-env name=PATH]/tmp\n##vso[task.setvariable variable=a]b",
  PERCENT: "test%0A::error::x%0D%250A%",
  DELIMITER: "test\nEOF\nsealtree_\nPATH=/tmp\nA<<EOF\nx\nEOF",
  CARRIAGE: "test\r::error::x\rlast line",
  SEPARATORS: "test-a\u2028::error::b\u2029c\u0085d\ufeff",
  TERMINAL: "test-\u001b[2J\u001b]0;x\u0007",
  EXPRESSION: "test-${{ secrets.X }} $(id) `id` ${HOME} 'a' \"b\" \\",
  SPACES: " \t test in the middle \t ",
  EMOJI: "test 😀 👨‍👩‍👧 é",
  PEM: nastyValues["PEM"]?.toString() ?? "",
  LONG: `test-${long}-end`,
  "stop-commands": "test-value-of-a-name",
  "add.mask": "test-value-of-another",
};
const values = Object.values(hostile);
const variables = new Map(
  Object.entries(hostile).map(([name, value]) => [name.replaceAll(/[.-]/g, "_").toUpperCase(), value]),
);

let repository: TestRepository;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  repository = await createSealedRepository();
  await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: JSON.stringify(hostile) });
  for (const [name, stdin] of [
    ["NUL", "test\0value"],
    ["NOT_UTF8", Buffer.alloc(20, 0xff)],
  ] as const) {
    await repository.ok(["set", `prod/odd/${name}`, "--stdin"], { stdin });
    await repository.ok(["set", `prod/odd/A_${name}`, "--stdin"], { stdin: `test-value-before-${name}` });
  }
  const identity = readFileSync(defaultIdentityFile(repository.env), "utf8");
  env = { HOME: makeThrowAway("sealtree-job-"), SEALTREE_IDENTITY: identity };
});

async function step(inputs: Readonly<Record<string, string>>): Promise<StepResult> {
  return await runStep({ workspace: repository.root, env, inputs });
}

function expectQuiet(result: StepResult, later: string): void {
  const { log, summary, outputs, state, masks, commands, annotations } = result;
  expect([commands, annotations]).toEqual([[], []]);
  const seen = [log, summary, outputs.get("names"), outputs.get("file"), ...state.values()].join("\n");
  const shown = maskLog(later, masks);
  for (const value of values) {
    for (const piece of secretPieces(value)) {
      // Not with toContain: the report of a failure would hold all of it.
      expect([seen.includes(piece), shown.includes(piece)]).toEqual([false, false]);
    }
  }
}

describe("the built Action with hostile names and values", () => {
  it.each(["env", "outputs"])("hands them to %s as they are, and no later step can show one", async (to) => {
    const result = await step({ command: "export", scopes: "prod/api", to });
    expect(result.code).toBe(0);
    const own = ["count", "names"];
    const given = to === "env" ? result.variables : new Map([...result.outputs].filter(([key]) => !own.includes(key)));
    expect(new Map(given)).toEqual(variables);
    expect([result.variables.size, result.outputs.size]).toEqual([
      to === "env" ? variables.size : 0,
      given.size + 2 - (to === "env" ? given.size : 0),
    ]);
    // What the next step prints, as a process of its own that has the variables.
    const program = "for (const name of process.argv.slice(1)) console.log(name, process.env[name])";
    const next = execFileSync(process.execPath, ["-e", program, ...given.keys()], {
      env: Object.fromEntries(given),
      encoding: "utf8",
    });
    expect(next).toContain("test-value-of-another");
    expectQuiet(result, [next, ...values.map(printForms)].join("\n"));
  });

  it("writes them to a file as they are, which the post step removes", async () => {
    const file = join(makeThrowAway("sealtree-file-"), "%0A::notice::of a file.json");
    const inputs = { command: "export", scopes: "prod/api", to: "file", file, format: "json" };
    const result = await step(inputs);
    expect([result.code, JSON.parse(readFileSync(file, "utf8"))]).toEqual([0, hostile]);
    expectQuiet(result, values.map(printForms).join("\n"));
    const post = await runPost({ workspace: repository.root, env, inputs }, result.state);
    expect([post.code, existsSync(file), post.commands]).toEqual([0, false, []]);
  });

  it("gives them to the script of run, obeys nothing that it prints, and shows none", async () => {
    const run = [
      ...[...variables.keys()].flatMap((name) => [
        `printf '%s\\n' "$${name}"`,
        `printf '%s' "$${name}" | base64 -w0; echo`,
        `printf 'ab%s' "$${name}" | base64 -w0; echo`,
      ]),
      `printf '\\r::add-mask::known\\r##[error]known\\n'; echo '::error::known' >&2`,
      `for name in ${[...variables.keys()].join(" ")}; do printenv "$name" > /dev/null && echo "has $name"; done`,
    ].join("\n");
    const result = await step({ command: "run", scopes: "prod/api", run });
    expect([result.code, result.variables.size, result.masks.includes("known")]).toEqual([0, 0, false]);
    const has = result.log.split("\n").filter((line) => line.startsWith("has "));
    expect(has).toEqual([...variables.keys()].map((name) => `has ${name}`));
    expectQuiet(result, "");
  });

  it.each(["NUL", "NOT_UTF8"])("hands over none when one is %s, which a variable cannot hold", async (name) => {
    for (const to of ["env", "outputs"]) {
      const result = await step({ command: "export", scopes: "prod/odd", only: `A_${name},${name}`, to });
      expect([result.code, result.variables.size, result.outputs.size]).toEqual([2, 0, 0]);
      expect(result.annotations[0]?.message).toContain(`the value of ${name} is binary`);
    }
  });
});

describe("the built Action with hostile inputs", () => {
  it.each([
    { scopes: "::add-mask::x\n::error::y" },
    { scopes: "prod/api", only: "%0A::error::y" },
    { scopes: "prod/api", to: "file", file: "a%0A::error::y\n##[add-mask]x" },
    { scopes: "prod/api", "##[add-mask]x": "y" },
  ])("refuses %j, and repeats nothing of it", async (inputs) => {
    const result = await step({ command: "export", ...inputs } as Record<string, string>);
    expect(result).toMatchObject({ commands: [], variables: new Map(), outputs: new Map() });
    expect([result.code === 0, result.annotations.length]).toEqual([false, 1]);
    expect(result.raw).not.toMatch(/add-mask[:\]]+x|error::y/);
  });
});
