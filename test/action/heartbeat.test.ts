import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import type { HeldWorkflow } from "../support/fakes/github-shapes.ts";

const dayMs = 86_400_000;
const rotated = new Date("2026-03-02T12:00:00Z");
const now = new Date("2026-03-10T12:00:00Z");
const file = "secrets-rotation.yml";
const bot = "github-actions[bot]";

let github: FakeGithubRepository;
let team: TestRepository;
beforeAll(async () => {
  github = await startFakeGithubRepository();
  team = await createSealedRepository();
  await team.ok(["set", "prod/api/SESSION_KEY", "--stdin"], { stdin: "test-session-value", now: rotated });
  await team.ok(["set", "prod/api/VENDOR_KEY", "--stdin"], { stdin: "test-vendor-value", now: rotated });
  const policy = team.read("policies/access.yaml");
  team.write("policies/access.yaml", policy.replace("{ roles: [senior", "{ github: alice, roles: [senior"));
  setRule(team, "SESSION_KEY", "generate");
});
afterAll(async () => await github.stop());
beforeEach(() => {
  github.issues.length = 0;
  github.workflows.length = 0;
  for (const right of ["actions", "issues"]) github.rights.add(right);
});

/** Lets one secret be due after five days, by a rotator. */
function setRule(repository: TestRepository, name: string, rotator: "generate" | "manual", interval = "90d"): void {
  const options = rotator === "generate" ? ", options: { kind: hex, bytes: 16 }" : "";
  repository.write(
    "policies/rotation.yaml",
    `secrets:\n  prod/api/${name}: { rotator: ${rotator}, interval: ${interval}${options} }\n`,
  );
}

type Run = HeldWorkflow["runs"][number];

function addWorkflow(state: string, ...runs: readonly (Partial<Run> & { readonly daysAgo: number })[]): HeldWorkflow {
  const made: HeldWorkflow = {
    id: 42 + github.workflows.length,
    file,
    state,
    runs: runs.map(({ daysAgo, ...run }, index) => ({
      number: runs.length - index,
      event: "schedule",
      status: "completed",
      conclusion: "success",
      at: new Date(now.getTime() - daysAgo * dayMs).toISOString(),
      ...run,
    })),
  };
  github.workflows.push(made);
  return made;
}

const job = (url = github.url) => ({
  GITHUB_API_URL: url,
  GITHUB_REPOSITORY: "test-owner/test-name",
  GITHUB_TOKEN: "test-token",
  GITHUB_REF: "refs/heads/main",
});

async function beat(inputs: Readonly<Record<string, string>> = {}, options: Parameters<typeof act>[2] = {}) {
  const { env = {}, ...step } = options;
  return await act(
    team,
    { command: "heartbeat", ...inputs },
    { event: "schedule", now, env: { ...job(), ...env }, ...step },
  );
}

function words(result: Awaited<ReturnType<typeof beat>>): string[] {
  return result.annotations.filter(({ level }) => level === "error").map(({ message }) => message);
}

describe("heartbeat", () => {
  it("is fine when the workflow succeeded in time, and keeps its schedule alive", async () => {
    addWorkflow("active", { daysAgo: 0.1, conclusion: "failure" }, { daysAgo: 2 });
    const result = await beat();
    expect([result.code, words(result), result.outputs.get("failed")]).toEqual([0, [], "0"]);
    expect(result.summary).toContain("2026-03-08 12:00 UTC");
    expect(github.requests).toContain("PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable");
    expect(github.violations).toEqual([]);
    expect(github.issues).toEqual([]);
  });

  it.each([
    [[], "it never succeeded on the default branch; it never ran"],
    [[{ daysAgo: 3.1 }], "it did not succeed in time; its newest run ended with success"],
    [[{ daysAgo: 0.1, conclusion: "failure" }, { daysAgo: 4 }], "in time; its newest run ended with failure"],
    [[{ daysAgo: 0.1, event: "push" }], "it never succeeded on the default branch; its newest run ended with success"],
    [[{ daysAgo: 0.1, event: "workflow_dispatch", branch: "mine" }], "it never succeeded on the default branch"],
    [[{ daysAgo: 0.1, status: "in_progress", conclusion: null }], "it never succeeded on the default branch"],
  ])("fails when the workflow is late: %j", async (runs, reason) => {
    addWorkflow("active", ...runs);
    const result = await beat();
    expect([result.code, words(result)[0]]).toEqual([8, expect.stringContaining(reason)]);
    expect(result.outputs.get("failed")).toBe("1");
  });

  it("counts what a person started on the default branch, and takes another age and other files", async () => {
    addWorkflow("active", { daysAgo: 4, event: "workflow_dispatch" });
    expect((await beat({ "max-age": "5d" })).code).toBe(0);
    expect((await beat({ "max-age": "36h" })).code).toBe(8);
    const two = await beat({ "max-age": "5d", workflows: `${file}, secrets-deploy.yaml` });
    expect([two.code, words(two)[0]]).toEqual([8, "secrets-deploy.yaml: it is not there, or the token may not see it"]);
  });

  it("keeps its own workflow alive, and does not go on failing because it failed", async () => {
    addWorkflow("active", { daysAgo: 0.1, conclusion: "failure" });
    expect((await beat()).code).toBe(8);
    const env = { GITHUB_WORKFLOW_REF: `test-owner/test-name/.github/workflows/${file}@refs/heads/main` };
    const before = github.requests.length;
    expect((await beat({}, { env })).code).toBe(0);
    expect(github.requests.slice(before).filter((request) => request.startsWith("PUT")).length).toBe(1);
    const other = {
      GITHUB_WORKFLOW_REF: `test-owner/test-name/.github/workflows/not-${file}@refs/heads/x/.github/workflows/${file}`,
    };
    expect((await beat({}, { env: other })).code).toBe(8);
  });

  it("turns on again what GitHub turned off, and fails all the same", async () => {
    const workflow = addWorkflow("disabled_inactivity", { daysAgo: 1 });
    const result = await beat();
    expect([result.code, workflow.state, words(result)[0]]).toEqual([
      8,
      "active",
      expect.stringContaining("GitHub turned it off"),
    ]);
    expect((await beat()).code).toBe(0);
  });

  it.each(["disabled_manually", "disabled_fork", "deleted"])("never turns on one that is %s", async (state) => {
    const workflow = addWorkflow(state, { daysAgo: 1 });
    const before = github.requests.length;
    expect([(await beat()).code, workflow.state]).toEqual([8, state]);
    expect(github.requests.slice(before).filter((request) => request.startsWith("PUT"))).toEqual([]);
  });

  it("asks once more when GitHub passes over a question, and not for ever", async () => {
    addWorkflow("active", { daysAgo: 1 });
    const asked = "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs";
    github.failNext(asked, { status: 503 });
    expect((await beat()).code).toBe(0);
    github.failNext(asked, { status: 200, json: {} });
    const odd = await beat();
    expect([odd.code, words(odd)[0]]).toEqual([9, expect.stringContaining("it is not known")]);
  });

  it("is no reason to fail that the token may not keep the schedule alive", async () => {
    addWorkflow("active", { daysAgo: 1 });
    github.rights.delete("actions");
    const result = await beat();
    expect([result.code, result.summary.includes("not kept alive")]).toEqual([0, true]);
  });
});

describe("the evidence of the tree", () => {
  it("fails for a secret that a program should have rotated, whatever GitHub says", async () => {
    addWorkflow("active", { daysAgo: 0.1 });
    setRule(team, "SESSION_KEY", "generate", "5d");
    const result = await beat();
    expect([result.code, words(result)[0]]).toEqual([
      8,
      "prod/api/SESSION_KEY: it is overdue; sealtree rotate prod/api/SESSION_KEY",
    ]);
    // The day that rotation status says, not the one on which it became overdue.
    const status = await team.ok(["rotation", "status", "--json"]);
    const [, day = "none", minute = "none"] = /"due_at":\s*"([0-9-]+)T([0-9:]{5})/.exec(status.stdout) ?? [];
    expect(result.summary).toContain(`${day} ${minute}`);
    // A rotation that runs once a week leaves it due for longer.
    expect((await beat({ "max-age": "7d" })).code).toBe(0);
    team.write("secrets/prod/api.rotation/SESSION_KEY.yaml", "not a journal\n");
    expect((await beat({ "max-age": "7d" })).code).toBe(8);
    rmSync(join(team.root, "secrets/prod/api.rotation/SESSION_KEY.yaml"));
    setRule(team, "VENDOR_KEY", "manual", "5d");
    const byHand = await beat();
    expect([byHand.code, byHand.summary.includes("VENDOR_KEY"), words(byHand)]).toEqual([0, true, []]);
    team.write("policies/rotation.yaml", "secrets: [\n");
    expect((await beat()).code).toBe(8);
    setRule(team, "SESSION_KEY", "generate");
  });

  it("decides also when GitHub cannot be asked, and nothing found there is never fine", async () => {
    const dead = { env: job("http://127.0.0.1:9") };
    const unknown = await beat({ issue: "true" }, dead);
    expect([unknown.code, words(unknown)[0]]).toEqual([9, expect.stringContaining("it is not known: ")]);
    setRule(team, "SESSION_KEY", "generate", "5d");
    const late = await beat({}, dead);
    expect([late.code, words(late)[0]]).toEqual([8, expect.stringContaining("prod/api/SESSION_KEY: it is overdue")]);
    const noToken = await beat({}, { env: { GITHUB_TOKEN: "" } });
    expect([noToken.code, words(noToken).at(1)]).toEqual([8, expect.stringContaining("the step has no token")]);
    setRule(team, "SESSION_KEY", "generate");
    expect((await beat({}, { env: { GITHUB_TOKEN: "" } })).code).toBe(9);
  });

  it("is asked for without an identity", async () => {
    addWorkflow("active", { daysAgo: 0.1 });
    const result = await beat({}, { env: { HOME: "/nonexistent", SEALTREE_IDENTITY: "not an identity" } });
    expect(result.code).toBe(0);
  });
});

describe("where heartbeat runs", () => {
  const branchOf = (name: string) => ({ repository: { full_name: "test-owner/test-name", default_branch: name } });

  it("is the default branch, by a schedule or by what the payload says", async () => {
    addWorkflow("active", { daysAgo: 0.1 });
    for (const [event, payload, code] of [
      ["push", branchOf("main"), 0],
      ["workflow_dispatch", branchOf("main"), 0],
      ["push", branchOf("trunk"), 2],
      ["push", {}, 2],
      ["pull_request_target", branchOf("main"), 5],
    ] as const) {
      expect([event, (await beat({}, { event, payload })).code]).toEqual([event, code]);
    }
    expect(
      (await beat({}, { event: "push", payload: branchOf("main"), env: { GITHUB_REF: "refs/tags/main" } })).code,
    ).toBe(2);
  });

  it.each(["../x.yml", "-x.yml", "x.sh", ",", "a/b.yml"])("takes names of workflow files, and not %j", async (name) => {
    expect((await beat({ workflows: name })).code).toBe(2);
  });

  it.each(["3", "0d", "1.5d", "forever"])("takes a length of time, and not %j", async (age) => {
    expect((await beat({ "max-age": age })).code).toBe(2);
  });
});

describe("the issue of heartbeat", () => {
  it("is opened once, changed when something changes, closed when all is well, and opened again", async () => {
    const workflow = addWorkflow("disabled_manually", { daysAgo: 4 });
    const opened = await beat({ issue: "true" });
    expect([opened.code, opened.outputs.get("issue")]).toEqual([8, "1"]);
    expect(github.issues).toMatchObject([
      { user: bot, state: "open", title: "Rotation of secrets has stopped", assignees: ["alice"] },
    ]);
    const [issue] = github.issues;
    expect(issue?.body).toContain("<!-- sealtree: heartbeat -->\n");
    expect(issue?.body).toContain("somebody turned it off");
    const before = issue?.body;
    await beat({ issue: "true" }, { now: new Date(now.getTime() + dayMs) });
    expect([github.issues.length, issue?.body]).toEqual([1, before]);

    workflow.state = "active";
    expect((await beat({ issue: "true" })).code).toBe(8);
    expect(issue?.body).toContain("it did not succeed in time");

    addWorkflow("active");
    github.workflows[0] = { ...workflow, runs: [{ ...(workflow.runs[0] as Run), at: now.toISOString() }] };
    const well = await beat({ issue: "true" });
    expect([well.code, well.outputs.has("issue"), issue?.state]).toEqual([0, false, "closed"]);
    expect(issue?.comments).toMatchObject([{ user: bot, body: expect.stringContaining("again") as string }]);
    await beat({ issue: "true" });
    expect(issue?.comments.length).toBe(1);

    github.workflows[0] = { ...workflow, state: "disabled_manually" };
    await beat({ issue: "true" });
    expect([github.issues.length, issue?.state]).toEqual([1, "open"]);
    expect(github.violations).toEqual([]);
  });

  it("is not one that somebody else opened with our marker", async () => {
    const theirs = github.openIssue({ user: "mallory", title: "x", body: "<!-- sealtree: heartbeat -->\nall is well" });
    addWorkflow("disabled_manually");
    await beat({ issue: "true" });
    expect([theirs.body, github.issues.length]).toEqual(["<!-- sealtree: heartbeat -->\nall is well", 2]);
  });

  it("is opened for nobody when GitHub refuses those whom the policy names", async () => {
    addWorkflow("disabled_manually");
    github.failNext("POST /repos/{owner}/{repo}/issues", { status: 422, json: { message: "Validation Failed" } });
    const result = await beat({ issue: "true" });
    expect([result.code, result.outputs.get("issue"), github.issues[0]?.assignees]).toEqual([8, "1", []]);
  });

  it("that cannot be written is an error of its own", async () => {
    github.rights.delete("issues");
    addWorkflow("disabled_manually");
    const result = await beat({ issue: "true" });
    expect([result.code, words(result)]).toEqual([
      8,
      expect.arrayContaining([expect.stringContaining("the issue was not written")]),
    ]);
  });
});
