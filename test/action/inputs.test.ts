import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { actionCommands, inputNames, parseInputs } from "../../src/action/inputs.ts";
import { outputNames } from "../../src/action/output-names.ts";
import { isSealtreeError } from "../../src/errors.ts";

function inputs(given: Readonly<Record<string, string>>) {
  return parseInputs(
    Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
  );
}

describe("parseInputs", () => {
  it("splits lists at white space and commas, and takes an empty input for one that was not given", () => {
    expect(inputs({ command: "export", scopes: "prod/api, prod/db\n dev/app", only: "", file: "" })).toMatchObject({
      scopes: ["prod/api", "prod/db", "dev/app"],
      only: [],
      to: "env",
    });
  });

  it.each(["true", "True", "TRUE"])("takes %s for true", (written) => {
    expect(inputs({ command: "check", strict: written }).strict).toBe(true);
  });

  it.each(["yes", "on", "1", "tRUE", "y"])("refuses %s where true or false is meant", (written) => {
    expect(() => inputs({ command: "check", strict: written })).toThrow("the input strict is true or false");
  });

  it.each([
    [{}, "the input command is missing"],
    [{ command: "reveiw" }, "the command is not known"],
    [{ command: "deploy", "dry-runs": "true" }, "an input is not known"],
    [{ command: "check", scopes: "prod/api" }, "the input scopes is not for check"],
    [{ command: "export" }, "export needs the input scopes"],
    [{ command: "run", scopes: "a/b" }, "run needs the input run"],
    [{ command: "export", scopes: "--help" }, "the input scopes has to be one word that does not begin with a dash"],
    [{ command: "export", scopes: "a/b", to: "log" }, "the input to is env, file or outputs"],
    [{ command: "export", scopes: "a/b", to: "file" }, "to: file and the input file go together"],
    [{ command: "export", scopes: "a/b", file: "x" }, "to: file and the input file go together"],
    [{ command: "export", scopes: "a/b", format: "json" }, "the input format goes with to: file"],
    [{ command: "export", scopes: "a/b", to: "file", file: "x\n::error::y" }, "the input file is no path"],
    [{ command: "rotate", limit: "0" }, "the input limit is a number from 1"],
    [{ command: "rotate", scopes: "a/b c/d" }, "rotate takes one scope or address"],
    [{ command: "rotate", branch: "-x" }, "the input branch has to be one word"],
    [{ command: "deploy", anchor: "main" }, "the input anchor is the full id of a commit"],
    [{ command: "export", scopes: "a/b", anchor: "missing" }, "the input anchor is missing"],
    [{ command: "export", scopes: "a/b", anchor: "main" }, "the input anchor is the full id of a commit"],
    [{ command: "heartbeat", workflows: "../x.yml" }, "the input workflows has names of files"],
    [{ command: "heartbeat", workflows: "," }, "the input workflows names no file"],
    [{ command: "heartbeat", "max-age": "3" }, "the input max-age is a length of time"],
    [{ command: "review", base: "a..b" }, "the input base names one revision"],
  ])("refuses %j", (given, message) => {
    expect(() => inputs(given as Record<string, string>)).toThrow(message);
  });

  it("says which command or input was meant", () => {
    const hintsOf = (given: Record<string, string>) => {
      try {
        inputs(given);
      } catch (error) {
        if (isSealtreeError(error)) return error.hints;
      }
      return [];
    };
    expect(hintsOf({ command: "reveiw" })).toContain("did you mean review?");
    expect(hintsOf({ command: "deploy", "dry-runs": "true" })).toContain("did you mean dry-run?");
  });

  it("repeats no value in a message, whatever is written", () => {
    fc.assert(
      fc.property(fc.constantFrom(...inputNames), fc.string({ minLength: 3 }), (name, text) => {
        const written = `-canary ${text}`;
        try {
          inputs({ command: "export", [name]: written });
        } catch (error) {
          const words = isSealtreeError(error) ? [error.message, ...error.hints].join("\n") : String(error);
          expect(words).not.toContain("canary");
        }
      }),
    );
  });
});

describe("action.yml", () => {
  const action = parse(readFileSync(new URL("../../action.yml", import.meta.url), "utf8")) as {
    inputs: Record<string, { description: string }>;
    outputs: Record<string, { description: string }>;
    runs: Record<string, string>;
  };

  it("declares the inputs and outputs that the code knows, each with a description", () => {
    expect(Object.keys(action.inputs)).toEqual(inputNames);
    expect(Object.keys(action.outputs)).toEqual(outputNames);
    for (const { description } of [...Object.values(action.inputs), ...Object.values(action.outputs)])
      expect(description).toMatch(/\.$/);
  });

  it("starts files of the bundle on Node 24", () => {
    expect(action.runs).toEqual({ using: "node24", main: "dist/action/main.js", post: "dist/action/post.js" });
  });
});

describe("the workflows of the pages on the Action", () => {
  interface Job {
    readonly "timeout-minutes"?: number;
    readonly permissions?: unknown;
    readonly steps: readonly { readonly uses?: string; readonly with?: Record<string, string> }[];
  }
  const pages = ["action.md", "action-rotation.md", "deploy-gate.md"];
  const page = pages.map((name) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8")).join("\n");
  const blocks = [...page.matchAll(/^```yaml\n(on:|name:)?([\s\S]*?)^```$/gm)].map(([, start = "", rest = ""]) => {
    return parse(start + rest) as unknown;
  });
  const workflows = blocks.filter(
    (block): block is { permissions: unknown; concurrency: unknown; jobs: Record<string, Job> } =>
      typeof block === "object" && block !== null && "jobs" in block,
  );
  const jobs = workflows.flatMap((workflow) => Object.values(workflow.jobs));
  const loose = blocks.filter((block): block is Job["steps"] => Array.isArray(block)).flat();

  it("give the Action inputs that it takes, for every command", () => {
    const steps = [...jobs.flatMap((job) => job.steps), ...loose].filter(({ uses }) => uses?.startsWith("OWNER/"));
    // What an expression gives: here a commit.
    const given = (written: string) => written.replaceAll(/\$\{\{.*?\}\}/g, "a".repeat(40));
    const commands = steps.map((step) => {
      const pairs = Object.entries(step.with ?? {}).map(([name, written]) => [name, given(written)] as const);
      return inputs(Object.fromEntries(pairs)).command;
    });
    expect(new Set(commands)).toEqual(new Set(actionCommands));
  });

  it("start with no permission, give each job its own, and name every Action by a commit", () => {
    expect(workflows.length).toBeGreaterThan(5);
    for (const workflow of workflows) {
      expect(workflow).toMatchObject({ permissions: {}, concurrency: { group: expect.any(String) as string } });
    }
    for (const job of jobs) {
      expect([job.permissions, job["timeout-minutes"]]).toEqual([expect.any(Object), expect.any(Number)]);
      for (const { uses } of job.steps) expect(uses ?? "@FULL_COMMIT_ID").toMatch(/@FULL_COMMIT_ID$/);
    }
  });
});
