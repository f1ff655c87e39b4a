import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseInputs } from "../../src/action/inputs.ts";
import { listUses, pinnedActions, printUse, projectActions } from "../../src/github/pinned-actions.ts";
import { inputVariables, listSteps, parseWorkflow } from "../support/workflows.ts";

const folder = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));
const texts = new Map(readdirSync(folder).map((file) => [file, readFileSync(folder + file, "utf8")]));
const workflows = new Map([...texts].map(([file, text]) => [file, parseWorkflow(text)]));
const allSteps = [...workflows.values()].flatMap(listSteps);

describe("the workflows of this project", () => {
  it("use actions at the commits of pinned-actions.ts, each of which is used", () => {
    const known = [...Object.values(pinnedActions), ...Object.values(projectActions)].map(printUse);
    const used = [...texts.values()].flatMap(listUses).map(printUse);
    expect(new Set(used)).toEqual(new Set(known));
    for (const { step } of allSteps) expect(step.uses ?? "./").toMatch(/^\.\/$|@[0-9a-f]{40}$/);
  });

  it("begin with no permission, keep no credentials and no cache, and end by themselves", () => {
    for (const workflow of workflows.values()) {
      expect(workflow.permissions).toEqual({});
      expect(workflow.concurrency?.group).toBeTypeOf("string");
    }
    for (const { job, step } of allSteps) {
      expect(job["timeout-minutes"]).toBeGreaterThan(0);
      if (step.uses?.startsWith("actions/checkout@")) expect(step.with?.["persist-credentials"]).toBe(false);
      if (step.uses?.startsWith("actions/setup-node@")) expect(step.with).not.toHaveProperty("cache");
      if (step.uses?.startsWith("actions/setup-node@")) expect(step.with?.["package-manager-cache"]).toBe(false);
      expect(step.uses ?? "").not.toContain("actions/cache");
    }
  });

  it("put no expression into a script", () => {
    for (const { step } of allSteps) expect(step.run ?? "").not.toContain("${{");
  });

  it("run no script of a dependency where they install", () => {
    const installs = allSteps.filter(({ step }) => /npm (?:ci|install)/.test(step.run ?? ""));
    expect(installs.length).toBeGreaterThan(2);
    for (const { step } of installs) expect(step.run).toContain("npm ci --ignore-scripts");
  });

  it("give the Action inputs that it takes", () => {
    const ours = allSteps.filter(({ step }) => step.uses === "./");
    const commands = ours.map(({ step }) => parseInputs(inputVariables(step)).command);
    expect(commands).toEqual(["check", "review", "comment"]);
  });

  it("write nothing from code of a pull request: only secrets-comment and the end of a release may, and none checks one out", () => {
    const writing = [...workflows].flatMap(([file, { jobs }]) =>
      Object.entries(jobs).flatMap(([id, { permissions = {} }]) =>
        Object.values(permissions).includes("write") ? [`${file} ${id}`] : [],
      ),
    );
    expect(writing.toSorted()).toEqual(["release.yml announce", "release.yml publish", "secrets-comment.yml comment"]);
    const comment = workflows.get("secrets-comment.yml");
    expect(Object.keys(comment?.on ?? {})).toEqual(["workflow_run"]);
    for (const { step } of comment === undefined ? [] : listSteps(comment)) {
      expect(step.with ?? {}).not.toHaveProperty("ref");
      expect(step.with ?? {}).not.toHaveProperty("repository");
      expect(step.uses ?? "").not.toContain("artifact");
    }
    expect(Object.keys(workflows.get("release.yml")?.on ?? {})).toEqual(["push"]);
  });

  it("publish only what was tested and built twice alike, without running a package where it is published", () => {
    const jobs = workflows.get("release.yml")?.jobs ?? {};
    expect((jobs["publish"] as { needs?: unknown } | undefined)?.needs).toEqual(["test", "build"]);
    expect(jobs["test"]?.steps.some(({ run }) => run === ".ci/run")).toBe(true);
    const scripts = (jobs["publish"]?.steps ?? []).map(({ run = "" }) => run).join("\n");
    expect(scripts).toMatch(/^diff --recursive --brief built\/action-/m);
    expect(scripts).not.toMatch(/\bnpm\b|\bnpx\b/);
    expect(jobs["publish"]?.environment).toBe("release");
  });

  it("take no bundle that is not the one its build spoke of, before anything is made of it", () => {
    const { build, publish } = workflows.get("release.yml")?.jobs ?? {};
    const { outputs, strategy } = build as unknown as {
      outputs: Record<string, string>;
      strategy: { matrix: { include: { image: string; output: string }[] } };
    };
    const steps = publish?.steps ?? [];
    const compares = steps.findIndex(({ run = "" }) => run.includes("bundle-digest.js"));
    const { run: script = "", env = {} } = steps[compares] ?? {};
    const images = strategy.matrix.include;
    // Matrix jobs share their outputs: each image needs a name of its own.
    expect(Object.keys(outputs)).toEqual(images.map(({ output }) => output));
    expect(new Set(images.map(({ output }) => output)).size).toBe(2);
    for (const { image, output } of images) {
      expect(outputs[output]).toBe(`\${{ steps.digest.outputs.${output} }}`);
      const variable = output.toUpperCase();
      expect(env[variable]).toBe(`\${{ needs.build.outputs.${output} }}`);
      expect(script).toContain(`node scripts/bundle-digest.js built/action-${image} --expect "$${variable}"\n`);
    }
    const uses = steps.findIndex(
      ({ run = "", uses = "" }) => run.includes("release-commit.js") || uses.includes("attest"),
    );
    expect(uses).toBeGreaterThan(compares);
  });

  it("push the tag of a release with the key of its environment, to GitHub alone, and with no token that could", () => {
    const { publish, announce } = workflows.get("release.yml")?.jobs ?? {};
    expect(publish?.permissions).toEqual({ contents: "read", "id-token": "write", attestations: "write" });
    const push = publish?.steps.find(({ run = "" }) => run.includes("git push"));
    expect(push?.env?.["RELEASE_DEPLOY_KEY"]).toBe("${{ secrets.RELEASE_DEPLOY_KEY }}");
    expect(push?.env?.["HOST_KEY"]).toMatch(/^github\.com ssh-ed25519 AAAA\S+$/);
    expect(push?.run).toContain("StrictHostKeyChecking=yes");
    expect([...texts.values()].join("").split("secrets.RELEASE_DEPLOY_KEY")).toHaveLength(2);
    expect(announce?.permissions).toEqual({ contents: "write" });
    expect(announce?.steps.map(({ uses }) => uses)).toEqual([undefined]);
  });
});
