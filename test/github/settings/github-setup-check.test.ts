import { afterEach, describe, expect, it } from "vitest";
import type { SettingFinding } from "../../../src/github/settings/finding.ts";
import { settingRules } from "../../../src/github/settings/rules.ts";
import { requiredCheck } from "../../../src/cli/github-settings-wants.ts";
import {
  startFakeGithubSettings,
  type FakeGithubSettings,
  type GithubSettingsState,
} from "../../support/fakes/github-settings.ts";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { rightState, testCommit } from "../../support/right-settings.ts";
import { parseWorkflow } from "../../support/workflows.ts";

const token = "test-token-that-nobody-may-see";
const first = ["github-setup", "--repository", "test-owner/test-name", "--branch", "main", "--pull-request"];
let started: FakeGithubSettings | undefined;

afterEach(async () => {
  await started?.stop();
  started = undefined;
});

let made: Promise<TestRepository> | undefined;

/** Its commits are what is on the default branch at GitHub. */
async function createRepository(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const policy = repository.read("policies/access.yaml");
  repository.write("policies/access.yaml", policy.replace(/(alice-example: \{ ?)/, "$1github: test-alice, "));
  await repository.ok([...first, "--action", `test-maker/sealtree@${testCommit} # v0.2.0`]);
  await repository.ok(["codeowners"]);
  repository.git("commit", "--quiet", "-am", "policy");
  return repository;
}

/** A team whose repository at GitHub is right in everything, until `change`. The work tree is one for all tests. */
async function createTeam(change: (state: GithubSettingsState) => void = () => undefined) {
  const repository = await (made ??= createRepository());
  repository.git("checkout", "--quiet", "--", ".");
  repository.git("clean", "--quiet", "-fd");
  const state = rightState();
  const paths = repository.git("ls-files", ".github").split("\n").filter(Boolean);
  state.files = new Map(paths.map((path) => [path, repository.read(path)]));
  state.workflows = new Map(paths.filter((path) => path.endsWith(".yml")).map((path) => [path, "active"]));
  change(state);
  started = await startFakeGithubSettings(state);
  const fake = started;
  const check = (...more: readonly string[]) =>
    repository.run(["github-setup", "--check", "--api", fake.url, ...more], { env: { GH_TOKEN: token } });
  return { repository, fake, check };
}

describe("github-setup --check", () => {
  it("says area by area that everything is as it must be, and writes nothing", async () => {
    const { repository, check } = await createTeam();
    const head = repository.git("rev-parse", "HEAD");
    const { code, stdout, stderr } = await check();
    expect(stdout).not.toMatch(/missing|unknown/);
    expect(stdout.split("\n").filter((line) => /^\w/.test(line))).toEqual([
      "repository",
      "branch",
      "code owners",
      "environments",
      "actions",
      "workflows",
      "rotation",
    ]);
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toMatch(/^nothing is missing of \d+ settings of test-owner\/test-name;/);
    expect(code).toBe(0);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
    expect(repository.git("status", "--porcelain", ".github")).toBe("");
  });

  it("exits with 1 for what is missing, and says the next step of each", async () => {
    const { check } = await createTeam((state) => {
      state.secrets.push("SEALTREE_IDENTITY");
      state.environments.clear();
    });
    const { code, stdout, stderr } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/error missing +identity-elsewhere .*\n +gh secret delete SEALTREE_IDENTITY --repo /);
    expect(stdout).toMatch(/error missing +environment-exists .*\n +gh api .*--method PUT /);
    expect(stderr).toContain("2 settings missing of ");
  });

  it("exits with 1 for an error that cannot be seen, and for warnings with --strict alone", async () => {
    const hidden = await createTeam((state) => void state.rights.delete("secrets"));
    const { code, stdout, stderr } = await hidden.check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/error unknown +identity-elsewhere +not known: .*Secrets: read/);
    expect(stderr).toContain("1 not known of ");
    await started?.stop();
    const warned = await createTeam((state) => void (state.actions.sha_pinning_required = false));
    expect((await warned.check()).code).toBe(0);
    expect((await warned.check("--strict")).code).toBe(1);
  });

  it("prints the same as JSON", async () => {
    const { check } = await createTeam((state) => void (state.token.default_workflow_permissions = "write"));
    const result = await check("--json");
    expect(result.code).toBe(1);
    const json = result.json<{ repository: string; findings: SettingFinding[]; errors: number; warnings: number }>();
    expect(json).toMatchObject({ repository: "test-owner/test-name", errors: 1, warnings: 0, notices: 0 });
    const open = json.findings.filter(({ state }) => state !== "ok");
    expect(open).toEqual([
      {
        rule: "token-permissions",
        area: "actions",
        state: "missing",
        severity: "error",
        message: expect.any(String) as string,
        hint: expect.stringContaining("actions/permissions/workflow") as string,
      },
    ]);
    expect(json.findings.every(({ rule }) => rule in settingRules)).toBe(true);
  });

  it("asks for the check that the workflow reports", async () => {
    const { repository } = await createTeam();
    const { jobs } = parseWorkflow(repository.read(".github/workflows/secrets-check.yml"));
    expect(Object.keys(jobs)).toContain(requiredCheck);
    expect((jobs[requiredCheck] as { name?: string }).name).toBe(requiredCheck);
  });

  it("asks for reviewers where they are wanted, and for the secrets of what deploys", async () => {
    const { repository, check } = await createTeam((state) => {
      const production = state.environments.get("production");
      if (production !== undefined) Object.assign(production, { reviewers: 0, secrets: ["SEALTREE_IDENTITY"] });
    });
    repository.write(
      "policies/deploy.yaml",
      "targets:\n  gh: {kind: github-actions, repository: acme/api, scopes: [prod/api], token: '${env:DEPLOY_TOKEN}'}\n",
    );
    const deploys = ["--environment", "production=gh"];
    const plain = await check(...deploys);
    expect(plain.stdout).toMatch(/error missing +environment-identity +production has no secret DEPLOY_TOKEN\n/);
    expect(plain.stdout).toMatch(/error missing +workflow-files +\.github\/workflows\/secrets-deploy\.yml is not on/);
    expect(plain.stdout).not.toContain("of production may approve");
    expect(plain.stdout).not.toContain("approve a job of production");
    const reviewed = await check(...deploys, "--reviewed", "Production");
    expect(reviewed.stdout).toMatch(
      /error missing +environment-reviewers +nobody has to approve a job of production\n/,
    );
    for (const name of ["rotation", "staging"])
      expect((await check(...deploys, "--reviewed", name)).stderr).toContain("nothing deploys from an environment");
  });

  it("compares with the policies of this work tree", async () => {
    const { repository, check } = await createTeam();
    const policy = repository.read("policies/access.yaml");
    repository.write("policies/access.yaml", policy.replace("github: test-alice, ", ""));
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/error missing +codeowners-file +no admin has a GitHub name/);
    repository.write(
      "policies/access.yaml",
      policy.replace("signing: off", "signing: require").replace("test-alice", "test-other"),
    );
    const changed = await check();
    expect(changed.stdout).toMatch(/error missing +codeowners-file .* is not what the policy here asks for/);
    expect(changed.stdout).toMatch(/error missing +environment-identity +rotation has no secret SEALTREE_SIGNING_KEY/);
  });

  it("has options of its own, which are refused without it", async () => {
    const { repository } = await createTeam();
    for (const more of [["--strict"], ["--api", "https://git.acme.test/api/v3"], ["--reviewed", "production"]]) {
      const { code, stderr } = await repository.run(["github-setup", ...more]);
      expect(code).toBe(2);
      expect(stderr).toContain("goes with --check");
    }
  });

  it("needs a token from the environment, and says what it may lack", async () => {
    const { repository, fake } = await createTeam();
    const without = await repository.run(["github-setup", "--check", "--api", fake.url]);
    expect(without).toMatchObject({ code: 2 });
    expect(without.stderr).toContain("there is no token of GitHub to look with");
    const other = ["github-setup", "--check", "--api", fake.url, "--repository", "test-owner/other"];
    const elsewhere = await repository.run(other, { env: { GITHUB_TOKEN: token } });
    expect(elsewhere.code).toBe(9);
    expect(elsewhere.stderr).toContain("the repository cannot be looked at");
    expect(elsewhere.stderr).toContain("Metadata: read");
    expect(elsewhere.stderr).not.toContain(token);
  });

  it("does not send the token to github.com for a repository of another server", async () => {
    const { repository } = await createTeam();
    const run = async (url: string) => {
      repository.git("config", "remote.origin.url", url);
      return await repository.run(["github-setup", "--check"], { env: { GH_TOKEN: token } });
    };
    for (const url of ["git@git.acme.test:test-owner/test-name.git", "https://git.acme.test/test-owner/test-name"]) {
      const refused = await run(url);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("the remote is not at github.com");
      expect(refused.stderr).not.toContain(token);
    }
    const plain = await repository.run(["github-setup", "--check", "--api", "http://git.acme.test"], {
      env: { GH_TOKEN: token },
    });
    expect(plain.code).toBe(2);
  });

  it("prints no token in any form, whatever GitHub says", async () => {
    const { check } = await createTeam((state) => state.rights.clear());
    for (const more of [[], ["--json"]]) {
      const { stdout, stderr } = await check(...more);
      expect(`${stdout}${stderr}`).not.toContain(token);
      expect(`${stdout}${stderr}`).not.toContain("Resource not accessible");
    }
  });

  it("prints names that GitHub gives without what a terminal or a runner would obey", async () => {
    const { check } = await createTeam((state) => {
      state.secrets.push("SEALTREE_IDENTITY\u001b[31m\n::set-output name=x::y");
      const rotation = state.environments.get("rotation");
      if (rotation !== undefined) rotation.branches = [{ name: "\u001b[2J::error::x\n##[command]", type: "branch" }];
    });
    const { stdout, code } = await check();
    expect(code).toBe(1);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toContain("::");
    expect(stdout).not.toContain("##[");
  });
});
