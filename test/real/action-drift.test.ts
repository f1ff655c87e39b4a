import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { defaultIdentityFile } from "../../src/identity/locations.ts";
import { findCanaries } from "../support/canary.ts";
import { startGitServer } from "../support/git-server.ts";
import { createSealedRepository } from "../support/repository.ts";
import { runStep } from "../support/runner.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = "real-drift-canary::add-mask::x";

async function git(cwd: string, ...args: string[]): Promise<void> {
  await promisify(execFile)("git", args, { cwd });
}

describe("drift with the built Action", () => {
  it("passes on what was deployed, fails on what was changed there, and shows no value", async () => {
    const server = await startGitServer();
    const owner = await createSealedRepository();
    await owner.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: canary });
    owner.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/api], file: .env}\n");
    owner.write(".gitignore", ".env\n");
    owner.git("add", "--all");
    owner.git("commit", "--quiet", "-m", "policies");
    // The server runs in this process, so git must not be waited for with everything else standing still.
    await git(owner.root, "push", "--quiet", server.urlWithToken, "main");
    const base = makeThrowAway("sealtree-workspace-");
    await git(base, "clone", "--quiet", server.urlWithToken, "api");
    const workspace = join(base, "api");
    const identity = readFileSync(defaultIdentityFile(owner.env), "utf8");
    const env = { HOME: makeThrowAway("sealtree-job-"), SEALTREE_IDENTITY: identity };

    const deployed = await runStep({ workspace, env, inputs: { command: "deploy" } });
    expect([deployed.code, deployed.outputs.get("count")]).toEqual([0, "1"]);
    const fine = await runStep({ workspace, env, inputs: { command: "drift" }, event: "schedule" });
    expect([fine.code, fine.outputs.get("failed"), fine.annotations]).toEqual([0, "0", []]);
    const file = join(workspace, ".env");
    writeFileSync(file, readFileSync(file, "utf8").replace("real-drift-canary", "somebody-else"));
    const drifted = await runStep({ workspace, env, inputs: { command: "drift", targets: "file" } });
    expect([drifted.code, drifted.outputs.get("names")]).toEqual([1, "file"]);
    expect(drifted.annotations[0]?.message).toContain("API_KEY (changed)");
    for (const { raw, summary, outputs } of [deployed, fine, drifted])
      expect(findCanaries([raw, summary, ...outputs.values()].join("\n"), [canary])).toEqual([]);
  });
});
