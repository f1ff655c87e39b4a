import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reviewMarker } from "../../src/cli/review-markdown.ts";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import type { HeldIssue } from "../support/fakes/github-shapes.ts";
import { createReviewTeam, ownName, pullPayload, runPayload, type ReviewTeam } from "../support/review-team.ts";
import { runStep, type Step } from "../support/runner.ts";

const bot = "github-actions[bot]";
const forged = `${reviewMarker}\n## ✅ Secrets review: fine\n`;
let team: ReviewTeam;

beforeEach(async () => {
  team = await createReviewTeam();
});
afterEach(async () => {
  await team.github.stop();
});

/** The second workflow, after the first ended for the pull request. */
async function comment(pull: HeldIssue, { env = {}, ...more }: Partial<Step> = {}) {
  const step = { workspace: team.clone(), event: "workflow_run", payload: runPayload(pull), ...more };
  return await runStep({ ...step, inputs: { command: "comment" }, env: { ...team.env, ...env } });
}

describe("the built Action on Node 24 as the second workflow", () => {
  it("comments on a fork's pull request once, changes that in place, and sets the check run", async () => {
    const pull = await team.openPull(async (repository) => {
      await repository.ok(["set", "prod/api/NEW_KEY", "--stdin"], { stdin: "test-value-of-a-fork" });
    });
    const first = await comment(pull);
    expect([first.code, first.outputs.get("verdict"), first.commands]).toEqual([0, "attention", []]);
    expect(pull.comments).toMatchObject([{ user: bot }]);
    expect(pull.comments[0]?.body).toContain("NEW_KEY");
    expect(first.raw).not.toMatch(/^(?!::add-mask).*test-token/m);

    await team.addCommit(pull, (repository) => {
      repository.write("secrets/prod/api.yaml", `${repository.read("secrets/prod/api.yaml")}PLAIN: test-plaintext\n`);
    });
    const second = await comment(pull);
    expect([second.code, second.outputs.get("verdict")]).toEqual([0, "blocked"]);
    expect(pull.comments).toHaveLength(1);
    expect(pull.comments[0]?.body).toContain("blocked");
    expect(team.github.checkRuns.map(({ name, conclusion, head }) => [name, conclusion, head])).toEqual([
      ["sealtree review", "neutral", expect.any(String)],
      ["sealtree review", "failure", pull.pull?.head.sha],
    ]);
    expect((await comment(pull)).log).toContain("comment on #1: same");
  });

  it("is not misled by a first run that was replaced: its files, its words and its end", async () => {
    const pull = await team.openPull((repository) => {
      repository.write("secrets/prod/api.yaml", `${repository.read("secrets/prod/api.yaml")}PLAIN: test-plaintext\n`);
      repository.write(".github/workflows/secrets.yml", "name: secrets\non: pull_request\njobs: {}\n");
    });
    team.github.addComment(pull, "mallory", forged);
    const workspace = team.clone();
    writeFileSync(join(workspace, "sealtree-review.md"), forged);
    for (const conclusion of ["success", "cancelled"]) {
      const result = await comment(pull, { workspace, payload: runPayload(pull, { conclusion }) });
      expect([result.code, result.outputs.get("verdict")]).toEqual([0, "blocked"]);
    }
    expect(pull.comments.map(({ user, body }) => [user, body === forged])).toEqual([
      ["mallory", true],
      [bot, false],
    ]);
    expect(team.github.checkRuns).toMatchObject([{ conclusion: "failure" }]);
  });

  it("cuts a report that a comment cannot hold, and says so", async () => {
    const pull = await team.openPull((repository) => {
      for (let index = 0; index < 1500; index++) repository.write(`policies/odd-${index}.yaml`, "a: {\n");
    });
    const result = await comment(pull);
    expect([result.code, result.outputs.get("verdict")]).toEqual([0, "blocked"]);
    const body = pull.comments[0]?.body ?? "";
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain("`sealtree review --html` shows all");
  });

  it("says nothing of a commit that is no longer the head", async () => {
    const pull = await team.openPull((repository) => repository.write("README.md", "one\n"));
    const payload = runPayload(pull);
    await team.addCommit(pull, (repository) => repository.write("README.md", "two\n"));
    const result = await comment(pull, { payload });
    expect([result.code, result.annotations[0]?.level]).toEqual([0, "notice"]);
    expect([pull.comments, team.github.checkRuns]).toEqual([[], []]);
  });

  it("refuses pull_request_target, a fork's own run, and an identity", async () => {
    const pull = await team.openPull((repository) => repository.write("README.md", "one\n"));
    const identity = readFileSync(defaultIdentityFile(team.owner.env), "utf8");
    for (const more of [
      { event: "pull_request_target", payload: pullPayload(pull) },
      { event: "pull_request", payload: pullPayload(pull) },
      { env: { SEALTREE_IDENTITY: identity } },
    ]) {
      const result = await comment(pull, more);
      expect([result.code, result.annotations[0]?.properties["title"]]).toEqual([5, "E_ACTION_REFUSED"]);
      expect(result.raw).not.toContain("AGE-SECRET-KEY");
    }
    expect(team.github.requests).toEqual([]);
  });

  it("comments in one workflow on a pull request of the repository itself", async () => {
    const pull = await team.openPull((repository) => repository.write("policies/rotation.yaml", "secrets: {}\n"), {
      from: ownName,
    });
    const result = await comment(pull, { event: "pull_request", payload: pullPayload(pull) });
    expect([result.code, pull.comments.length, team.github.checkRuns.length]).toEqual([0, 1, 1]);
  });
});
