import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findWorkflowFlaws } from "../../../src/github/settings/workflow-flaws.ts";
import { testCommit } from "../../support/right-settings.ts";

const job = (steps: string, more = "") => `on: push\njobs:\n  a:\n${more}    steps:\n${steps}`;
const rulesOf = (text: string) => findWorkflowFlaws(text)?.map(({ rule }) => rule);

describe("a workflow's actions", () => {
  it.each([
    ["actions/checkout@v4", 1],
    ["actions/checkout@main", 1],
    [`actions/checkout@${testCommit.slice(1)}`, 1],
    ["actions/checkout", 1],
    [`actions/checkout@${testCommit}`, 0],
    [`owner/repository/folder@${testCommit}`, 0],
    [`"owner/repository@${testCommit}" # v2`, 0],
    ["./.github/actions/own", 0],
    ["docker://alpine:3.20", 1],
    [`docker://alpine@sha256:${"a".repeat(64)}`, 0],
    ['"${{ inputs.action }}"', 1],
  ])("are named by their content, or it is found: %s", (use, found) => {
    expect(findWorkflowFlaws(job(`      - uses: ${use}\n`))).toEqual(
      found === 0 ? [] : [{ rule: "workflow-pinned", line: 5 }],
    );
  });

  it("are found in reusable workflows, and behind anchors", () => {
    expect(rulesOf("on: push\njobs:\n  a:\n    uses: owner/name/.github/workflows/x.yml@main\n")).toEqual([
      "workflow-pinned",
    ]);
    expect(rulesOf("on: push\njobs:\n  a: { steps: &s [{ uses: x/y@v1 }] }\n  b: { steps: *s }\n")).toEqual([
      "workflow-pinned",
      "workflow-pinned",
    ]);
  });
});

describe("what a pull request brings in", () => {
  const checkout = (given: string) => `      - uses: actions/checkout@${testCommit}\n        with: ${given}\n`;
  it.each([
    ["{ ref: '${{ github.event.pull_request.head.sha }}' }"],
    ["{ ref: '${{ github.head_ref }}' }"],
    ["{ ref: 'refs/pull/${{ github.event.number }}/merge' }"],
    ["{ repository: '${{ github.event.pull_request.head.repo.full_name }}' }"],
    ["{ ref: '${{ github.event.workflow_run.head_sha }}' }"],
  ])("is not checked out where secrets are: %s", (given) => {
    for (const on of ["pull_request_target", "[push, workflow_run]", "{ pull_request_target: { types: [opened] } }"]) {
      const text = job(checkout(given)).replace("on: push", `on: ${on}`);
      expect(rulesOf(text)).toEqual(["workflow-foreign-code"]);
    }
    expect(rulesOf(job(checkout(given)).replace("on: push", "on: pull_request"))).toEqual([]);
  });

  it.each([
    ["gh pr checkout 3"],
    ["git fetch origin refs/pull/3/head"],
    ["git fetch origin pull/${{ github.event.number }}/head"],
    ["git checkout ${{ github.event.pull_request.head.sha }}"],
  ])("is not fetched by hand either: %s", (run) => {
    const text = job(`      - run: ${run}\n`).replace("on: push", "on: pull_request_target");
    expect(rulesOf(text)).toEqual(["workflow-foreign-code"]);
  });

  it("may be spoken of, and the base may be checked out", () => {
    const steps = `${checkout("{ persist-credentials: false }")}      - run: gh pr comment "$N"\n        env: { N: "\${{ github.event.number }}" }\n`;
    expect(rulesOf(job(steps).replace("on: push", "on: pull_request_target"))).toEqual([]);
  });
});

describe("an identity", () => {
  const step = (text: string) => `      - run: x\n        env: { K: "${text}" }\n`;
  it.each([
    ["${{ secrets.SEALTREE_IDENTITY }}"],
    ["${{ secrets.sealtree_identity_prod }}"],
    ["${{ secrets['SEALTREE_IDENTITY'] }}"],
    ["${{ secrets . SOPS_AGE_KEY }}"],
    ["${{ toJSON(secrets) }}"],
    ["${{ secrets.SEALTREE_SIGNING_KEY }}"],
  ])("is read in an environment alone: %s", (text) => {
    expect(rulesOf(job(step(text)))).toEqual(["workflow-identity"]);
    expect(rulesOf(job(step(text), "    environment: production\n"))).toEqual([]);
    expect(rulesOf(job(step(text), "    environment: { name: production }\n"))).toEqual([]);
  });

  it("is found above the jobs and in what a called workflow inherits", () => {
    const env = 'env: { K: "${{ secrets.SEALTREE_IDENTITY }}" }\n';
    expect(rulesOf(`${env}${job("      - run: x\n")}`)).toEqual(["workflow-identity"]);
    expect(rulesOf("on: push\njobs:\n  a: { uses: ./.github/workflows/x.yml, secrets: inherit }\n")).toEqual([
      "workflow-identity",
    ]);
  });

  it("is no other secret", () => {
    expect(rulesOf(job(step("${{ secrets.NPM_TOKEN }} ${{ vars.SEALTREE_IDENTITY }}")))).toEqual([]);
  });
});

describe("a file that is no workflow", () => {
  it("cannot be looked into", () => {
    for (const text of ["", "text", "- a\n", "a: [", "a: &x [*y]\n"]) expect(findWorkflowFlaws(text)).toBeUndefined();
  });

  it("never throws and never takes long, whatever it holds", () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `x${i}: &x${i} [*x${i - 1}, *x${i - 1}]`).slice(1);
    expect(findWorkflowFlaws(["x0: &x0 [a]", ...bomb, "on: push", "jobs: { a: { env: *x29 } }"].join("\n"))).toEqual(
      [],
    );
    const word = fc.constantFrom("on", "jobs", "steps", "uses", "env", "<<", "environment", "x/y@v1", "secrets", "run");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        word,
        fc.integer(),
        fc.constant(null),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(word, tie("tree"), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const found = findWorkflowFlaws(JSON.stringify(value));
        expect(found === undefined || Array.isArray(found)).toBe(true);
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => void findWorkflowFlaws(text)),
      { numRuns: 300 },
    );
  });
});
