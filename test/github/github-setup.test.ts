import { existsSync, mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseInputs } from "../../src/action/inputs.ts";
import { pinnedActions } from "../../src/github/pinned-actions.ts";
import { workflowPaths } from "../../src/github/plan-setup.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { inputVariables, listSteps, parseWorkflow, type Workflow } from "../support/workflows.ts";

const commit = "3f1c0de4b5a69788796a5b4c3d2e1f0011223344";
const action = `acme/sealtree@${commit} # v0.2.0`;
const first = ["github-setup", "--repository", "acme/api", "--action", action];
const file = (name: string) => `.github/workflows/secrets-${name}.yml`;
const keyless = ["check", "comment", "rotation", "heartbeat", "heartbeat-push"].map(file);

async function createTeam({ deploys = false } = {}): Promise<TestRepository> {
  const repository = await createSealedRepository();
  repository.write(
    "policies/rotation.yaml",
    `secrets:\n  prod/api/DB: {rotator: cloudflare, options: {account: ${"a".repeat(32)}, name: dns, admin: "\${env:CLOUDFLARE_ADMIN}"}}\n`,
  );
  if (deploys) {
    repository.write(
      "policies/deploy.yaml",
      [
        "targets:",
        "  gh: {kind: github-actions, repository: acme/api, scopes: [prod/api], token: '${env:DEPLOY_TOKEN}'}",
        "  kv: {kind: vault, address: 'https://vault.acme.test', mount: secret, path: api, scopes: [prod/api], auth: {method: jwt, role: deploy, jwt: '${oidc:vault}'}}",
        "",
      ].join("\n"),
    );
  }
  return repository;
}

function present(repository: TestRepository): string[] {
  return workflowPaths.filter((path) => existsSync(join(repository.root, path)));
}

function readWorkflows(repository: TestRepository): Workflow[] {
  return present(repository).map((path) => parseWorkflow(repository.read(path)));
}

describe("github-setup", () => {
  it("writes the workflows in one commit, without those of deployment where there is no policy of it", async () => {
    const repository = await createTeam();
    const result = await repository.ok([...first, "--json"]);
    expect(present(repository).toSorted()).toEqual(keyless.toSorted());
    expect(repository.git("show", "--stat", "--format=%s").split("\n")[0]).toBe("workflows: write what sealtree runs");
    expect(repository.git("status", "--porcelain", ".github")).toBe("");
    expect(result.json()).toMatchObject({
      files: expect.arrayContaining([{ file: file("check"), state: "missing", outcome: "written" }]) as unknown,
      secrets: [{ environment: "rotation", names: ["SEALTREE_IDENTITY", "CLOUDFLARE_ADMIN"] }],
      commit: expect.stringMatching(/^[0-9a-f]{40}$/) as unknown,
    });
  });

  it("remembers what was chosen, and changes nothing when it is run again", async () => {
    const repository = await createTeam({ deploys: true });
    await repository.ok([...first, "--environment", "production=kv", "--environment", "stage=gh", "--pull-request"]);
    const before = present(repository).map((path) => repository.read(path));
    expect(before).toHaveLength(7);
    const again = await repository.ok(["github-setup", "--json"]);
    expect(again.json()).toMatchObject({ commit: null });
    expect(present(repository).map((path) => repository.read(path))).toEqual(before);
    await repository.ok(["github-setup", "--direct"]);
    expect(repository.read(file("rotation"))).not.toContain("pull-request");
    expect(repository.read(file("deploy"))).toContain("environment: stage");
  });

  it("asks for the commit of the Action when no file says it, and takes no tag", async () => {
    const repository = await createTeam();
    const missing = await repository.run(["github-setup", "--repository", "acme/api"]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("--action OWNER/REPOSITORY@COMMIT")]);
    const tag = await repository.run(["github-setup", "--repository", "acme/api", "--action", "acme/sealtree@v1"]);
    expect([tag.code, tag.stderr]).toEqual([2, expect.stringContaining("full commit")]);
    expect(present(repository)).toEqual([]);
  });

  it("leaves a file that is not ours or was changed by hand, says where it differs, and writes over it with --force", async () => {
    const repository = await createTeam();
    repository.write(file("check"), "name: theirs\n");
    const foreign = await repository.run(first);
    expect([foreign.code, foreign.stderr]).toEqual([7, expect.stringContaining("was not written by sealtree")]);
    expect(repository.read(file("check"))).toBe("name: theirs\n");
    await repository.ok(["github-setup", "--force"]);
    const ours = repository.read(file("rotation"));
    const changed = ours.replace("timeout-minutes: 60", "timeout-minutes: 90");
    repository.write(file("rotation"), changed);
    const line = ours.split("\n").findIndex((text) => text.includes("timeout-minutes")) + 1;
    const left = await repository.run(["github-setup", "--pull-request"]);
    expect([left.code, left.stderr]).toEqual([7, expect.stringContaining("was changed by hand")]);
    expect(left.stderr).toMatch(/differs in lines \d+ to \d+/);
    expect(repository.read(file("rotation"))).toBe(changed);
    const only = await repository.run(["github-setup", "--direct"]);
    expect(only.stderr).toContain(`differs in line ${line};`);
    await repository.ok(["github-setup", "--force"]);
    expect(repository.read(file("rotation"))).toBe(ours);
  });

  it("keeps newer commits of actions that Dependabot wrote, and asks when those of ours differ", async () => {
    const repository = await createTeam();
    await repository.ok(first);
    const { checkout } = pinnedActions;
    const newer = `actions/checkout@${"b".repeat(40)} # v99.0.0`;
    const bump = (name: string, from: string, to: string) =>
      repository.write(file(name), repository.read(file(name)).replaceAll(from, to));
    bump("check", `actions/checkout@${checkout.commit} # ${checkout.version}`, newer);
    await repository.ok(["github-setup"]);
    expect(repository.read(file("rotation"))).toContain(newer);
    bump("rotation", action, `acme/sealtree@${"c".repeat(40)} # v0.3.0`);
    const two = await repository.run(["github-setup"]);
    expect([two.code, two.stderr]).toEqual([2, expect.stringContaining("more than one commit")]);
    await repository.ok(["github-setup", "--action", `acme/sealtree@${"c".repeat(40)} # v0.3.0`]);
    expect(repository.read(file("check"))).toContain(`${"c".repeat(40)} # v0.3.0`);
  });

  it("follows no link out of the repository, and changes nothing on a dry run or before what is wrong is known", async () => {
    const repository = await createTeam();
    const outside = join(repository.root, "../outside.yml");
    writeFileSync(outside, "name: theirs\n");
    mkdirSync(join(repository.root, ".github/workflows"), { recursive: true });
    symlinkSync(outside, join(repository.root, file("rotation")));
    const linked = await repository.run([...first, "--force"]);
    expect([linked.code, readFileSync(outside, "utf8")]).toEqual([6, "name: theirs\n"]);
    expect(existsSync(join(repository.root, file("check")))).toBe(false);
    unlinkSync(join(repository.root, file("rotation")));
    const dry = await repository.ok([...first, "--dry-run", "--json"]);
    expect(dry.json()).toMatchObject({ commit: null, dry_run: true });
    expect(present(repository)).toEqual([]);
    await repository.ok([...first, "--no-commit"]);
    expect([present(repository).length, repository.git("status", "--porcelain", ".github")]).toEqual([
      5,
      expect.stringContaining("?? .github/"),
    ]);
  });

  it("takes away the workflows of deployment when nothing deploys any more", async () => {
    const repository = await createTeam({ deploys: true });
    await repository.ok([...first, "--environment", "production"]);
    expect(present(repository)).toHaveLength(7);
    const dry = await repository.ok(["github-setup", "--environment", "none", "--dry-run"]);
    expect(dry.stderr).toContain(`${file("deploy")}: would be removed`);
    await repository.ok(["github-setup", "--environment", "none"]);
    expect(present(repository).toSorted()).toEqual(keyless.toSorted());
  });

  it("knows the repository and the default branch from the remote", async () => {
    const repository = await createTeam();
    repository.git("remote", "add", "origin", "git@github.com:acme/web.git");
    repository.git("update-ref", "refs/remotes/origin/trunk", "HEAD");
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk");
    await repository.ok(["github-setup", "--action", action]);
    expect(repository.read(file("check"))).toContain("--repository acme/web --branch trunk\n");
    expect(parseWorkflow(repository.read(file("heartbeat-push"))).on["push"]).toEqual({ branches: ["trunk"] });
    await repository.ok(["github-setup", "--branch", "main"]);
    expect(parseWorkflow(repository.read(file("heartbeat-push"))).on["push"]).toEqual({ branches: ["main"] });
  });

  it("makes no secret of a variable that the runner sets, such as PATH for a program of a policy", async () => {
    const repository = await createTeam();
    repository.write(
      "policies/deploy.yaml",
      "targets:\n  edge: {kind: exec, scopes: [prod/api], place: edge, command: [node, edge.js], environment: [HOME, EDGE_TOKEN]}\n",
    );
    await repository.ok([...first, "--environment", "production"]);
    const [found] = listSteps(parseWorkflow(repository.read(file("deploy")))).slice(-1);
    expect(Object.keys(found?.step.env ?? {})).toEqual(["SEALTREE_IDENTITY", "GITHUB_TOKEN", "EDGE_TOKEN"]);
  });

  it("names no target that the policy has not, and no environment twice", async () => {
    const repository = await createTeam({ deploys: true });
    const strange = await repository.run([...first, "--environment", "production=none"]);
    expect([strange.code, strange.stderr]).toEqual([4, expect.stringContaining("there are gh, kv")]);
    const twice = await repository.run([...first, "--environment", "a=kv", "--environment", "A=gh"]);
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining("named twice")]);
  });
});

describe("the workflows", () => {
  const modes = [[], ["--pull-request"], ["--app"], ["--pull-request", "--app", "--gate"]];
  const written = new Map<string, Promise<Workflow[]>>();

  async function write(mode: readonly string[]): Promise<Workflow[]> {
    const make = async () => {
      const repository = await createTeam({ deploys: true });
      await repository.ok([...first, "--environment", "production=kv", "--environment", "stage=gh", ...mode]);
      return readWorkflows(repository);
    };
    const found = written.get(mode.join(" ")) ?? make();
    written.set(mode.join(" "), found);
    return await found;
  }

  it.each(modes.map((mode) => [mode]))("give the Action only inputs that it takes, with %j", async (mode) => {
    const steps = (await write(mode)).flatMap(listSteps);
    const ours = steps.filter(({ step }) => step.uses?.startsWith("acme/sealtree@"));
    const dispatched: Record<string, string> = {
      "inputs.scopes": "prod/api",
      "inputs.emergency": "true",
      "inputs.reason": "a token was in a log",
      "inputs.keep-grace": "true",
      "inputs.dry-run": "false",
      "!inputs.direct": "true",
      "vars.SEALTREE_ANCHOR || 'missing'": commit,
    };
    const commands = ours.map(({ step }) => {
      parseInputs(inputVariables(step, (expression) => dispatched[expression] ?? ""));
      return parseInputs(inputVariables(step)).command;
    });
    expect(new Set(commands)).toEqual(
      new Set(["check", "review", "comment", "rotate", "deploy", "drift", "heartbeat"]),
    );
  });

  it("have no permission but those of the job, a pinned image, a limit of time, and no credentials left behind", async () => {
    for (const mode of modes) {
      for (const workflow of await write(mode)) {
        expect(workflow.permissions).toEqual({});
        expect(workflow.concurrency?.group).toMatch(new RegExp(`^${workflow.name}`));
        expect(workflow.concurrency?.["cancel-in-progress"]).toBe(workflow.name === "secrets-check");
        for (const { job, step } of listSteps(workflow)) {
          expect(job["runs-on"]).toMatch(/^ubuntu-\d\d\.\d\d$/);
          expect(job["timeout-minutes"]).toBeGreaterThan(0);
          expect(job.permissions).toBeTypeOf("object");
          expect(step.uses).toMatch(/@[0-9a-f]{40}$/);
          expect(step.run).toBeUndefined();
          if (step.uses?.startsWith("actions/checkout@")) expect(step.with?.["persist-credentials"]).toBe(false);
        }
      }
    }
  });

  it("hand an identity and credentials only to jobs with an environment, and each its own", async () => {
    const workflows = await write(["--app"]);
    const held = new Map(
      workflows.flatMap(listSteps).flatMap(({ job, step }) => {
        const names = Object.keys(step.env ?? {});
        const command = String(step.with?.["command"] ?? "");
        return names.length === 0 ? [] : [[`${command} ${job.environment ?? ""}`.trim(), names] as const];
      }),
    );
    expect(Object.fromEntries(held)).toEqual({
      comment: ["GITHUB_TOKEN"],
      heartbeat: ["GITHUB_TOKEN"],
      "rotate rotation": [
        "SEALTREE_IDENTITY",
        "SEALTREE_SIGNING_KEY",
        "SEALTREE_APP_ID",
        "SEALTREE_APP_PRIVATE_KEY",
        "CLOUDFLARE_ADMIN",
        "DEPLOY_TOKEN",
      ],
      "deploy production": ["SEALTREE_IDENTITY", "GITHUB_TOKEN"],
      "deploy stage": ["SEALTREE_IDENTITY", "GITHUB_TOKEN", "DEPLOY_TOKEN"],
      "drift production": ["SEALTREE_IDENTITY", "GITHUB_TOKEN"],
      "drift stage": ["SEALTREE_IDENTITY", "GITHUB_TOKEN", "DEPLOY_TOKEN"],
    });
  });

  it("deploy nothing without an anchor where there is a gate", async () => {
    const anchors = async (mode: readonly string[]) =>
      (await write(mode)).flatMap(listSteps).flatMap(({ step }) => step.with?.["anchor"] ?? []);
    expect(await anchors([])).toEqual([]);
    const shut = "${{ vars.SEALTREE_ANCHOR || 'missing' }}";
    expect(await anchors(["--pull-request", "--app", "--gate"])).toEqual([shut, shut]);
    expect(() => parseInputs({ INPUT_COMMAND: "deploy", INPUT_ANCHOR: "missing" })).toThrow(/anchor/);
  });

  it("give jobs the permissions that their commands need, and no more", async () => {
    const of = async (mode: readonly string[]) =>
      Object.fromEntries(
        (await write(mode)).flatMap(({ jobs }) => Object.entries(jobs).map(([id, job]) => [id, job.permissions])),
      );
    expect(await of([])).toEqual({
      secrets: { contents: "read" },
      comment: { contents: "read", checks: "write", "pull-requests": "write" },
      heartbeat: { contents: "read", actions: "write", issues: "write" },
      rotate: { contents: "write", issues: "write", "id-token": "write" },
      "deploy-production": { contents: "write", "id-token": "write" },
      "deploy-stage": { contents: "write" },
      "drift-production": { contents: "read", "id-token": "write" },
      "drift-stage": { contents: "read" },
    });
    expect((await of(["--pull-request"]))["rotate"]).toMatchObject({ "pull-requests": "write" });
    expect((await of(["--app"]))["rotate"]).toEqual({ contents: "read", "id-token": "write" });
  });
});
