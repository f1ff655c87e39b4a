import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { githubDeployKeyRotator } from "../../../src/rotation/rotators/github-deploy-key.ts";
import type { ChosenProvider } from "../../../src/rotation/rotators/provider.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { startFakeGithub, type FakeGithub } from "../../support/fakes/github.ts";
import { provesContract } from "../../support/provider-contract.ts";
import { partOf, providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";

const add = "POST /repos/{owner}/{repo}/keys";
const remove = "DELETE /repos/{owner}/{repo}/keys/{key_id}";

describe("the github-deploy-key rotator, by the contract", () => {
  provesContract(
    async () => {
      const fake = await startFakeGithub();
      onTestFinished(fake.stop);
      const provider = await open({ api: fake.url });
      const current = await provider.choose(undefined);
      await provider.apply(current, undefined);
      const api = `http://127.0.0.1:${await findFreePort()}`;
      return {
        provider,
        present: current.parts,
        strange: (await provider.choose(undefined)).parts,
        unreachable: async () => await open({ api }),
        logText: fake.logText,
        publicParts: [],
      };
    },
    { kind: "chosen" },
  );
});

let github: FakeGithub;

beforeEach(async () => {
  github = await startFakeGithub();
});
afterEach(async () => await github.stop());

describe("the github-deploy-key rotator", () => {
  it("adds a key beside the old one, and removes the old one alone", async () => {
    const provider = await open();
    const old = await provider.choose(undefined);
    await provider.apply(old, undefined);
    const next = await provider.choose(old);
    expect([await provider.probe(old), await provider.probe(next)]).toEqual(["live", "dead"]);
    await provider.apply(next, old);
    expect([await provider.probe(old), await provider.probe(next)]).toEqual(["live", "live"]);
    await provider.revoke({ id: old.id, parts: {} });
    await provider.revoke({ id: old.id, parts: {} });
    expect([await provider.probe(old), await provider.probe(next)]).toEqual(["dead", "live"]);
    expect(github.keys).toMatchObject([{ title: expect.stringMatching(/^sealtree [0-9a-f]{16}$/), read_only: true }]);
    expect(partOf(next, "private_key")).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    expect(next.id).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it("ends what a lost answer left open, by doing it again", async () => {
    const provider = await open();
    const next = await provider.choose(undefined);
    github.failNext(add, "lost answer");
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "unknown" });
    await provider.apply(next, undefined);
    github.failNext(remove, "lost answer");
    await expect(provider.revoke(next)).rejects.toMatchObject({ class: "unknown" });
    await provider.revoke(next);
    expect(github.keys).toEqual([]);
  });

  it("gives up a key that another repository has, and one that may push", async () => {
    const provider = await open();
    const next = await provider.choose(undefined);
    await (await open({ read_only: false })).apply(next, undefined);
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "rejected" });
    github.elsewhere.push(...github.keys.splice(0).map(({ key }) => key));
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "rejected" });
  });

  it("finds the key of the present value among many", async () => {
    const provider = await open();
    const made = await provider.choose(undefined);
    for (let count = 0; count < 230; count++) {
      github.keys.push({ id: count, key: `ssh-ed25519 test${count}`, title: "test", read_only: true });
    }
    await provider.apply(made, undefined);
    expect(await provider.identify(made.parts)).toEqual(made);
    expect(await provider.identify({ private_key: Secret.text("test") })).toBeUndefined();
    expect(await provider.identify((await provider.choose(made)).parts)).toBeUndefined();
    expect(await provider.preflight(made)).toEqual(["test-owner/test-name has 231 deploy keys"]);
  });

  it("classes what stands in the way", async () => {
    const provider = await open();
    const next = await provider.choose(undefined);
    github.state.rights = "push";
    await expect(provider.preflight(undefined)).rejects.toMatchObject({ class: "auth" });
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "auth" });
    github.state.rights = "admin";
    github.state.isArchived = true;
    await expect(provider.preflight(undefined)).rejects.toMatchObject({ class: "rejected" });
    await expect((await open({}, "test-wrong")).preflight(undefined)).rejects.toMatchObject({ class: "auth" });
    github.failNext(add, { status: 500 });
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "unknown" });
    github.failNext(add, { status: 429 });
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "transient" });
    await github.stop();
    expect(await provider.probe(next)).toBe("unknown");
    await expect(provider.apply(next, undefined)).rejects.toMatchObject({ class: "transient" });
  });

  it("sends the public half alone", async () => {
    const provider = await open();
    const next = await provider.choose(undefined);
    await provider.apply(next, undefined);
    expect(github.logText()).toContain("ssh-ed25519 ");
    expect(github.logText()).not.toContain("PRIVATE");
  });

  it("takes no name that leads elsewhere", () => {
    for (const repository of ["test", "a/b/c", "../x", "a/..", "a/.", "a b/c", "a/b?c"]) {
      expect(githubDeployKeyRotator.options.safeParse({ repository, token: "${env:T}" }).success).toBe(false);
    }
  });
});

async function open(changes: Record<string, unknown> = {}, token = "test-token"): Promise<ChosenProvider> {
  const written = { repository: "test-owner/test-name", token: "${env:token}", api: github.url, ...changes };
  const options = githubDeployKeyRotator.options.parse(written);
  const provider = await githubDeployKeyRotator.provider?.open(options, providerAccess({ token }));
  if (provider?.kind !== "chosen") throw new Error("the rotator is not a chosen one");
  return provider;
}
