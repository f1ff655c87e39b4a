import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPinnedAction, listUses, pinnedActions, printUse } from "../../src/github/pinned-actions.ts";
import { scheduleOf } from "../../src/github/schedule.ts";
import {
  findChoices,
  findRepositoryName,
  parseBranchName,
  parseEnvironment,
  parseRepositoryName,
  printChoices,
  type SetupChoices,
} from "../../src/github/setup-options.ts";
import { findWorkflowFile, printWorkflowFile } from "../../src/github/workflow-file.ts";
import { findDifferentLines } from "../../src/github/compare-lines.ts";

const choices: SetupChoices = {
  repository: "acme/api",
  branch: "main",
  environments: [
    { name: "production", targets: ["vault", "gh-prod"] },
    { name: "staging.eu", targets: [] },
  ],
  rotation: "pull-request",
  login: "app",
  isGated: true,
};
const line =
  "sealtree github-setup --repository acme/api --branch main --environment production=vault,gh-prod --environment staging.eu --pull-request --app --gate";
const body = `name: x\non: push\njobs:\n  - uses: actions/checkout@${"a".repeat(40)} # v1.2.3\n`;
const name = fc.stringMatching(/^[A-Za-z0-9][\w-]{0,20}$/);

describe("the line with the choices", () => {
  it("is the command that makes them again", () => {
    expect(printChoices(choices)).toBe(line);
    expect(findChoices(line)).toEqual(choices);
  });

  it("is read back as it was, whatever was chosen", () => {
    const environment = fc.record({
      name,
      targets: fc.array(fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/), { maxLength: 3 }),
    });
    const any = fc.record({
      repository: fc.tuple(name, name).map((parts) => parts.join("/")),
      branch: fc
        .array(fc.stringMatching(/^[A-Za-z0-9][\w-]{0,9}(?:\.[\w-]{1,9})?$/), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.join("/"))
        .filter((it) => !/\.lock(?:\/|$)|^HEAD$/.test(it)),
      environments: fc.array(environment, { maxLength: 3 }),
      rotation: fc.constantFrom("direct" as const, "pull-request" as const),
      login: fc.constantFrom("token" as const, "app" as const),
      isGated: fc.boolean(),
    });
    fc.assert(
      fc.property(any, (made) => {
        expect(findChoices(printChoices(made))).toEqual(made);
      }),
    );
  });

  it("is nothing when it was changed to what no choice prints", () => {
    for (const other of [
      "",
      "sealtree github-setup",
      `${line} --other`,
      line.replace("main", "ma in"),
      line.replace("acme/api", "acme"),
      line.replace("staging.eu", "${{ github.token }}"),
    ])
      expect(findChoices(other)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(findChoices(text)).toBeUndefined();
      }),
    );
  });

  it("takes no name that would mean something else in a workflow", () => {
    for (const text of ["a b", "a*", "!a", "-a", "a:b", "a'b", "${{ x }}", "", "a\nb", "[a]"]) {
      expect(() => parseBranchName(text)).toThrow(/default branch/);
      expect(() => parseEnvironment(text)).toThrow(/environment/);
      expect(() => parseRepositoryName(text)).toThrow(/repository/);
    }
    for (const text of ["prod=", "prod=a b", "prod=A", "prod=a=b", "=a"])
      expect(() => parseEnvironment(text)).toThrow(/environment/);
  });
});

describe("a file of ours", () => {
  it("says with what it was made, and that nobody changed it", () => {
    expect(findWorkflowFile(printWorkflowFile(choices, body))).toEqual({ choices, isChanged: false });
  });

  it("is unchanged when only the commits of actions are others, and changed with any other text", () => {
    const text = printWorkflowFile(choices, body);
    const renewed = text.replace(`${"a".repeat(40)} # v1.2.3`, `${"b".repeat(40)} # v2.0.0`);
    expect(renewed).not.toBe(text);
    expect(findWorkflowFile(renewed)?.isChanged).toBe(false);
    for (const other of [
      text.replace("on: push", "on: pull_request_target"),
      text.replace("actions/checkout", "mallory/checkout"),
      text.replace("a".repeat(40), "main"),
      `${text}\n`,
      text.replace("--pull-request", "--direct"),
    ]) {
      expect(other).not.toBe(text);
      expect(findWorkflowFile(other)?.isChanged).toBe(true);
    }
  });

  it("is one with our first line and no other", () => {
    for (const text of ["", body, `\n${printWorkflowFile(choices, body)}`, "# Written by sealtree github-setup\n"])
      expect(findWorkflowFile(text)).toBeUndefined();
  });
});

describe("a pin", () => {
  it("is a full commit, with or without its version", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    expect(findPinnedAction(`acme/sealtree@${commit}`)).toEqual({ name: "acme/sealtree", commit, version: undefined });
    expect(findPinnedAction(`acme/sealtree@${commit} # v1.2.3`)?.version).toBe("v1.2.3");
    for (const text of [
      "acme/sealtree@v1",
      "acme/sealtree@main",
      `acme/sealtree@${commit.slice(1)}`,
      `@${commit}`,
      commit,
    ])
      expect(findPinnedAction(text)).toBeUndefined();
  });

  it("is read from a workflow as it was printed", () => {
    for (const action of Object.values(pinnedActions))
      expect(listUses(`      - uses: ${printUse(action)}\n`)).toEqual([action]);
  });
});

describe("a schedule", () => {
  it("is at an odd minute that nobody else takes, always the same, and apart for each workflow", () => {
    const names = Array.from({ length: 200 }, (_, index) => `acme/service-${index}`);
    const daily = names.map((repository) => scheduleOf(repository, "secrets-rotation", "day"));
    for (const cron of daily) {
      const [minute = "", hour = ""] = cron.split(" ");
      expect(cron).toMatch(/^\d+ \d+ \* \* \*$/);
      expect([Number(minute) % 2, Number(minute) % 5 > 0, Number(minute) < 60, Number(hour) < 6]).toEqual([
        1,
        true,
        true,
        true,
      ]);
    }
    expect(new Set(daily).size).toBeGreaterThan(60);
    expect(names.map((repository) => scheduleOf(repository, "secrets-rotation", "day"))).toEqual(daily);
    expect(scheduleOf("Acme/API", "secrets-drift", "week")).toBe(scheduleOf("acme/api", "secrets-drift", "week"));
    expect(scheduleOf("acme/api", "secrets-drift", "week")).toMatch(/^\d+ \d+ \* \* [1-4]$/);
  });
});

describe("the name of a repository", () => {
  it("is found at the end of a remote's address", () => {
    for (const url of [
      "git@github.com:acme/api.git",
      "https://github.com/acme/api",
      "ssh://git@github.example.test:22/acme/api.git/",
      "https://x-access-token:t@github.com/acme/api.git",
    ])
      expect(findRepositoryName(url)).toBe("acme/api");
    for (const url of ["", "../api.git", "api", "https://github.com/acme/${{x}}"])
      expect(findRepositoryName(url)).not.toBe("acme/api");
  });
});

describe("different lines", () => {
  it("are those from the first to the last", () => {
    const text = "a\nb\nc\nd\n";
    expect(findDifferentLines(text, text)).toBeUndefined();
    expect(findDifferentLines("a\nx\nc\nd\n", text)).toEqual({ first: 2, last: 2 });
    expect(findDifferentLines("a\nx\ny\nd\n", text)).toEqual({ first: 2, last: 3 });
    expect(findDifferentLines("a\nd\n", text)).toEqual({ first: 2, last: 1 });
    expect(findDifferentLines(`${text}e\n`, text)).toEqual({ first: 5, last: 5 });
  });
});
