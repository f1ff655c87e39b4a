import { describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { join } from "node:path";

const policy = (version: number) => `# kept
version: ${version}
post_quantum: off
members:
  alice: { github: alice-a, roles: [lead] }
  bob: { github: bob-b, roles: [engineer] }
  ci: { kind: machine, roles: [deployer] }
roles:
  lead: { admin: true, grants: [{ scopes: ["**"], allow: [read, write, delete, rotate, deploy] }] }
  engineer:
    grants:
      - { scopes: ["**", "!prod/**"], allow: [read, write] }
      - { scopes: ["user/\${member}/**"], allow: [delete] }
  deployer: { grants: [{ scopes: ["prod/**"], allow: [read, deploy] }] }
`;

/** alice, bob and the machine ci; dev/app, prod/api, user/bob/own. */
async function createTeam(): Promise<TestRepository> {
  const repository = createRepository();
  const env = { SEALTREE_IDENTITY_FILE: join(repository.home, "alice.key") };
  Object.assign(repository.env, env);
  const recipients: Record<string, string> = {};
  for (const name of ["alice", "bob", "ci"]) {
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", join(repository.home, `${name}.key`)]);
    recipients[name] = stdout;
  }
  await repository.ok(["init", "--yes"]);
  repository.git("rm", "-q", "-r", "policies/members");
  for (const [name, recipient] of Object.entries(recipients))
    repository.write(`policies/members/${name}.pub`, recipient);
  repository.write("policies/access.yaml", policy(2));
  repository.git("add", "policies");
  repository.git("commit", "-q", "-m", "team");
  for (const scope of ["dev/app", "prod/api", "user/bob/own"])
    await repository.ok(["set", `${scope}/TEST_KEY`, "--stdin"], { stdin: "test-value" });
  return repository;
}

const team = createTeam();

describe("access of", () => {
  it("lists scopes, what is allowed there and how many secrets can be read", async () => {
    const { stdout, stderr } = await (await team).ok(["access", "of", "bob"]);
    expect(stdout).toBe("dev/app       rw···  1 secret\nuser/bob/own  rwd··  1 secret\n");
    expect(stderr).toContain("bob (engineer) may read 2 secrets now");
  });

  it("says so of an admin, in JSON too", async () => {
    const { stdout } = await (await team).ok(["access", "of", "alice", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ member: "alice", is_admin: true, readable_secrets: 3 });
  });

  it("names the nearest member for a misspelt one", async () => {
    const { code, stderr } = await (await team).run(["access", "of", "bop"]);
    expect(code).toBe(4);
    expect(stderr).toContain("did you mean bob?");
  });
});

describe("access explain", () => {
  it("names the role and the pattern that decides", async () => {
    const { stdout } = await (await team).ok(["access", "explain", "prod/api"]);
    expect(stdout).toBe(
      [
        "alice  rwdop  lead: ** allows read, write, delete, rotate, deploy",
        "bob    ·····  engineer: !prod/** takes it out",
        "ci     r···p  deployer: prod/** allows read, deploy",
        "",
      ].join("\n"),
    );
  });

  it("answers for a scope that is not there yet", async () => {
    const { stdout, stderr } = await (await team).ok(["access", "explain", "prod/new"]);
    expect(stdout).toContain("deployer: prod/** allows read, deploy");
    expect(stderr).toContain("there is no scope prod/new yet");
  });

  it("puts the member's own name into a pattern", async () => {
    const explained = await (await team).ok(["access", "explain", "user/bob/own", "--json"]);
    const { members } = explained.json<{ members: { name: string }[] }>();
    const bob = members.find(({ name }) => name === "bob");
    expect(bob).toEqual({
      name: "bob",
      allowed: ["read", "write", "delete"],
      reasons: [
        { role: "engineer", pattern: "**", allow: ["read", "write"], covers: true },
        { role: "engineer", pattern: "user/${member}/**", allow: ["delete"], covers: true },
      ],
    });
  });
});

describe("access matrix", () => {
  it("draws a row a scope and a column a member", async () => {
    const { stdout } = await (await team).ok(["access", "matrix"]);
    expect(stdout).toBe(
      [
        "              alice*  bob    ci",
        "dev/app       rwdop   rw···  ·····",
        "prod/api      rwdop   ·····  r···p",
        "user/bob/own  rwdop   rwd··  ·····",
        "",
      ].join("\n"),
    );
  });

  it("shows the scopes that patterns choose", async () => {
    const matrix = await (await team).ok(["access", "matrix", "**", "!user/**", "--json"]);
    const { scopes } = matrix.json<{ scopes: { scope: string }[] }>();
    expect(scopes.map(({ scope }) => scope)).toEqual(["dev/app", "prod/api"]);
  });

  it("is a page that loads and runs nothing", async () => {
    const { stdout } = await (await team).ok(["access", "matrix", "--format", "html"]);
    expect(stdout).toContain("default-src 'none'");
    expect(stdout).not.toMatch(/<script|<link|src=|href=/);
    expect(stdout).toContain(
      '<th scope="row">prod/api</th><td class="some" title="read, write, delete, rotate, deploy">',
    );
    expect(stdout).toContain('<td class="none" title="nothing">·····</td>');
  });
});

describe("policy explain", () => {
  it("says each role in words, with the scopes of today", async () => {
    const { stdout } = await (await team).ok(["policy", "explain"]);
    expect(stdout).toContain("policies/access.yaml, version 2, for 3 scopes");
    expect(stdout).toMatch(/^engineer +bob +may read, write in \*\* but not prod\/\*\* \(2 scopes\)$/m);
    expect(stdout).toMatch(/^lead +alice +may change the policy$/m);
  });

  it("names the scopes that nobody may read", async () => {
    const repository = await createTeam();
    repository.write(
      "policies/access.yaml",
      policy(3).replace(
        'lead: { admin: true, grants: [{ scopes: ["**"]',
        'lead: { admin: true, grants: [{ scopes: ["x/**"]',
      ),
    );
    const { stdout } = await repository.ok(["policy", "explain", "--json"]);
    expect(JSON.parse(stdout).unreadable).toEqual([]);
    repository.write(
      "policies/access.yaml",
      repository.read("policies/access.yaml").replace('"prod/**"], allow: [read', '"prod/**"], allow: [write'),
    );
    expect(JSON.parse((await repository.ok(["policy", "explain", "--json"])).stdout).unreadable).toEqual(["prod/api"]);
  });
});

describe("policy test", () => {
  const expectations = `tests:
  - { members: [bob], scopes: [prod/api, prod/other], cannot: [read, write] }
  - { roles: [deployer], scopes: [prod/api], can: [read, deploy], cannot: [write] }
  - { members: [bob], scopes: [dev/app], can: [delete] }
`;

  it("ends with 1 and names line, grant and member of what does not hold", async () => {
    const repository = await createTeam();
    repository.write("policies/access.test.yaml", expectations);
    const { code, stdout, stderr } = await repository.run(["policy", "test"]);
    expect(code).toBe(1);
    expect(stdout).toBe("policies/access.test.yaml:4: bob cannot delete in dev/app\n");
    expect(stderr).toContain("1 of 8 expectations does not hold");
    repository.write("policies/access.test.yaml", expectations.replace("can: [delete]", "can: [read]"));
    expect((await repository.ok(["policy", "test"])).stderr).toContain("8 expectations hold");
  });

  it.each([
    [
      "an unknown member",
      "tests: [{ members: [nobody], scopes: [dev/app], can: [read] }]",
      ":1: the test names a member",
    ],
    ["an unknown action", "tests: [{ members: [bob], scopes: [dev/app], can: [fly] }]", ":1:"],
    [
      "an unknown field",
      "tests: [{ members: [bob], scopes: [dev/app], can: [read], test-secret: 1 }]",
      "a field is not known",
    ],
    ["nobody", "tests: [{ scopes: [dev/app], can: [read] }]", "name members or roles"],
    ["a pattern", 'tests: [{ members: [bob], scopes: ["dev/**"], can: [read] }]', "not a scope path"],
  ])("refuses %s", async (_what, text, message) => {
    const repository = await createTeam();
    repository.write("policies/access.test.yaml", `${text}\n`);
    const { code, stderr } = await repository.run(["policy", "test"]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("test-secret");
  });

  it("says how to begin when there is no file", async () => {
    expect((await (await team).run(["policy", "test"])).code).toBe(4);
  });
});

describe("codeowners", () => {
  it("writes who approves what, deeper lines last, and commits it", async () => {
    const repository = await createTeam();
    repository.write(".github/CODEOWNERS", "*.md @docs-team\n");
    await repository.ok(["codeowners"]);
    expect(repository.read(".github/CODEOWNERS")).toBe(
      [
        "*.md @docs-team",
        "# sealtree: begin",
        "# Made by sealtree codeowners from policies/access.yaml.",
        "/secrets/      @alice-a",
        "/secrets/dev/  @alice-a @bob-b",
        "/secrets/user/ @alice-a @bob-b",
        "/policies/      @alice-a",
        "/.gitattributes @alice-a",
        "/.github/       @alice-a",
        "# sealtree: end",
        "",
      ].join("\n"),
    );
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("policies: write .github/CODEOWNERS");
    expect((await repository.ok(["codeowners", "--check"])).stderr).toContain("agrees");
  });

  it("names a scope of its own where its folder has others", async () => {
    const repository = await createTeam();
    await repository.ok(["set", "prod/web/TEST_KEY", "--stdin"], { stdin: "test-value" });
    repository.write("policies/access.yaml", policy(3).replace('"!prod/**"]', '"!prod/**", "prod/web"]'));
    await repository.ok(["codeowners", "--no-commit"]);
    expect(repository.read(".github/CODEOWNERS")).toMatch(/^\/secrets\/prod\/web\.\* +@alice-a @bob-b$/m);
  });

  it("finds drift with --check and changes nothing", async () => {
    const repository = await createTeam();
    await repository.ok(["codeowners"]);
    repository.write("policies/access.yaml", policy(3).replace("alice-a", "alice-new"));
    const before = repository.read(".github/CODEOWNERS");
    const { code, stderr } = await repository.run(["codeowners", "--check"]);
    expect(code).toBe(1);
    expect(stderr).toContain("sealtree codeowners writes it");
    expect(repository.read(".github/CODEOWNERS")).toBe(before);
  });

  it("is a warning of check when it differs, and none when it was never made", async () => {
    const repository = await createTeam();
    expect((await repository.ok(["check"])).stdout).not.toContain("generated-file");
    await repository.ok(["codeowners"]);
    await repository.ok(["signers"]);
    expect((await repository.ok(["check"])).stdout).not.toContain("generated-file");
    repository.write("policies/access.yaml", policy(3).replace("alice-a", "alice-new"));
    repository.write("policies/allowed_signers", "");
    const { stdout } = await repository.ok(["check"]);
    expect(stdout).toContain(".github/CODEOWNERS:1: warning generated-file");
    expect(stdout).toContain("policies/allowed_signers:1: warning generated-file");
  });

  it("says that lines after its block win", async () => {
    const repository = await createTeam();
    await repository.ok(["codeowners"]);
    repository.write(".github/CODEOWNERS", `${repository.read(".github/CODEOWNERS")}* @everybody\n`);
    expect((await repository.ok(["codeowners", "--check"])).stderr).toContain("lines after the block");
  });

  it("does not hide a file that stands elsewhere", async () => {
    const repository = await createTeam();
    repository.write("CODEOWNERS", "* @everybody\n");
    const { code, stderr } = await repository.run(["codeowners"]);
    expect(code).toBe(7);
    expect(stderr).toContain("git mv CODEOWNERS .github/CODEOWNERS");
  });

  it("needs an admin with a GitHub name", async () => {
    const repository = await createTeam();
    repository.write("policies/access.yaml", policy(3).replace("github: alice-a, ", ""));
    const { code, stderr } = await repository.run(["codeowners"]);
    expect(code).toBe(2);
    expect(stderr).toContain("no admin has a GitHub name");
  });
});

describe("signers", () => {
  const key = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from("ssh-ed25519"), Buffer.from([0, 0, 0, 32]), Buffer.from("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "hex")]).toString("base64")}`;

  it("writes what git and ssh-keygen read, and finds drift", async () => {
    const repository = await createTeam();
    await repository.ok(["member", "add", "bob", "--ssh", key, "--yes"]);
    await repository.ok(["signers"]);
    const text = repository.read("policies/allowed_signers");
    expect(text.split("\n").slice(1)).toEqual([`bob namespaces="git" ${key}`, ""]);
    expect((await repository.ok(["signers", "--check"])).stderr).toContain("agrees");
    expect((await repository.ok(["signers", "--print"])).stdout).toBe(text);
    repository.write("policies/allowed_signers", "");
    expect((await repository.run(["signers", "--check"])).code).toBe(1);
  });
});
