import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import { findCanaries } from "../support/canary.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { fakeVaultToken, startFakeVault } from "../support/fakes/vault.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";
import { runStep, type StepResult } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = "upkeep-canary-6t2w-of-the-team";
const forged = "upkeep-canary-9h4d-of-mallory";
const dayMs = 86_400_000;
const daysAgo = (days: number) => ({ now: new Date(Date.now() - days * dayMs) });

/** Nothing of a value is in what anybody can read of the step, and nothing was taken for a command. */
function expectQuiet({ log, summary, annotations, outputs, commands }: StepResult): void {
  const seen = [log, summary, JSON.stringify(annotations), ...outputs.values()].join("\n");
  expect(findCanaries(seen, [canary, forged, "test-token"])).toEqual([]);
  expect(commands).toEqual([]);
}

async function startGithub(): Promise<FakeGithubRepository> {
  const github = await startFakeGithubRepository();
  onTestFinished(async () => {
    await github.stop();
    expect(github.violations).toEqual([]);
  });
  return github;
}

/** What a job has: a home of its own, the identity in a variable, and the token of the job. */
function jobOf(owner: TestRepository, github?: FakeGithubRepository): Record<string, string> {
  const bot = { NAME: "Test Bot", EMAIL: "bot@example.test" };
  return {
    HOME: makeThrowAway("sealtree-job-"),
    SEALTREE_IDENTITY: readFileSync(defaultIdentityFile(owner.env), "utf8"),
    ...Object.fromEntries(
      Object.entries(bot).flatMap(([name, value]) => [
        [`GIT_AUTHOR_${name}`, value],
        [`GIT_COMMITTER_${name}`, value],
      ]),
    ),
    GITHUB_REPOSITORY: "test-owner/test-name",
    GITHUB_TOKEN: "test-token",
    GITHUB_REF: "refs/heads/main",
    ...(github === undefined ? {} : { GITHUB_API_URL: github.url }),
  };
}

describe("the deploy gate of the built Action", () => {
  it("deploys what a member signed, and stays red for what a forged check let in", async () => {
    const vault = await startFakeVault();
    onTestFinished(vault.stop);
    const team = createRepository();
    const key = join(team.home, "test_signing_key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "alice@example.test", "-f", key]);
    await team.ok(["init", "--yes"]);
    await team.ok(["member", "add", "alice-example", "--ssh", `${key}.pub`, "--yes"]);
    for (const [name, value] of [
      ["gpg.format", "ssh"],
      ["user.signingKey", `${key}.pub`],
      ["commit.gpgSign", "true"],
    ] as const)
      team.git("config", "--global", name, value);
    const policy = team.read("policies/access.yaml");
    team.write(
      "policies/access.yaml",
      policy.replace("signing: off", "signing: require").replace("version: 2", "version: 3"),
    );
    team.write(
      "policies/deploy.yaml",
      `targets:\n  vault:\n    kind: vault\n    scopes: [prod/api]\n    address: ${vault.url}\n    path: test-entry\n    auth: { token: "\${env:TOKEN}" }\n`,
    );
    team.git("add", "--all");
    team.git("commit", "--quiet", "-m", "policies");
    const anchor = team.git("rev-parse", "HEAD").trim();
    await team.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: canary });
    const signed = team.git("rev-parse", "HEAD").trim();
    const env: Record<string, string> = { ...jobOf(team), TOKEN: fakeVaultToken };
    const step = { workspace: team.root, env };
    const good = await runStep({ ...step, inputs: { command: "deploy", anchor } });
    expect([good.code, good.outputs.get("commit"), vault.peek("test-entry")]).toEqual([0, signed, { API_KEY: canary }]);
    expectQuiet(good);

    await team.ok(["set", "prod/api/API_KEY", "--stdin", "--yes", "--no-commit"], { stdin: forged });
    team.git("commit", "--quiet", "--all", "--no-gpg-sign", "-m", "::warning::all green");
    const unsigned = team.git("rev-parse", "HEAD").trim();
    const check = await runStep({ ...step, env: { HOME: env["HOME"] ?? "" }, inputs: { command: "check" } });
    expect(check.code).toBe(0);
    const asked = vault.requests.length;
    for (const inputs of [
      { command: "deploy" },
      { command: "export", scopes: "prod/api" },
      { command: "run", scopes: "prod/api", run: "env" },
    ]) {
      const red = await runStep({ ...step, inputs: { ...inputs, anchor: signed } });
      expect([red.code, red.masks, red.variables.size, vault.requests.length]).toEqual([6, [], 0, asked]);
      expect(red.annotations[0]?.message).toContain(unsigned);
      expectQuiet(red);
    }
    expect(vault.peek("test-entry")).toEqual({ API_KEY: canary });
  });
});

describe("rotate of the built Action with an issue", () => {
  it("opens it for what is to be done by hand, changes it, closes it, and opens it again", async () => {
    const github = await startGithub();
    const team = await createSealedRepository();
    for (const name of ["SESSION_KEY", "STRIPE_KEY", "VENDOR_KEY"])
      await team.ok(["set", `prod/api/${name}`, "--stdin"], { stdin: canary, ...daysAgo(40) });
    const rules = (interval: string) =>
      `secrets:\n  prod/api/SESSION_KEY: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }\n  prod/api/STRIPE_KEY: { interval: ${interval}, rotator: manual }\n  prod/api/VENDOR_KEY: { interval: 30d, rotator: manual }\n`;
    team.write("policies/rotation.yaml", rules("30d"));
    team.git("add", "--all");
    team.git("commit", "--quiet", "-m", "policies");
    const remote = makeThrowAway("sealtree-remote-");
    team.git("init", "--quiet", "--bare", remote);
    team.git("remote", "add", "origin", remote);
    team.git("push", "--quiet", "--set-upstream", "origin", "main");
    const step = {
      workspace: team.root,
      env: jobOf(team, github),
      event: "schedule",
      inputs: { command: "rotate", issue: "true" },
    };
    const opened = await runStep(step);
    expect([opened.code, opened.outputs.get("names"), opened.outputs.get("issue")]).toEqual([
      0,
      "prod/api/SESSION_KEY",
      "1",
    ]);
    expectQuiet(opened);
    const [issue] = github.issues;
    expect(issue?.body.match(/^- \[ \] `prod\/api\/(?:STRIPE|VENDOR)_KEY`: /gm)?.length).toBe(2);

    await team.ok(["set", "prod/api/STRIPE_KEY", "--stdin"], { stdin: forged });
    expect((await runStep(step)).outputs.get("issue")).toBe("1");
    expect(issue?.body).toMatch(/^- \[x\] `prod\/api\/STRIPE_KEY`: done/m);

    await team.ok(["set", "prod/api/VENDOR_KEY", "--stdin"], { stdin: forged });
    const closed = await runStep(step);
    expect([closed.code, issue?.state, issue?.comments.length]).toEqual([0, "closed", 1]);
    expectQuiet(closed);

    await team.ok(["set", "prod/api/STRIPE_KEY", "--stdin"], { stdin: canary, ...daysAgo(35) });
    const again = await runStep(step);
    expect([again.code, again.outputs.get("issue"), issue?.state, github.issues.length]).toEqual([0, "1", "open", 1]);
    expect(issue?.body).not.toContain("- [x]");
  });
});

describe("heartbeat of the built Action", () => {
  it("is fine, late and disabled, and keeps the issue", async () => {
    const github = await startGithub();
    const team = await createSealedRepository();
    const file = "secrets-rotation.yml";
    const run = { number: 1, event: "schedule", status: "completed", conclusion: "success" };
    const at = (days: number) => daysAgo(days).now.toISOString();
    const workflow = { id: 7, file, state: "active", runs: [{ ...run, at: at(1) }] };
    github.workflows.push(workflow);
    const { SEALTREE_IDENTITY: _none, ...env } = jobOf(team, github);
    const step = {
      workspace: team.root,
      env,
      event: "push",
      payload: { repository: { full_name: "test-owner/test-name", default_branch: "main" } },
      inputs: { command: "heartbeat", issue: "true" },
    };
    const fine = await runStep(step);
    expect([fine.code, fine.outputs.get("failed"), github.issues.length]).toEqual([0, "0", 0]);
    expectQuiet(fine);

    workflow.runs = [{ ...run, at: at(4) }];
    const late = await runStep(step);
    expect([late.code, late.outputs.get("issue"), github.issues[0]?.state]).toEqual([8, "1", "open"]);
    expectQuiet(late);

    workflow.state = "disabled_manually";
    const disabled = await runStep(step);
    expect([disabled.code, workflow.state, github.issues[0]?.body]).toEqual([
      8,
      "disabled_manually",
      expect.stringContaining("somebody turned it off"),
    ]);

    workflow.state = "disabled_inactivity";
    workflow.runs = [{ ...run, at: at(0) }];
    expect([(await runStep(step)).code, workflow.state]).toEqual([8, "active"]);
    expect([(await runStep(step)).code, github.issues[0]?.state]).toEqual([0, "closed"]);

    await team.ok(["set", "prod/api/SESSION_KEY", "--stdin"], { stdin: canary, ...daysAgo(40) });
    team.write(
      "policies/rotation.yaml",
      "secrets:\n  prod/api/SESSION_KEY: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }\n",
    );
    const overdue = await runStep({ ...step, env: { ...env, GITHUB_API_URL: "http://127.0.0.1:9" } });
    expect([overdue.code, overdue.annotations[0]?.message]).toEqual([
      8,
      expect.stringContaining("prod/api/SESSION_KEY: it is overdue"),
    ]);
    await runStep(step);
    expect([github.issues.length, github.issues[0]?.state]).toEqual([1, "open"]);
    expectQuiet(overdue);
  });
});
