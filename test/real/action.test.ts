import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { actionCommands } from "../../src/action/inputs.ts";
import { listMasks } from "../../src/action/masks.ts";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import { Secret } from "../../src/secret/secret.ts";
import { findCanaries } from "../support/canary.ts";
import { startGitServer } from "../support/git-server.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { runPost, runStep, type Step, type StepResult } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = 'real-action-canary "4m9p"\r\n::add-mask::x\n::set-output name=a::b\n%0A::error::y\n##[error]z\nEOF';
const url = "postgres://test@db.test/app?x=1&y=2";
const first = "test-session-first";
const address = "prod/web/SESSION_KEY";

/** A team's repository on a server, and what its jobs have: an empty home, and the identity in a variable. */
interface Team {
  readonly owner: TestRepository;
  /** Of jobs with secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** A job's clone, as actions/checkout makes it. */
  clone(...options: string[]): Promise<string>;
}

async function createTeam(): Promise<Team> {
  const server = await startGitServer();
  const owner = await createSealedRepository();
  for (const [scope, values] of [
    ["prod/api", { API_KEY: canary, "db.url": url }],
    ["prod/web", { SESSION_KEY: first }],
  ] as const)
    await owner.ok(["import", scope, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
  owner.write(
    "policies/rotation.yaml",
    `secrets:\n  ${address}: { rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }\n`,
  );
  owner.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/web], file: .env}\n");
  owner.write(".gitignore", ".env\n");
  owner.git("add", "--all");
  owner.git("commit", "--quiet", "-m", "policies");
  // The server runs in this process, so git must not be waited for with everything else standing still.
  await git(owner.root, "push", "--quiet", server.urlWithToken, "main");
  const bot = { NAME: "Test Bot", EMAIL: "bot@example.test" };
  const names = Object.entries(bot).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value],
  ]);
  const identity = readFileSync(defaultIdentityFile(owner.env), "utf8");
  return {
    owner,
    env: { HOME: makeThrowAway("sealtree-job-"), SEALTREE_IDENTITY: identity, ...Object.fromEntries(names) },
    async clone(...options) {
      const base = makeThrowAway("sealtree-workspace-");
      await git(base, "clone", "--quiet", ...options, server.urlWithToken, "api");
      return join(base, "api");
    },
  };
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)("git", args, { cwd })).stdout;
}

/** Nothing of a value is in what anybody can read of the step, and nothing of it was taken for a command. */
function expectQuiet(result: StepResult): void {
  const { log, summary, commands, annotations, outputs } = result;
  const seen = [log, summary, JSON.stringify(annotations), ...outputs.values()].join("\n");
  expect(findCanaries(seen, [canary, url, first])).toEqual([]);
  for (const value of [canary, url, first]) {
    // Lines such as the header of a key may be elsewhere too; what is the value's own may not.
    for (const form of listMasks(Secret.text(value))) if (form.length > 16) expect(seen).not.toContain(form);
  }
  expect(commands).toEqual([]);
}

describe("the built Action on Node 24", () => {
  it("checks a pull request without an identity, and reviews it into a file and the summary", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    const base = (await git(workspace, "rev-parse", "HEAD")).trim();
    await team.owner.ok(["set", "prod/api/NEW_KEY", "--stdin"], { stdin: "test-value-of-a-fork" });
    await git(workspace, "pull", "--quiet", team.owner.root, "main");
    const repo = { full_name: "acme/api" };
    const payload = { pull_request: { base: { sha: base, repo }, head: { repo: { full_name: "mallory/api" } } } };
    const step = { workspace, event: "pull_request", payload, env: { HOME: workspace } };
    const check = await runStep({ ...step, inputs: { command: "check" } });
    expect([check.code, check.outputs.get("errors")]).toEqual([0, "0"]);
    expectQuiet(check);
    const review = await runStep({ ...step, inputs: { command: "review" } });
    expect(review.code).toBe(0);
    const report = readFileSync(review.outputs.get("file") ?? "", "utf8");
    expect(report).toContain("NEW_KEY");
    expect(review.summary).toContain(report);
    expectQuiet(review);

    const shallow = await team.clone("--depth=1", "--no-local");
    for (const command of ["check", "review"]) {
      const refused = await runStep({ ...step, workspace: shallow, inputs: { command } });
      expect(refused.code).toBe(5);
      expect(refused.annotations[0]?.message).toContain("fetch-depth: 0");
    }
  });

  it("exports to the environment: every form masked first, hostile values as they are", async () => {
    const team = await createTeam();
    const workspace = await team.clone("--depth=1");
    const result = await runStep({
      workspace,
      env: team.env,
      inputs: { command: "export", scopes: "prod/api prod/web" },
    });
    expect([result.code, Object.fromEntries(result.variables)]).toEqual([
      0,
      { API_KEY: canary, DB_URL: url, SESSION_KEY: first },
    ]);
    for (const value of [canary, url, first])
      expect(result.masks).toEqual(expect.arrayContaining(listMasks(Secret.text(value))));
    expect(result.outputs).toEqual(
      new Map([
        ["count", "3"],
        ["names", "API_KEY,DB_URL,SESSION_KEY"],
      ]),
    );
    expectQuiet(result);
  });

  it("exports to a file that the post step removes", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    const file = join(makeThrowAway("sealtree-file-"), "api.json");
    const inputs = { command: "export", scopes: "prod/api", to: "file", file, format: "json" };
    const step: Step = { workspace, env: team.env, inputs };
    const result = await runStep(step);
    expect([result.code, statSync(file).mode & 0o777]).toEqual([0, 0o600]);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ API_KEY: canary, "db.url": url });
    expectQuiet(result);
    const post = await runPost(step, result.state);
    expect([post.code, existsSync(file)]).toEqual([0, false]);
    expectQuiet(post);
    expect((await runPost(step, result.state)).code).toBe(0);
  });

  it("runs a script that prints what it has in every way, and shows none of it", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    const run = [
      `printf '%s\\n' "$API_KEY" "$DB_URL" "$SESSION_KEY"`,
      `printf '%s' "$API_KEY" | base64 -w0; echo; printf 'ab%s' "$DB_URL" | base64 -w0; echo`,
      `echo "::add-mask::known"; echo '##[set-env name=A]b'; echo "::warning::to stderr" >&2`,
      `env | grep -c -E '^(INPUT_|SEALTREE_|ACTIONS_|GITHUB_(ENV|OUTPUT|STATE|PATH)=)'`,
      "exit 7",
    ].join("\n");
    const inputs = { command: "run", scopes: "prod/api,prod/web", run: `set +e\n${run}` };
    const result = await runStep({ workspace, env: team.env, inputs });
    expect([result.code, result.outputs.get("status")]).toEqual([7, "7"]);
    expect(result.log.split("\n")).toEqual(expect.arrayContaining(["::add-mask::known", "::warning::to stderr", "0"]));
    expect([result.masks.includes("known"), result.variables.size]).toEqual([false, 0]);
    expectQuiet(result);
  });

  it("rotates what is due, and deploys it", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    const step = { workspace, env: team.env };
    const nothing = await runStep({ ...step, inputs: { command: "rotate" } });
    expect([nothing.code, nothing.outputs.get("count")]).toEqual([0, "0"]);
    const dry = await runStep({ ...step, inputs: { command: "rotate", scopes: address, "dry-run": "true" } });
    expect([dry.code, await git(workspace, "log", "-1", "--format=%s")]).toEqual([0, "policies\n"]);
    const rotated = await runStep({ ...step, inputs: { command: "rotate", scopes: address } });
    expect([rotated.code, rotated.outputs.get("names"), rotated.outputs.get("failed")]).toEqual([0, address, "0"]);
    expect(rotated.summary).toContain(address);
    expect(await git(workspace, "log", "-1", "--format=%an")).toBe("Test Bot\n");
    expectQuiet(rotated);

    // The rotation has brought it there already.
    expect(readFileSync(join(workspace, ".env"), "utf8")).toMatch(/^SESSION_KEY=.?[0-9a-f]{32}/m);
    rmSync(join(workspace, ".env"));
    const planned = await runStep({ ...step, inputs: { command: "deploy", "dry-run": "true" } });
    expect([planned.code, planned.outputs.get("count"), existsSync(join(workspace, ".env"))]).toEqual([0, "1", false]);
    const deployed = await runStep({ ...step, inputs: { command: "deploy", targets: "file" } });
    expect([deployed.code, deployed.outputs.get("count"), deployed.outputs.get("failed")]).toEqual([0, "1", "0"]);
    expect(readFileSync(join(workspace, ".env"), "utf8")).toMatch(/^SESSION_KEY=.?[0-9a-f]{32}/m);
    expectQuiet(deployed);
  });

  it("refuses to open values for a fork, and an identity in its run", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    for (const event of ["pull_request", "pull_request_target", "issue_comment"]) {
      const step = { workspace, env: team.env, event, payload: {} };
      for (const inputs of [{ command: "check" }, { command: "export", scopes: "prod/api" }]) {
        const result = await runStep({ ...step, inputs });
        expect([result.code, result.masks, result.variables.size]).toEqual([5, [], 0]);
        expect(result.annotations[0]?.properties["title"]).toBe("E_ACTION_REFUSED");
        expect(result.raw).not.toContain("AGE-SECRET-KEY");
      }
    }
  });

  it("says what it does not know, and shows nothing of it", async () => {
    const team = await createTeam();
    const workspace = await team.clone();
    const step = { workspace, env: team.env, inputs: { command: "exprot", scopes: "::add-mask::x\n::error::y" } };
    const result = await runStep({ ...step, ref: "v1" });
    expect([result.code, result.annotations.map(({ message }) => message)]).toEqual([
      2,
      [`the command is not known\ndid you mean export?\none of ${actionCommands.join(", ")}`],
    ]);
  });
});
