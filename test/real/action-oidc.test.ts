import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCanaries } from "../support/canary.ts";
import { createOidcTeam, startOidcServices, type OidcServices } from "../support/oidc-team.ts";
import type { TestRepository } from "../support/repository.ts";
import { runStep } from "../support/runner.ts";

let services: OidcServices;
beforeEach(async () => {
  services = await startOidcServices();
});
afterEach(async () => {
  await services.stop();
});

/** The path with a git before the real one that writes its environment down. */
function spyOnGit({ home }: TestRepository): { readonly path: string; seen(): string } {
  const path = process.env["PATH"] ?? "";
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const file = join(home, "git.env");
  mkdirSync(join(home, "bin"));
  writeFileSync(join(home, "bin/git"), `#!/bin/sh\nenv >> '${file}'\nexec '${real}' "$@"\n`);
  chmodSync(join(home, "bin/git"), 0o755);
  return { path: `${join(home, "bin")}${delimiter}${path}`, seen: () => readFileSync(file, "utf8") };
}

describe("the built Action in a job with id-token: write", () => {
  it("deploys with the job's identity, and git has nothing to ask for tokens with", async () => {
    const repository = await createOidcTeam(services);
    const git = spyOnGit(repository);
    const env = { ...repository.env, ...services.github.variables, PATH: git.path };
    const result = await runStep({ workspace: repository.root, inputs: { command: "deploy" }, env });
    expect([result.code, services.ssm.parameters.get("/test/api/API_KEY")?.value]).toEqual([0, "test-value-one"]);
    expect(services.github.given.length).toBe(1);
    expect(result.masks).toEqual(expect.arrayContaining([...services.github.given]));
    expect(findCanaries(result.log + result.summary, [...services.github.given, services.github.bearer])).toEqual([]);
    expect(git.seen()).toContain("PATH=");
    expect(git.seen()).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
  });

  it("gives the script of run nothing to ask with", async () => {
    const repository = await createOidcTeam(services);
    const env = { ...repository.env, ...services.github.variables };
    const inputs = { command: "run", scopes: "prod/api", run: "env" };
    const result = await runStep({ workspace: repository.root, inputs, env });
    expect([result.code, result.log.includes("API_KEY=")]).toEqual([0, true]);
    expect(result.raw).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
    expect(services.github.asked).toEqual([]);
  });

  it("says in an annotation which line a job lacks", async () => {
    const repository = await createOidcTeam(services);
    const inputs = { command: "deploy", targets: "parameters" };
    const result = await runStep({ workspace: repository.root, inputs, env: repository.env });
    expect([result.code, result.annotations[0]?.message]).toEqual([
      9,
      expect.stringContaining("permissions: { contents: read, id-token: write }"),
    ]);
  });
});
