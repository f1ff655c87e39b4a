import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { findCanaries } from "../support/canary.ts";
import { createOidcTeam, startOidcServices, type OidcServices } from "../support/oidc-team.ts";

let services: OidcServices;
beforeEach(async () => {
  services = await startOidcServices();
});
afterEach(async () => {
  await services.stop();
});

describe("a job of GitHub Actions with id-token: write", () => {
  it("deploys with the job's identity, and each token is hidden before it is used", async () => {
    const repository = await createOidcTeam(services);
    const result = await act(repository, { command: "deploy" }, { env: services.github.variables });
    expect([result.code, services.ssm.parameters.get("/test/api/API_KEY")?.value]).toEqual([0, "test-value-one"]);
    expect(services.github.given.length).toBe(1);
    expect(result.masks).toEqual(expect.arrayContaining([...services.github.given]));
    const shown = result.log + result.summary + [...result.outputs.values(), ...result.state.values()].join("\n");
    expect(findCanaries(shown, [...services.github.given, services.github.bearer])).toEqual([]);
  });

  it.each(["export", "run"])("gives %s and what it starts nothing to ask with", async (command) => {
    const repository = await createOidcTeam(services);
    const inputs = { command, scopes: "prod/api", ...(command === "run" ? { run: "env" } : {}) };
    const result = await act(repository, inputs, { env: services.github.variables });
    expect(result.code).toBe(0);
    expect(result.raw).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
    expect([...result.variables.keys()].filter((it) => it.startsWith("ACTIONS_"))).toEqual([]);
    expect(services.github.asked).toEqual([]);
  });
});

describe("a job of GitHub Actions without it", () => {
  it("is told the line that it lacks", async () => {
    const repository = await createOidcTeam(services);
    const result = await act(repository, { command: "deploy", targets: "parameters" });
    expect(result.code).toBe(9);
    const [annotation] = result.annotations;
    expect(annotation?.message).toContain("this job has no permissions: id-token: write");
    expect(annotation?.message).toContain("permissions: { contents: read, id-token: write }");
  });
});
