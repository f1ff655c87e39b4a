import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseInputs } from "../../src/action/inputs.ts";
import { proposeRotation } from "../../src/action/rotation-pull-request.ts";
import { createRunner } from "../../src/action/runner.ts";
import { openGithubRepository } from "../../src/github/repository.ts";
import { Secret } from "../../src/secret/secret.ts";
import { act } from "../support/act.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { createRotationTeam, day, type JobClone, type RotationTeam } from "../support/rotation-team.ts";
import { providerAccess } from "../support/provider-access.ts";
import { runCli } from "../support/run-cli.ts";
import { prepareStep } from "../support/runner.ts";

const addresses = ["dev/app/SESSION_KEY", "dev/web/COOKIE_KEY"];
const rule = "{ rotator: generate, options: { kind: hex, bytes: 16 }, interval: 30d }";
const rules = `secrets:\n${addresses.map((address) => `  ${address}: ${rule}\n`).join("")}`;
const secrets = Object.fromEntries(addresses.map((address) => [address, "test-first-value"]));
const token = { GITHUB_TOKEN: "test-token" };
const rotate = { command: "rotate" };

const asInputs = (inputs: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
const createTeam = () => createRotationTeam(secrets, rules);
const tip = ({ server }: RotationTeam, branch = "main") => server.git("rev-parse", branch).trim();
async function values({ root, env }: JobClone): Promise<string[]> {
  const found = await runCli(["export", "dev/app", "dev/web", "--format", "json"], { cwd: root, env });
  return Object.values(JSON.parse(found.stdout) as Record<string, string>);
}

/** What `sealtree verify` says of all that came after the root, to a clone that has no more than that. */
async function verify(team: RotationTeam): Promise<{ accepted: boolean; findings: unknown[] }> {
  const { root: cwd, env } = await team.clone();
  return (await runCli(["verify", "--root", team.root, "--json"], { cwd, env })).json();
}

describe("rotate without a pull request", () => {
  it("leaves nothing unpushed, signed and in the name of the bot, with the token for the server alone", async () => {
    const team = await createTeam();
    const { root, env } = await team.clone();
    const before = tip(team);
    const step = { env: { ...token, SEALTREE_SIGNING_KEY: team.signingKey.trimEnd() }, now: day(40) };
    const result = await act({ root, env }, rotate, step);
    expect(result.annotations).toEqual([]);
    expect([result.code, result.outputs.get("count"), result.outputs.get("failed")]).toEqual([0, "2", "0"]);
    expect(result.outputs.get("names")?.split(",")).toEqual(addresses);
    expect(team.server.git("log", "--format=%an|%cn|%ce", `${before}..main`).trim()).toBe(
      "github-actions[bot]|github-actions[bot]|41898282+github-actions[bot]@users.noreply.github.com",
    );
    expect(await verify(team)).toMatchObject({ accepted: true, findings: [] });
    for (const value of await values({ root, env })) expect(value).toMatch(/^[0-9a-f]{32}$/);
    const shown = [result.log, result.summary, JSON.stringify(result.annotations), ...result.outputs.values()].join();
    for (const secret of ["test-token", ...team.signingKey.split("\n").filter((line) => line.length > 20)]) {
      expect(shown).not.toContain(secret);
      expect(result.masks.join("\n")).toContain(secret);
    }
    expect(result.masks).toContain(Buffer.from("x-access-token:test-token").toString("base64"));
    const { pid, folder } = JSON.parse(result.state.get("agent") ?? "") as { pid: number; folder: string };
    expect([existsSync(folder), pid > 1]).toEqual([false, true]);

    const again = await act({ root, env }, rotate, step);
    expect([again.code, again.outputs.get("count")]).toEqual([0, "0"]);
  });

  it("says without a token that git was not let in, and nothing is lost", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const before = tip(team);
    const result = await act(clone, rotate, { now: day(40) });
    expect([result.code, result.outputs.get("failed"), tip(team)]).toEqual([8, "2", before]);
    expect(result.annotations[0]?.message).toContain(addresses[0]);
    expect(await values(clone)).toEqual(["test-first-value", "test-first-value"]);
  });

  it("pushes with what the checkout kept, and leaves that as it is", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const header = `AUTHORIZATION: basic ${Buffer.from("x-access-token:test-token").toString("base64")}`;
    const config = ["-C", clone.root, "config", `http.${team.server.githubUrl}/.extraheader`];
    team.owner.git(...config, header);
    const result = await act(clone, rotate, { env: { GITHUB_TOKEN: "test-other-token" }, now: day(40) });
    expect([result.code, result.outputs.get("count")]).toEqual([0, "2"]);
    expect(team.owner.git(...config).trim()).toBe(header);
  });

  it("says what a dry run would do, and moves nothing", async () => {
    const team = await createTeam();
    const clone = await team.clone();
    const refs = team.server.git("for-each-ref");
    const result = await act(clone, { ...rotate, "dry-run": "true" }, { env: token, now: day(40) });
    expect([result.code, result.outputs.get("count"), team.server.git("for-each-ref")]).toEqual([0, "2", refs]);
    expect(result.summary).toContain("would be rotated");
  });

  it("refuses a signing key that is none before it rotates, and shows nothing of it", async () => {
    const team = await createTeam();
    const before = tip(team);
    const env = { ...token, SEALTREE_SIGNING_KEY: "test text that is no key at all" };
    const result = await act(await team.clone(), rotate, { env, now: day(40) });
    expect([result.code, tip(team)]).toEqual([2, before]);
    expect(result.annotations[0]?.message).toContain("SEALTREE_SIGNING_KEY is not a private key");
    expect(result.log + JSON.stringify(result.annotations) + result.summary).not.toContain("no key at all");
  });
});

describe("a GitHub App that is not let in", () => {
  it("ends the step before anything is rotated, and the agent with it", async () => {
    const team = await createTeam();
    const github = await startGithub(team);
    const refs = team.server.git("for-each-ref");
    const app = { SEALTREE_APP_ID: String(github.app.id), SEALTREE_APP_PRIVATE_KEY: "test text that is no key" };
    const env = { ...app, SEALTREE_SIGNING_KEY: team.signingKey };
    const result = await act(await team.clone(github), rotate, { env, now: day(40) });
    expect([result.code, result.outputs.size, team.server.git("for-each-ref")]).toEqual([9, 0, refs]);
    expect(result.annotations[0]?.properties["title"]).toBe("E_PROVIDER");
    expect(result.log + JSON.stringify(result.annotations)).not.toContain("that is no key");
    expect(result.annotations[0]?.message).not.toContain("the token lacks a right");
    const { folder } = JSON.parse(result.state.get("agent") ?? "") as { folder: string };
    expect(existsSync(folder)).toBe(false);
  });
});

describe("an emergency", () => {
  it.each([
    [{ emergency: "true" }, "an emergency needs the input scopes"],
    [{ scopes: "dev/app", "keep-grace": "true" }, "keep-grace goes with emergency: true"],
    [{ scopes: "dev/app", emergency: "true", reason: "--all" }, "the input reason is one line"],
    [{ scopes: "dev/app", emergency: "true", reason: "two\nlines" }, "the input reason is one line"],
    [{ scopes: "dev/app", emergency: "yes" }, "the input emergency is true or false"],
    [{ labels: "security" }, "labels go with pull-request: true"],
  ])("is refused as %j", (inputs, words) => {
    expect(() => parseInputs(asInputs({ ...rotate, ...inputs }))).toThrow(words);
  });

  it("rotates a scope that is not due, and shows its reason as text", async () => {
    const team = await createTeam();
    const reason = "::error::lost | `x` <b>@alice</b> %0A --all ##[add-mask]z";
    const inputs = { ...rotate, scopes: "dev/app", emergency: "true", reason, "keep-grace": "true" };
    const result = await act(await team.clone(), inputs, { env: token, now: day(1), event: "workflow_dispatch" });
    expect([result.code, result.outputs.get("names"), result.commands, result.masks.includes("z")]).toEqual([
      0,
      addresses[0],
      [],
      false,
    ]);
    expect(result.summary).toContain("an emergency");
    expect(result.summary).not.toContain("<b>@alice</b> %0A --all\n");
    expect(team.server.git("log", "-1", "--format=%B", "main")).toContain(`${reason}\n\nSealtree-Reason: emergency\n`);
  });
});

describe("rotate for a pull request", () => {
  const inputs = { ...rotate, "pull-request": "true", labels: "secrets, rotation" };
  const branch = "sealtree/rotation";

  it("opens it, keeps it from day to day, and goes on after the merge", async () => {
    const team = await createTeam();
    const github = await startGithub(team);
    const step = (number: number) => ({ env: { ...token, SEALTREE_SIGNING_KEY: team.signingKey }, now: day(number) });

    // GitHub lets no job open one: what was rotated is pushed, and the error says what to allow.
    github.rights.delete("pull_requests");
    const main = tip(team);
    const refused = await act(await team.clone(github), inputs, step(40));
    expect([refused.code, refused.outputs.get("count"), tip(team)]).toEqual([9, "2", main]);
    expect(refused.annotations.map(({ message }) => message).join()).toContain(
      "Allow GitHub Actions to create and approve pull requests",
    );
    expect([github.issues.length, tip(team, branch) === main]).toEqual([0, false]);
    github.rights.add("pull_requests");

    // The next day nothing is new, and it is opened all the same.
    const opened = await act(await team.clone(github), inputs, step(41));
    expect([opened.code, opened.outputs.get("count"), opened.outputs.get("pull-request")]).toEqual([0, "0", "1"]);
    const [pull] = github.issues;
    expect(pull).toMatchObject({ title: "secrets: rotate 2 secrets", labels: ["secrets", "rotation"] });
    expect(pull?.pull).toMatchObject({ head: { ref: branch }, base: { ref: "main" }, reviewers: ["alice"] });
    for (const address of addresses) expect(pull?.body).toContain(`- \`${address}\``);
    expect(pull?.body.startsWith("<!-- sealtree rotation -->\n")).toBe(true);

    // From day to day it stays as it is, and nobody is asked twice; what is new on main is brought in.
    team.owner.write("README.md", "# Test\n");
    await team.publish("a file that is not ours");
    const before = github.requests.length;
    const kept = await act(await team.clone(github), inputs, step(42));
    expect([kept.outputs.get("pull-request"), github.issues.length]).toEqual(["1", 1]);
    const asked = github.requests.slice(before);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((it) => /^PATCH|requested_reviewers|^POST .*pulls$/.test(it))).toEqual([]);

    expect(team.server.git("show", `${branch}:README.md`)).toBe("# Test\n");

    // Somebody closes it and removes the branch: it comes back, with all that it had.
    const closed = tip(team, branch);
    if (pull !== undefined) pull.state = "closed";
    team.server.git("update-ref", "-d", `refs/heads/${branch}`);
    const back = await act(await team.clone(github), inputs, step(43));
    expect([back.code, back.outputs.get("pull-request"), tip(team, branch)]).toEqual([0, "2", closed]);

    const unmerged = await team.clone();
    expect(await values(unmerged)).toEqual(Object.values(secrets));
    team.merge(branch);
    for (const issue of github.issues) issue.state = "closed";
    expect(await verify(team)).toMatchObject({ accepted: true, findings: [] });
    const merged = await team.clone(github);
    for (const value of await values(merged)) expect(value).toMatch(/^[0-9a-f]{32}$/);
    const idle = await act(merged, inputs, step(44));
    expect([idle.code, idle.outputs.has("pull-request"), github.issues.length]).toEqual([0, false, 2]);
    expect(github.violations).toEqual([]);
  });

  it("counts what is too much for its text, and shows hostile words as text", async () => {
    const team = await createTeam();
    const github = await startGithub(team);
    team.server.git("update-ref", `refs/heads/${branch}`, team.server.git("rev-parse", "main~1").trim());
    const { root, env } = await team.clone(github);
    const { env: more } = prepareStep({ workspace: root, inputs: {} });
    const runner = createRunner({ env: more, write: () => undefined, random: (size) => randomBytes(size) });
    const token = Secret.text("test-token");
    const access = providerAccess({});
    const repository = openGithubRepository({ api: github.url, repository: "test-owner/test-name", token, access });
    const reason = "</details> @alice #1 <img src=x> ::error::";
    const job = { runner, place: { root, env }, inputs: parseInputs({ ...asInputs(inputs), INPUT_REASON: reason }) };
    const many = Array.from({ length: 500 }, (_, index) => `dev/app/KEY_${index}`);
    const json = {
      rotated: [],
      not_rotated: [],
      unreadable: [],
      at_providers: [],
      postponed: [],
      targets: [],
      without_rule: 0,
      branch: `origin/${branch}`,
      trunk: "main",
      unmerged: { values: many, graces: many, steps: many },
      markdown: "x".repeat(100_000),
    };
    await proposeRotation(job, repository, { json, branch });
    const [pull] = github.issues;
    expect([pull?.title, (pull?.body ?? "").length < 60_000]).toEqual(["secrets: rotate 500 secrets", true]);
    expect(pull?.body.match(/^- and 300 more$/gm)).toHaveLength(3);
    expect(pull?.body).toContain("The report of the last run is in the summary of its job.");
    expect(pull?.body).toContain(`Reason: \`${reason}\`\n`);
  });

  it("is told before anything is rotated that it has no token", async () => {
    const team = await createTeam();
    const refs = team.server.git("for-each-ref");
    const clone = await team.clone();
    team.owner.git("-C", clone.root, "config", "remote.origin.url", team.server.urlWithToken);
    const result = await act(clone, inputs, { now: day(40) });
    expect([result.code, team.server.git("for-each-ref")]).toEqual([2, refs]);
    expect(result.annotations[0]?.message).toContain("pull-requests: write");
  });

  it("opens it as a GitHub App, which commits too", async () => {
    const team = await createTeam();
    const github = await startGithub(team);
    const app = { SEALTREE_APP_ID: String(github.app.id), SEALTREE_APP_PRIVATE_KEY: github.app.pem };
    team.server.allow("test-installation-token-0");
    const clone = await team.clone(github);
    const result = await act(clone, inputs, { env: app, now: new Date() });
    expect(result.annotations).toEqual([]);
    expect([result.code, result.outputs.get("pull-request"), github.issues[0]?.user]).toEqual([
      0,
      "1",
      "test-app[bot]",
    ]);
    expect(team.server.git("log", "-1", "--format=%cn <%ce>", branch).trim()).toBe(
      "test-app[bot] <test-app[bot]@users.noreply.github.com>",
    );
    expect(result.log + result.summary).not.toContain(github.app.pem.split("\n")[3]);
  });
});

async function startGithub({ server }: RotationTeam): Promise<FakeGithubRepository> {
  const github = await startFakeGithubRepository(server);
  onTestFinished(async () => await github.stop());
  return github;
}
