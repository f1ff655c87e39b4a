import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { runPayload } from "../support/review-team.ts";
import { createRotationTeam, type RotationTeam } from "../support/rotation-team.ts";
import { runStep, type Step, type StepResult } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";
import { inputVariables, listSteps, parseWorkflow } from "../support/workflows.ts";

const address = "dev/app/SESSION_KEY";
const rules = `secrets:
  ${address}: { rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }
  dev/app/VENDOR_KEY: { rotator: manual, interval: 30d, owner: alice-example }
`;
const repository = { full_name: "test-owner/test-name", default_branch: "main" };

/** A repository whose workflows are those that github-setup writes, at a host. */
interface Place {
  readonly team: RotationTeam;
  readonly github: FakeGithubRepository;
  /** Runs the steps of ours in a workflow as the runner does: its checkout, inputs, environment and rights. */
  run(name: string, event: Pick<Step, "event" | "payload">): Promise<StepResult[]>;
}

async function createPlace(options: readonly string[]): Promise<Place> {
  const team = await createRotationTeam({ [address]: "test-first", "dev/app/VENDOR_KEY": "test-vendor" }, rules);
  const github = await startFakeGithubRepository(team.server);
  onTestFinished(async () => await github.stop());
  const { owner } = team;
  owner.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [dev/app], file: .env}\n");
  owner.write(".gitignore", ".env\n");
  const setup = ["github-setup", "--repository", repository.full_name, "--branch", "main", "--no-commit"];
  const action = `acme/sealtree@${"a".repeat(40)} # v0.2.0`;
  await owner.ok([...setup, "--action", action, "--environment", "production", ...options]);
  await team.publish("workflows");
  const { env } = await team.clone(github);
  const { SEALTREE_IDENTITY: bot = "", SEALTREE_SIGNING_KEY: signingKey = "", ...world } = env;
  const values: Readonly<Record<string, string>> = {
    "github.token": "test-token",
    "secrets.SEALTREE_SIGNING_KEY": signingKey,
    "!inputs.direct": "true",
  };
  const deployer = readFileSync(defaultIdentityFile(owner.env), "utf8");
  return {
    team,
    github,
    async run(name, event) {
      const workflow = parseWorkflow(owner.read(`.github/workflows/${name}.yml`));
      const results: StepResult[] = [];
      let workspace = "";
      for (const { job, step } of listSteps(workflow)) {
        if (step.uses?.startsWith("actions/checkout@") === true) {
          workspace = await checkout(team, step.with?.["fetch-depth"] === 0);
          continue;
        }
        const identity = job.environment === "rotation" ? bot : deployer;
        const evaluate = (expression: string) =>
          expression === "secrets.SEALTREE_IDENTITY" ? identity : (values[expression] ?? "");
        const filled = { with: { ...step.with, ...step.env } };
        const given = Object.entries(inputVariables(filled, evaluate)).map(
          ([variable, value]) => [variable.slice("INPUT_".length), value] as const,
        );
        const isVariable = (key: string) => Object.keys(step.env ?? {}).includes(key);
        github.rights.clear();
        for (const [right, level] of Object.entries(job.permissions ?? {}))
          if (level === "write") github.rights.add(right.replaceAll("-", "_"));
        const inputs = Object.fromEntries(
          given.filter(([key]) => !isVariable(key)).map(([key, value]) => [key, value]),
        );
        const variables = Object.fromEntries(given.filter(([key]) => isVariable(key)));
        const jobEnvironment = {
          ...world,
          HOME: makeThrowAway("sealtree-job-"),
          GITHUB_REF: "refs/heads/main",
          ...variables,
        };
        results.push(await runStep({ workspace, inputs, env: jobEnvironment, ...event }));
      }
      return results;
    },
  };
}

/** A clone without credentials: of everything, or of the newest commit alone. */
async function checkout({ server }: RotationTeam, isWhole: boolean): Promise<string> {
  const workspace = join(makeThrowAway("sealtree-workspace-"), "name");
  const depth = isWhole ? [] : ["--depth=1"];
  await git(server.folder, "clone", "--quiet", "--branch", "main", ...depth, `file://${server.folder}`, workspace);
  await git(workspace, "config", "remote.origin.url", `${server.githubUrl}/test-owner/test-name`);
  return workspace;
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  await promisify(execFile)("git", args, { cwd });
}

const codes = (results: readonly StepResult[]) => results.map(({ code }) => code);

describe("the workflows of github-setup with the built Action", () => {
  it("rotate at night, keep the issue, find it done by the heartbeat, deploy, and look for drift", async () => {
    const place = await createPlace([]);
    const [rotated] = await place.run("secrets-rotation", { event: "schedule", payload: { repository } });
    // One secret is for a person, and the issue says so.
    expect([rotated?.code, rotated?.outputs.get("names"), rotated?.outputs.get("issue")]).toEqual([0, address, "1"]);
    expect(place.team.server.git("log", "-1", "--format=%an %s", "main")).toMatch(
      /^github-actions\[bot\] .*SESSION_KEY/,
    );
    expect(place.github.issues[0]?.body).toContain("dev/app/VENDOR_KEY");

    const run = {
      number: 1,
      event: "schedule",
      status: "completed",
      conclusion: "success",
      at: new Date().toISOString(),
    };
    for (const [id, file] of ["secrets-rotation.yml", "secrets-heartbeat.yml"].entries())
      place.github.workflows.push({ id: id + 1, file, state: "active", runs: [run] });
    const push = { event: "push", payload: { repository } };
    expect(codes(await place.run("secrets-heartbeat", { event: "schedule", payload: { repository } }))).toEqual([0]);
    expect(codes(await place.run("secrets-heartbeat-push", push))).toEqual([0]);

    const [deployed] = await place.run("secrets-deploy", push);
    expect([deployed?.code, deployed?.outputs.get("failed"), deployed?.annotations]).toEqual([0, "0", []]);
    expect(place.team.server.git("for-each-ref", "--format=%(refname)", "refs/sealtree")).toContain("receipts/file");
    const [drifted] = await place.run("secrets-drift", { event: "schedule", payload: { repository } });
    // The file of this target is not in the next job's clone.
    expect([drifted?.code, drifted?.outputs.get("names")]).toEqual([1, "file"]);
  });

  it("rotate by a pull request, which is checked without rights and commented from the default branch", async () => {
    const place = await createPlace(["--pull-request"]);
    const before = place.team.server.git("rev-parse", "main");
    const [rotated] = await place.run("secrets-rotation", { event: "schedule", payload: { repository } });
    expect([rotated?.code, rotated?.outputs.get("names")]).toEqual([0, address]);
    expect(place.team.server.git("rev-parse", "main")).toBe(before);
    const pull = place.github.issues.find((issue) => issue.pull !== undefined);
    expect(pull?.pull?.head.ref).toBe("sealtree/rotation");
    if (pull?.pull === undefined) throw new Error("no pull request");

    const base = { sha: before.trim(), ref: "main", repo: repository };
    const head = { ...pull.pull.head, repo: repository };
    const payload = { repository, pull_request: { number: pull.number, base, head } };
    expect(codes(await place.run("secrets-check", { event: "pull_request", payload }))).toEqual([0, 0]);
    const [commented] = await place.run("secrets-comment", { event: "workflow_run", payload: runPayload(pull) });
    expect([commented?.code, commented?.annotations]).toEqual([0, []]);
    expect(pull.comments[0]?.body).toContain("SESSION_KEY");
    expect(place.github.checkRuns).toMatchObject([{ name: "sealtree review" }]);
  });
});
