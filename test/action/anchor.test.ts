import { execFileSync } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { findCanaries } from "../support/canary.ts";
import { fakeVaultToken, startFakeVault, type FakeVault } from "../support/fakes/vault.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const canary = "anchor-canary-3q9v-of-the-team";
const forged = "anchor-canary-8x2k-of-mallory";
const inputs = { command: "deploy", targets: "vault" };

let vault: FakeVault;
let signed: TestRepository;
beforeAll(async () => {
  vault = await startFakeVault();
  signed = await makeTeam(vault.url);
});
afterAll(async () => await vault.stop());

/** A team whose policy asks for signatures, and whose last commit is signed and deployed. */
async function makeTeam(address: string): Promise<TestRepository> {
  const repository = createRepository();
  const key = join(repository.home, "test_signing_key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "alice@example.test", "-f", key]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["member", "add", "alice-example", "--ssh", `${key}.pub`, "--yes"]);
  for (const [name, value] of [
    ["gpg.format", "ssh"],
    ["user.signingKey", `${key}.pub`],
    ["commit.gpgSign", "true"],
  ] as const)
    repository.git("config", "--global", name, value);
  await setValue(repository, canary);
  setSigning(repository, "require");
  repository.write(
    "policies/deploy.yaml",
    `targets:\n  vault:\n    kind: vault\n    scopes: [prod/api]\n    address: ${address}\n    path: test-entry\n    auth: { token: "\${env:TOKEN}" }\n`,
  );
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "policies");
  return repository;
}

/** A copy of the team's repository, and what the target was asked since. */
function createTeam() {
  const repository = createRepository();
  cpSync(signed.root, repository.root, { recursive: true });
  cpSync(signed.home, repository.home, { recursive: true });
  const before = vault.requests.length;
  const head = () => repository.git("rev-parse", "HEAD").trim();
  return {
    repository,
    head,
    anchor: head(),
    env: { TOKEN: fakeVaultToken },
    asked: () => vault.requests.slice(before),
  };
}

function setSigning(repository: TestRepository, signing: "require" | "off"): void {
  const policy = repository.read("policies/access.yaml");
  const raised = policy.replace(/^version: (\d+)/m, (_all, version: string) => `version: ${Number(version) + 1}`);
  repository.write("policies/access.yaml", raised.replace(/^signing: .*/m, `signing: ${signing}`));
}

async function setValue(repository: TestRepository, value: string): Promise<void> {
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: value });
}

/** Somebody who may push, and is no member: the commit is unsigned, and stands on main by a merge of the host. */
async function mergeForged(repository: TestRepository): Promise<string> {
  repository.git("switch", "--quiet", "-c", "topic");
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes", "--no-commit"], { stdin: forged });
  repository.write(
    ".github/workflows/secrets.yml",
    "name: secrets\non: pull_request\njobs: { check: { runs-on: ubuntu-24.04, steps: [{ run: exit 0 }] } }\n",
  );
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "--no-gpg-sign", "-m", "chore::error::tidy");
  const commit = repository.git("rev-parse", "HEAD").trim();
  repository.git("switch", "--quiet", "main");
  repository.git("merge", "--quiet", "--no-ff", "--no-gpg-sign", "-m", "Merge pull request 7", "topic");
  return commit;
}

describe("deploy with an anchor", () => {
  it("deploys what members signed, and gives the commit that is the next anchor", async () => {
    const { repository, anchor, head, env } = createTeam();
    await setValue(repository, "test-second-value");
    const result = await act(repository, { ...inputs, anchor }, { env });
    expect([result.code, result.outputs.get("commit"), vault.peek("test-entry")]).toEqual([
      0,
      head(),
      { API_KEY: "test-second-value" },
    ]);
    expect(result.summary).toContain("Accepted");
    const again = await act(repository, { ...inputs, anchor: head() }, { env });
    expect([again.code, again.outputs.get("count"), again.outputs.get("commit")]).toEqual([0, "0", head()]);
    const dry = await act(repository, { ...inputs, anchor, "dry-run": "true" }, { env });
    expect([dry.code, dry.outputs.has("commit")]).toEqual([0, false]);
  });

  // T-W8 of the list of attacks: a required check of the same name, by whoever may push.
  it("stays red when the check of the pull request was forged green: nothing is asked, opened or sent", async () => {
    const { repository, asked, anchor, env } = createTeam();
    const commit = await mergeForged(repository);
    const green = await act(repository, { command: "check" });
    expect(green.code).toBe(0);
    const result = await act(repository, { ...inputs, anchor }, { env });
    expect([result.code, asked(), result.masks, result.outputs.size]).toEqual([6, [], [], 0]);
    expect(result.annotations).toContainEqual(
      expect.objectContaining({
        level: "error",
        message: expect.stringContaining(commit) as string,
        properties: { title: "sealtree verify: unsigned" },
      }),
    );
    expect(result.annotations.at(-1)?.properties["title"]).toBe("E_ANCHOR_REFUSED");
    expect(findCanaries(result.raw + result.summary, [canary, forged])).toEqual([]);
    expect(result.commands).toEqual([]);
    // The same without the gate: what is refused above is what would have been deployed.
    const ungated = await act(repository, inputs, { env });
    expect([ungated.code, vault.peek("test-entry")]).toEqual([0, { API_KEY: forged }]);
  });

  it("takes nothing of a refused commit for a command, and names only so many", async () => {
    const { repository, anchor, env, asked } = createTeam();
    for (let index = 0; index < 12; index++) {
      repository.write(`secrets/%0A::add-mask::x\n##[error]y${index}`, "x\n");
      repository.git("add", "--all");
      repository.git("commit", "--quiet", "--no-gpg-sign", "-m", `##[add-mask]z ::set-output name=a::b @org ${index}`);
    }
    const result = await act(repository, { ...inputs, anchor }, { env });
    expect([result.code, result.masks, result.commands, asked()]).toEqual([6, [], [], []]);
    // GitHub shows ten of a step.
    expect(result.annotations.filter(({ level }) => level === "error").length).toBe(10);
    expect(result.summary.match(/^\| [^-c]/gm)?.length).toBe(12);
    expect(result.summary.replaceAll(/`[^`\n]*`/g, "")).not.toContain("@org");
  });

  it("refuses a branch that was moved back, and one that was written anew", async () => {
    const { repository, asked, anchor, env } = createTeam();
    await setValue(repository, "test-second-value");
    const deployed = repository.git("rev-parse", "HEAD").trim();
    repository.git("reset", "--quiet", "--hard", anchor);
    const back = await act(repository, { ...inputs, anchor: deployed }, { env });
    expect([back.code, asked()]).toEqual([6, []]);
    expect(back.annotations[0]).toMatchObject({ properties: { title: "sealtree verify: not-an-ancestor" } });
    const clone = join(makeThrowAway("sealtree-workspace-"), "api");
    execFileSync("git", ["clone", "--quiet", "--no-local", repository.root, clone]);
    const gone = await act({ root: clone, env: repository.env }, { ...inputs, anchor: deployed }, { env });
    expect([gone.code, gone.annotations[0]?.properties["title"], asked()]).toEqual([6, "E_ANCHOR_REFUSED", []]);
  });

  it("says that it proves little where the policy asks for no signatures", async () => {
    const { repository, head, env } = createTeam();
    setSigning(repository, "off");
    repository.git("commit", "--quiet", "--all", "-m", "policies");
    const anchor = head();
    await mergeForged(repository);
    const result = await act(repository, { ...inputs, anchor }, { env });
    expect(result.code).toBe(0);
    expect(result.annotations.map(({ level, message }) => [level, message])).toEqual([
      ["warning", "the policy of the anchor says signing: off, so this proves only that HEAD comes after it"],
    ]);
  });
});

describe("export and run with an anchor", () => {
  it("hand over the values of the commit that is proven, whatever lies in the work tree", async () => {
    const { repository, anchor, head } = createTeam();
    const old = repository.read("secrets/prod/api.yaml");
    await setValue(repository, "test-second-value");
    repository.write("secrets/prod/api.yaml", old);
    const exported = await act(repository, { command: "export", scopes: "prod/api", anchor });
    expect([exported.code, Object.fromEntries(exported.variables), exported.outputs.get("commit")]).toEqual([
      0,
      { API_KEY: "test-second-value" },
      head(),
    ]);
    const file = join(repository.home, "out.env");
    await act(repository, { command: "export", scopes: "prod/api", to: "file", file, format: "json", anchor });
    expect(execFileSync("cat", [file], { encoding: "utf8" })).toContain("test-second-value");
    const ran = await act(repository, {
      command: "run",
      scopes: "prod/api",
      run: '[ "$API_KEY" = test-second-value ]',
      anchor,
    });
    expect([ran.code, ran.outputs.get("commit")]).toEqual([0, head()]);
  });

  it("open nothing, also without asking for an identity, when a commit is refused", async () => {
    const { repository, anchor } = createTeam();
    const commit = await mergeForged(repository);
    const marker = join(repository.home, "ran");
    const nobody = { HOME: makeThrowAway("sealtree-nobody-") };
    for (const more of [
      { command: "export" },
      { command: "export", to: "file", file: join(repository.home, "out.env") },
      { command: "run", run: `touch ${marker}` },
    ]) {
      const step = { scopes: "prod/api", anchor, ...more };
      for (const env of [{}, nobody]) {
        const result = await act(repository, step, { env });
        expect([result.code, result.masks, result.variables.size, result.outputs.size]).toEqual([6, [], 0, 0]);
        expect(result.annotations[0]?.message).toContain(commit);
      }
    }
    expect([existsSync(marker), existsSync(join(repository.home, "out.env"))]).toEqual([false, false]);
  });

  it("need the whole history", async () => {
    const { repository, anchor } = createTeam();
    const clone = join(makeThrowAway("sealtree-workspace-"), "api");
    execFileSync("git", ["clone", "--quiet", "--no-local", "--depth=1", repository.root, clone]);
    for (const command of ["export", "run"]) {
      const step = { command, scopes: "prod/api", anchor, ...(command === "run" ? { run: "true" } : {}) };
      const result = await act({ root: clone, env: repository.env }, step);
      expect([result.code, result.masks]).toEqual([5, []]);
      expect(result.annotations[0]?.message).toContain("fetch-depth: 0");
    }
  });
});

describe("the input anchor", () => {
  it.each(["main", "v1.0.0", "HEAD~1", "3f2c9d1", "A".repeat(40), `${"a".repeat(40)} `.repeat(2)])(
    "is the full id of a commit, and not %j",
    async (anchor) => {
      const repository = createRepository();
      const result = await act(repository, { ...inputs, anchor });
      expect([result.code, result.annotations[0]?.message]).toEqual([
        2,
        expect.stringContaining("the input anchor is the full id of a commit"),
      ]);
    },
  );

  it("says how the variable is set when it is missing", async () => {
    const result = await act(createRepository(), { ...inputs, anchor: "missing" });
    expect([result.code, result.annotations[0]?.message]).toEqual([
      2,
      expect.stringContaining("gh variable set SEALTREE_ANCHOR --env production --body COMMIT"),
    ]);
  });
});
