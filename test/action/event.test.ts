import { describe, expect, it } from "vitest";
import { loadEvent } from "../../src/action/event.ts";
import { prepareStep } from "../support/runner.ts";

const base = { sha: "b".repeat(40), repo: { full_name: "acme/api" } };
const ours = { repo: { full_name: "Acme/API", fork: true } };

function eventOf(event: string, payload: unknown) {
  return loadEvent(prepareStep({ workspace: "/", inputs: {}, event, payload }).env);
}

describe("loadEvent", () => {
  it.each([
    ["push", {}],
    ["schedule", {}],
    ["workflow_dispatch", {}],
    ["pull_request", { pull_request: { base, head: ours } }],
    ["workflow_run", { workflow_run: { head_repository: base.repo, event: "push" }, repository: base.repo }],
  ])("takes %s with %j for one of those who may write", (event, payload) => {
    expect(eventOf(event, payload).foreign).toBeUndefined();
  });

  it.each([
    ["pull_request_target", { pull_request: { base, head: ours } }],
    ["issue_comment", {}],
    ["issues", {}],
    ["", {}],
    ["pull_request", {}],
    ["pull_request", "no payload"],
    ["pull_request", { pull_request: { base, head: { repo: null } } }],
    ["pull_request", { pull_request: { base, head: { repo: { full_name: "mallory/api" } } } }],
    ["push", { pull_request: { base, head: { repo: { full_name: "mallory/api" } } } }],
    ["workflow_run", {}],
    ["workflow_run", { workflow_run: { head_repository: null }, repository: base.repo }],
    ["workflow_run", { workflow_run: { head_repository: { full_name: "mallory/api" } }, repository: base.repo }],
    ["workflow_run", { workflow_run: { head_repository: base.repo, event: "issue_comment" }, repository: base.repo }],
    ["workflow_run", { workflow_run: { head_repository: base.repo, event: "issues" }, repository: base.repo }],
    ["workflow_run", { workflow_run: { head_repository: base.repo, event: 1 }, repository: base.repo }],
    ["push", { pull_request: "no pull request" }],
    ["push", { pull_request: { base: { repo: [] }, head: ours } }],
  ])("takes %s with %j for one that anybody may have started", (event, payload) => {
    expect(eventOf(event, payload).foreign).toEqual(expect.any(String));
  });

  it("gives the commit that a change is to be merged into, when it is one", () => {
    expect(eventOf("pull_request", { pull_request: { base, head: ours } }).base).toBe(base.sha);
    const odd = { ...base, sha: "--output=x" };
    expect(eventOf("pull_request", { pull_request: { base: odd, head: ours } }).base).toBeUndefined();
  });
});

describe("the change of an event", () => {
  const head = { sha: "c".repeat(40), ref: "topic", repo: { full_name: "mallory/api" } };
  const run = {
    event: "pull_request",
    head_sha: head.sha,
    head_branch: "topic",
    head_repository: { full_name: "mallory/api" },
  };

  it.each([
    ["pull_request", { pull_request: { base, head } }],
    ["workflow_run", { workflow_run: run, repository: base.repo }],
  ])("is the head of the pull request, on %s", (event, payload) => {
    const change = { commit: head.sha, branch: "topic", repository: "mallory/api" };
    expect(eventOf(event, payload).change).toEqual(change);
  });

  it.each([
    ["pull_request", { pull_request: { base, head: { ...head, repo: null } } }],
    ["workflow_run", { workflow_run: { ...run, head_repository: null }, repository: base.repo }],
  ])("has no repository and is foreign where the fork was deleted, on %s", (event, payload) => {
    const { change, foreign } = eventOf(event, payload);
    expect(change).toEqual({ commit: head.sha, branch: "topic", repository: undefined });
    expect(foreign).toMatch(/fork/);
  });

  it.each([
    ["push", { pull_request: { base, head } }],
    ["pull_request_target", { pull_request: { base, head } }],
    ["workflow_run", { workflow_run: { ...run, event: "push" } }],
    ["workflow_run", { workflow_run: { ...run, event: "pull_request_target" } }],
    ["workflow_run", { workflow_run: { ...run, head_sha: "main" } }],
    ["workflow_run", { workflow_run: { ...run, head_sha: `--output=${head.sha}` } }],
    ["workflow_run", {}],
  ])("is none, on %s with %j", (event, payload) => {
    expect(eventOf(event, payload).change).toBeUndefined();
  });
});
