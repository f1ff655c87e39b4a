import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { hideTokenRequest, takeTokenRequest } from "../../src/services/token-request.ts";

const url = "https://test.example.com/149//idtoken?api-version=2.0";
const both = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "test-bearer" };

describe("what a job asks for identity tokens with", () => {
  it("is taken out of the environment, and shows nothing of itself", () => {
    const env: Record<string, string | undefined> = { ...both, PATH: "/bin" };
    const request = takeTokenRequest(env);
    expect(env).toEqual({ PATH: "/bin" });
    expect([request?.url, request?.bearer.revealText()]).toEqual([url, "test-bearer"]);
    expect(inspect(request, { depth: 9 }) + JSON.stringify(request)).not.toContain("test-bearer");
  });

  it.each([
    ["neither", {}],
    ["no bearer", { ACTIONS_ID_TOKEN_REQUEST_URL: url }],
    ["an empty address", { ...both, ACTIONS_ID_TOKEN_REQUEST_URL: "" }],
  ])("is none with %s, and what there is goes too", (_, given: Record<string, string>) => {
    const env: Record<string, string | undefined> = { ...given };
    expect(takeTokenRequest(env)).toBeUndefined();
    expect(env).toEqual({});
  });

  it("is hidden in a view of an environment that is not ours, which stays as it is and is seen as it changes", () => {
    const theirs: Record<string, string | undefined> = { ...both, PATH: process.env["PATH"] };
    const { env, tokenRequest } = hideTokenRequest(theirs);
    expect(tokenRequest?.bearer.revealText()).toBe("test-bearer");
    theirs["LATER"] = "test";
    expect([env["LATER"], Object.keys(env)]).toEqual(["test", ["PATH", "LATER"]]);
    expect({ ...env }).toEqual({ PATH: process.env["PATH"], LATER: "test" });
    expect("ACTIONS_ID_TOKEN_REQUEST_TOKEN" in env).toBe(false);
    expect(env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]).toBeUndefined();
    expect(theirs).toMatchObject(both);
    const child = spawnSync(process.execPath, ["-p", "JSON.stringify(process.env)"], { env, encoding: "utf8" });
    expect([child.stdout.includes("LATER"), child.stdout.includes("ACTIONS_")]).toEqual([true, false]);
  });
});
