import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { endKeptAgent } from "../../src/action/end-kept-agent.ts";
import { startSigningAgent, type SigningAgent } from "../../src/action/signing-agent.ts";
import { withGitSettings } from "../../src/git/config-environment.ts";
import { runGit } from "../../src/git/run.ts";
import { Secret } from "../../src/secret/secret.ts";
import { ed25519TestKey, opensshFile, rsaTestKey, type TestSshKey } from "../crypto/ssh-keys.ts";
import { createRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const env = { PATH: process.env["PATH"] };

async function start(key: string, temporary = makeThrowAway("sealtree-temporary-")): Promise<SigningAgent> {
  const agent = await startSigningAgent(Secret.text(key), env, temporary);
  onTestFinished(async () => await agent.close());
  return agent;
}

/** Whether git has a commit signed by the agent. */
async function signs(agent: SigningAgent): Promise<boolean> {
  const repository = createRepository();
  repository.git("commit", "--quiet", "--allow-empty", "-m", "first");
  const place = { root: repository.root, env: withGitSettings({ ...env, ...repository.env }, agent.settings) };
  const { exitCode, stdout } = await runGit(place, ["commit-tree", "-S", "HEAD^{tree}", "-m", "signed"]);
  return exitCode === 0 && repository.git("cat-file", "commit", stdout.trim()).includes("BEGIN SSH SIGNATURE");
}

describe("the agent that signs", () => {
  it.each<[string, () => TestSshKey, (text: string) => string]>([
    ["ed25519", () => ed25519TestKey("agent"), (text) => text],
    ["RSA", () => rsaTestKey(), (text) => text],
    ["one without its last line break, as a variable has it", () => ed25519TestKey("agent"), (text) => text.trimEnd()],
    ["one with the line breaks of Windows", () => ed25519TestKey("agent"), (text) => text.replaceAll("\n", "\r\n")],
  ])("takes a key: %s", async (_, make, write) => {
    const temporary = makeThrowAway("sealtree-temporary-");
    const agent = await start(write(await opensshFile(make())), temporary);
    expect(await signs(agent)).toBe(true);
    const [name = ""] = readdirSync(temporary);
    expect([statSync(join(temporary, name)).mode & 0o777, readdirSync(join(temporary, name)).sort()]).toEqual([
      0o700,
      ["agent", "ssh-keygen"],
    ]);
    await agent.close();
    expect([await signs(agent), readdirSync(temporary)]).toEqual([false, []]);
  });

  it.each<[string, () => string | Promise<string>, string]>([
    ["no key", () => "test text", "is not a private key that OpenSSH can read"],
    ["nothing", () => "\n", "is not a private key that OpenSSH can read"],
    ["a public key", () => `ssh-ed25519 ${"A".repeat(68)}`, "is not a private key that OpenSSH can read"],
    [
      "half of a key",
      async () => (await opensshFile(ed25519TestKey("half"))).slice(0, 200),
      "is not a private key that OpenSSH can read",
    ],
    [
      "a key with a passphrase",
      async () => await opensshFile(ed25519TestKey("locked"), { cipher: "aes256-ctr", passphrase: "test-passphrase" }),
      "has a passphrase, which nobody can type in a job",
    ],
  ])("refuses %s, says nothing of it and leaves nothing", async (_, make, words) => {
    const temporary = makeThrowAway("sealtree-temporary-");
    const error: unknown = await start(await make(), temporary).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_IDENTITY_INVALID", message: `SEALTREE_SIGNING_KEY ${words}` });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("says what is missing where OpenSSH is not installed", async () => {
    const key = Secret.text(await opensshFile(ed25519TestKey("agent")));
    const temporary = makeThrowAway("sealtree-temporary-");
    const starting = startSigningAgent(key, { PATH: temporary }, temporary);
    await expect(starting).rejects.toMatchObject({ code: "E_IO" });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("has its socket elsewhere when the path of the runner's folder is too long for one", async () => {
    const agent = await start(await opensshFile(ed25519TestKey("agent")), `/${"long/".repeat(30)}`);
    expect(agent.trace.folder).toMatch(/^\/tmp\/sealtree-agent-/);
    expect(await signs(agent)).toBe(true);
  });
});

describe("an agent that its step left behind", () => {
  it("is ended by the post step, which touches no other process and no other folder", async () => {
    const agent = await start(await opensshFile(ed25519TestKey("agent")));
    const other = makeThrowAway("sealtree-other-");
    for (const trace of [
      { pid: agent.trace.pid, folder: other },
      { pid: process.pid, folder: join(other, "sealtree-agent-gone") },
      { pid: 1, folder: agent.trace.folder },
      { pid: "1", folder: 2 },
    ])
      endKeptAgent({ STATE_agent: JSON.stringify(trace) });
    endKeptAgent({});
    expect([existsSync(other), existsSync(agent.trace.folder), await signs(agent)]).toEqual([true, true, true]);
    endKeptAgent({ STATE_agent: JSON.stringify(agent.trace) });
    expect([existsSync(agent.trace.folder), await signs(agent)]).toEqual([false, false]);
  });
});
