import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/run-cli.ts";
import { runStep, type Step } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";
import { inputVariables, listSteps, parseWorkflow } from "../support/workflows.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const person = { NAME: "Ada Test", EMAIL: "ada@example.test" };
const committer = Object.fromEntries(
  Object.entries(person).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value],
  ]),
);

/** This repository as a job has it: a clone of its own, and a home with nothing in it. */
function cloneSelf() {
  const workspace = join(makeThrowAway("sealtree-self-"), "sealtree");
  execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, workspace]);
  const env = { HOME: makeThrowAway("sealtree-home-"), GIT_CONFIG_NOSYSTEM: "1", ...committer };
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: workspace,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
    }).trim();
  return { workspace, env, git };
}

/** The event of a pull request of somebody's fork. */
function pullRequest(base: string): Pick<Step, "event" | "payload"> {
  const repo = { full_name: "acme/sealtree" };
  return {
    event: "pull_request",
    payload: { pull_request: { base: { sha: base, repo }, head: { repo: { full_name: "mallory/sealtree" } } } },
  };
}

/** The commands that a workflow of this repository runs, in order, with their inputs. */
function stepsOf(file: string): Record<string, string>[] {
  const workflow = parseWorkflow(readFileSync(`${root}.github/workflows/${file}`, "utf8"));
  return listSteps(workflow).flatMap(({ step }) => {
    if (step.uses !== "./") return [];
    const inputs = Object.entries(inputVariables(step));
    return [Object.fromEntries(inputs.map(([name, value]) => [name.slice("INPUT_".length).toLowerCase(), value]))];
  });
}

describe("the built Action on this repository", () => {
  it("checks and reviews its example secrets as secrets-check.yml has it, without an error", async () => {
    const { workspace, env, git } = cloneSelf();
    const base = git("rev-parse", "HEAD");
    const identity = join(root, "examples/public-demo-identity.txt");
    expect(existsSync(identity)).toBe(true);
    const set = await runCli(["set", "dev/web/EXAMPLE_DEBUG", "--stdin"], {
      cwd: workspace,
      stdin: "test-value-of-a-fork",
      env: { ...env, SEALTREE_IDENTITY: readFileSync(identity, "utf8") },
    });
    expect([set.code, set.stderr]).toEqual([0, expect.stringContaining("EXAMPLE_DEBUG")]);

    const steps = stepsOf("secrets-check.yml");
    expect(steps).toEqual([{ command: "check" }, { command: "review" }]);
    const [check, review] = await Promise.all(
      steps.map(async (inputs) => await runStep({ workspace, env, inputs, ...pullRequest(base) })),
    );
    expect([check?.code, check?.outputs.get("errors")]).toEqual([0, "0"]);
    expect([review?.code, review?.outputs.get("errors")]).toEqual([0, "0"]);
    expect(review?.summary).toContain("EXAMPLE_DEBUG");
    expect([check?.raw, review?.raw, review?.summary].join("\n")).not.toContain("test-value-of-a-fork");
  });

  it("does not pass a change of its policy that lets somebody in", async () => {
    const { workspace, env, git } = cloneSelf();
    const base = git("rev-parse", "HEAD");
    const path = join(workspace, "policies/access.yaml");
    const policy = readFileSync(path, "utf8");
    writeFileSync(path, policy.replace("members:\n", "members:\n  mallory: { roles: [senior-engineer] }\n"));
    git("commit", "--quiet", "--all", "-m", "policies: tidy");
    const review = await runStep({ workspace, env, inputs: { command: "review" }, ...pullRequest(base) });
    expect(review.outputs.get("verdict")).not.toBe("fine");
    expect(review.summary).toContain("mallory");
  });
});
