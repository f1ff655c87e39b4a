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
  ])("takes %s with %j for one that anybody may have started", (event, payload) => {
    expect(eventOf(event, payload).foreign).toEqual(expect.any(String));
  });

  it("gives the commit that a change is to be merged into, when it is one", () => {
    expect(eventOf("pull_request", { pull_request: { base, head: ours } }).base).toBe(base.sha);
    const odd = { ...base, sha: "--output=x" };
    expect(eventOf("pull_request", { pull_request: { base: odd, head: ours } }).base).toBeUndefined();
  });
});
