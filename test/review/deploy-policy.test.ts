import { describe, expect, it } from "vitest";
import { createSealedRepository } from "../support/repository.ts";

async function findings(policy: string) {
  const repository = await createSealedRepository();
  for (const name of ["prod/api/API_KEY", "prod/api/api_key", "prod/web/API_KEY", "prod/web/has.dots"])
    await repository.ok(["set", name, "--stdin"], { stdin: "deploy-policy-value" });
  repository.write("policies/deploy.yaml", policy);
  const result = await repository.run(["check", "--json"]);
  return {
    code: result.code,
    lines: result
      .json<{ findings: { rule: string; line: number; severity: string; message: string }[] }>()
      .findings.filter(({ rule }) => rule === "deploy-policy")
      .map(({ line, severity, message }) => `${line} ${severity}: ${message}`),
  };
}

const file = "kind: dotenv, file: x.env";

describe("the check deploy-policy", () => {
  it("is silent about a policy in order, without a key", async () => {
    const policy = `targets:\n  a: {${file}, scopes: [prod/api]}\n  b: {kind: dotenv, file: y.env, scopes: [prod/web], names: {has.dots: HAS}}\n`;
    expect(await findings(policy)).toEqual({ code: 0, lines: [] });
  });

  it("finds scopes that are not there, names that do not fit, and names of nothing", async () => {
    const policy = `targets:\n  a: {${file}, scopes: [prod/gone]}\n  b:\n    {kind: dotenv, file: y.env, scopes: [prod/web],\n    prefix: "9", names: {NOTHING: X}}\n`;
    const { code, lines } = await findings(policy);
    expect(code).toBe(1);
    expect(lines).toEqual([
      "2 error: a: there is no scope prod/gone",
      "3 error: b: the name of prod/web/API_KEY there is not letters, digits and _, not beginning with a digit",
      "3 error: b: the name of prod/web/has.dots there is not letters, digits and _, not beginning with a digit",
      "5 warning: b: names has NOTHING, and its scopes have no such secret",
    ]);
  });

  it("finds two secrets of one name at one place, in a target and across two", async () => {
    const policy = `targets:\n  a: {${file}, scopes: [prod/api, prod/web]}\n  b: {${file}, scopes: [prod/web], only: [has.dots]}\n`;
    const { lines } = await findings(policy);
    expect(lines).toEqual([
      "2 error: a: prod/web/API_KEY and prod/api/API_KEY have one name there",
      "3 error: b: prod/web/has.dots and prod/web/has.dots of the target a have one name there",
    ]);
  });

  it("reports a file that follows no schema once", async () => {
    expect((await findings("targets: [1]\n")).lines.length).toBe(1);
  });
});
