import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const identityFile = `${root}examples/public-demo-identity.txt`;
const options = {
  cwd: root,
  env: { HOME: "/nowhere", SEALTREE_AUDIT: "off", SEALTREE_IDENTITY_FILE: identityFile },
};

describe("the sealed examples of this repository", () => {
  it("are opened by the public demo identity, every one", async () => {
    const result = await runCli(["check", "--deep", "--strict", "--json"], options);
    expect({ code: result.code, ...result.json() }).toMatchObject({
      code: 0,
      errors: 0,
      warnings: 0,
      scopes: 3,
      secrets: 7,
      opened: 7,
      closed: 0,
    });
  });

  it("hold values that anybody may know", async () => {
    const argv = ["get", "demo/service/example.certificate", "--reveal", "--yes"];
    expect((await runCli(argv, options)).stdout).toContain("BEGIN EXAMPLE");
    for (const scope of ["dev/web", "staging/web"]) {
      const { stdout } = await runCli(["get", `${scope}/EXAMPLE_DATABASE_URL`, "--reveal", "--yes"], options);
      expect(stdout).toContain("public-example");
    }
  });

  it("pass the check without any identity", async () => {
    const env = { HOME: "/nowhere", SEALTREE_AUDIT: "off" };
    const { code, stderr } = await runCli(["check", "--strict"], { cwd: root, env });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("0 errors, 0 warnings") });
  });

  it("have an identity that says it is public before anything else", () => {
    expect(readFileSync(identityFile, "utf8")).toMatch(/^# PUBLIC\. .* protects nothing\.\n/);
  });
});
