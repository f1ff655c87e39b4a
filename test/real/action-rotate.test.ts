import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { createRotationTeam, day, type JobClone, type RotationTeam } from "../support/rotation-team.ts";
import { runCli } from "../support/run-cli.ts";
import { runPost, runStep, type StepResult } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";
import { startRedis, type TestRedis } from "../support/servers/redis.ts";

const first = "test-first-password";
const [password, session] = ["dev/cache/PASSWORD", "dev/app/SESSION_KEY"];
const token = { GITHUB_TOKEN: "test-token" };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
});

/** One command as a user of Redis. */
function ask(user: string, word: string, ...command: string[]): string {
  return execFileSync("redis-cli", ["-p", String(redis.port), "--no-auth-warning", "--user", user, ...command], {
    env: { PATH: process.env["PATH"] ?? "", REDISCLI_AUTH: word },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}
const isLetIn = (word: string) => ask("app", word, "PING") === "PONG";

/** A password at a server, and a key that no server knows; both are overdue. */
async function createTeam(): Promise<RotationTeam> {
  ask("default", redis.adminPassword, "ACL", "SETUSER", "app", "reset", "on", `>${first}`, "~*", "+@all");
  const options = `{ servers: ["127.0.0.1:${redis.port}"], user: app, admin_password: '\${secret:dev/admin/REDIS}' }`;
  return await createRotationTeam(
    { [password]: first, "dev/admin/REDIS": redis.adminPassword, [session]: "test-first-session" },
    `secrets:
  ${password}: { rotator: redis, grace: 1d, interval: 30d, options: ${options} }
  ${session}: { rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }
`,
  );
}

async function startGithub({ server }: RotationTeam): Promise<FakeGithubRepository> {
  const github = await startFakeGithubRepository(server);
  onTestFinished(async () => await github.stop());
  return github;
}

async function rotate(
  clone: JobClone,
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Promise<StepResult> {
  const result = await runStep({
    workspace: clone.root,
    event: "schedule",
    inputs: { command: "rotate", ...inputs },
    env: { ...clone.env, ...env },
  });
  expect(result.commands).toEqual([]);
  return result;
}

async function read(clone: JobClone, address: string): Promise<string> {
  return (await runCli(["get", address, "--reveal", "--yes"], { cwd: clone.root, env: clone.env })).stdout;
}

async function verify(team: RotationTeam): Promise<unknown> {
  const { root: cwd, env } = await team.clone();
  return (await runCli(["verify", "--root", team.root, "--json"], { cwd, env })).json();
}

/** A line in the middle of a private key, which stands nowhere else. */
const lineOf = (key: string) => key.split("\n")[2] ?? "";

/** Files below `folders` that hold `text`. */
function findFiles(folders: readonly string[], text: string): string[] {
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory() === true) return findFiles([path], text);
      return stat?.isFile() === true && readFileSync(path).includes(text) ? [path] : [];
    }),
  );
}

/** What a process shows of itself; empty when it is gone. */
function show(pid: string, what: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "utf8");
  } catch {
    return "";
  }
}

/** Processes, but for the step itself, that hold `text` where others of the machine can see it. */
function findProcesses(text: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  const found = pids.filter((pid) => !show(pid, "cmdline").includes("main.js") && show(pid, "environ").includes(text));
  return [...found, ...pids.filter((pid) => show(pid, "cmdline").includes(text))];
}

function traceOf({ state }: StepResult): { pid: number; folder: string } {
  return JSON.parse(state.get("agent") ?? "") as { pid: number; folder: string };
}

describe("the rotation of the built Action on Node 24", () => {
  it("pushes what it made and what a server has, signed with a key that is on no disk", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const line = lineOf(team.signingKey);
    expect(line.length).toBeGreaterThan(40);
    const seen: string[][] = [];
    const temporary = makeThrowAway("sealtree-temporary-");
    team.server.onRequest = (request) => {
      if (request !== "push") return;
      expect(readdirSync(temporary)).toEqual([expect.stringContaining("sealtree-agent-")]);
      const folders = [clone.root, clone.env["HOME"] ?? "", temporary];
      seen.push([...findFiles(folders, line), ...findProcesses(line)]);
    };
    const env = { ...token, SEALTREE_SIGNING_KEY: team.signingKey, RUNNER_TEMP: temporary, SSH_AUTH_SOCK: "/none" };
    const result = await rotate(clone, {}, env);
    expect(result.annotations.map(({ level }) => level)).toEqual(["notice"]);
    expect(result.annotations[0]?.message).toContain("without a rule");
    expect([result.code, result.outputs.get("count"), result.outputs.get("failed")]).toEqual([0, "2", "0"]);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.flat()).toEqual([]);
    expect([readdirSync(temporary), findFiles([clone.root, clone.env["HOME"] ?? ""], line)]).toEqual([[], []]);
    expect(result.masks.join("\n")).toContain(line);
    expect(result.log + result.summary).not.toContain(line);

    const { pid, folder } = traceOf(result);
    expect([existsSync(folder), show(String(pid), "cmdline").includes(folder)]).toEqual([false, false]);

    const others = await team.clone();
    const [now, key] = [await read(others, password), await read(others, session)];
    expect([isLetIn(now), isLetIn(first), /^[0-9a-f]{32}$/.test(key)]).toEqual([true, true, true]);
    expect(await verify(team)).toMatchObject({ accepted: true, findings: [], signing: "require" });
    expect(team.server.git("log", "--format=%cn", `${team.root}..main`).trim().split("\n")).toEqual(
      Array.from({ length: 3 }, () => "github-actions[bot]"),
    );
    for (const secret of ["test-token", now, key]) expect(result.log + result.summary).not.toContain(secret);
    const again = await rotate(await team.clone(), {}, { ...token, SEALTREE_SIGNING_KEY: team.signingKey });
    expect([again.code, again.outputs.get("count")]).toEqual([0, "0"]);
  });

  it("leaves no agent when it is killed in the middle, and the next run goes on", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const env = { ...token, SEALTREE_SIGNING_KEY: team.signingKey };
    team.server.onRequest = (request) => {
      if (request !== "push") return;
      team.server.onRequest = undefined;
      const isStep = (pid: string) =>
        show(pid, "cmdline").includes("main.js") && show(pid, "environ").includes(clone.root);
      const step = readdirSync("/proc").find((pid) => /^[0-9]+$/.test(pid) && isStep(pid));
      process.kill(Number(step), "SIGKILL");
    };
    const cut = await rotate(clone, {}, env);
    expect(cut.code).toBe(null);
    const { pid, folder } = traceOf(cut);
    const inputs = { command: "rotate" };
    const post = await runPost({ workspace: clone.root, inputs, env: clone.env }, cut.state);
    expect([post.code, existsSync(folder)]).toEqual([0, false]);
    await expect.poll(() => show(String(pid), "cmdline").includes(folder)).toBe(false);
    // Another machine would wait for the lease of the run that was killed.
    const next = await rotate(clone, {}, env);
    expect([next.code, next.outputs.get("failed")]).toEqual([0, "0"]);
    expect(isLetIn(await read(await team.clone(), password))).toBe(true);
  });

  it("opens a pull request, brings it up to date the next day, and goes on when it is merged", async () => {
    const team = await createTeam();
    const github = await startGithub(team);
    const env = { ...token, SEALTREE_SIGNING_KEY: team.signingKey };
    const inputs = {
      "pull-request": "true",
      labels: "secrets, rotation",
      reason: "::error::a | `b` %0A <i>@alice</i>",
    };
    team.server.protect("main");

    const opened = await rotate(await team.clone(github), inputs, env);
    expect([opened.code, opened.outputs.get("pull-request"), opened.outputs.get("count")]).toEqual([0, "1", "2"]);
    const [pull] = github.issues;
    expect(pull).toMatchObject({ title: "secrets: rotate 2 secrets", labels: ["secrets", "rotation"] });
    expect(pull?.pull).toMatchObject({ head: { ref: "sealtree/rotation" }, reviewers: ["alice"] });
    expect(pull?.body).toContain("After the merge the old credential lives on");
    expect(pull?.body).not.toContain("<i>@alice</i>\n");
    expect(isLetIn(first)).toBe(true);

    // Something else is due the next day.
    await team.owner.ok(["set", "dev/web/COOKIE_KEY", "--stdin"], { stdin: "test-first-cookie", now: day(0) });
    const rule = "{ rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }";
    const policy = team.owner.read("policies/rotation.yaml");
    team.owner.write("policies/rotation.yaml", `${policy}  dev/web/COOKIE_KEY: ${rule}\n`);
    await team.publish("another rule");
    const updated = await rotate(await team.clone(github), inputs, env);
    expect([updated.code, updated.outputs.get("pull-request"), updated.outputs.get("names")]).toEqual([
      0,
      "1",
      "dev/web/COOKIE_KEY",
    ]);
    expect([github.issues.length, pull?.title]).toEqual([1, "secrets: rotate 3 secrets"]);
    expect(pull?.body).toContain("`dev/web/COOKIE_KEY`");

    team.merge("sealtree/rotation");
    for (const issue of github.issues) issue.state = "closed";
    const merged = await team.clone(github);
    const now = await read(merged, password);
    expect([isLetIn(now), isLetIn(first), now === first]).toEqual([true, true, false]);

    // The grace begins when a run sees the merge, and that is brought to main by another pull request.
    const after = await rotate(merged, inputs, env);
    expect([after.code, after.outputs.get("count"), after.outputs.get("pull-request")]).toEqual([0, "0", "2"]);
    expect(github.issues[1]).toMatchObject({ title: "secrets: end 1 rotation" });
    expect(github.issues[1]?.body).toContain(`\`${password}\``);
    expect([isLetIn(now), isLetIn(first), github.violations]).toEqual([true, true, []]);
  });

  it("rotates at once in an emergency that somebody asks for by hand", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const step = { workspace: clone.root, event: "workflow_dispatch", env: { ...clone.env, ...token } };
    const all = await runStep({ ...step, inputs: { command: "rotate", emergency: "true", scopes: "" } });
    expect([all.code, isLetIn(first)]).toEqual([2, true]);
    const inputs = { command: "rotate", emergency: "true", scopes: password, reason: "a laptop was lost" };
    const done = await runStep({ ...step, inputs });
    expect([done.code, done.outputs.get("names"), isLetIn(first)]).toEqual([0, password, false]);
    expect(team.server.git("log", "--format=%B", `${team.root}..main`)).toContain(
      "a laptop was lost\n\nSealtree-Reason: emergency\n",
    );
    expect(isLetIn(await read(await team.clone(), password))).toBe(true);
  });
});
