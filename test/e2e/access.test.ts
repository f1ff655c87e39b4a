import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

/** Public halves of test keys, whose seeds are 32 bytes of 1 and of 2. */
const testSshKeys = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
] as const;

interface Person {
  readonly recipient: string;
  readonly env: Readonly<Record<string, string>>;
}

async function makePerson(repository: TestRepository, name: string, ...flags: string[]): Promise<Person> {
  const file = join(repository.home, `${name}.key`);
  const { stdout } = await repository.ok(["keygen", "-o", file, ...flags]);
  return {
    recipient: stdout.trim(),
    env: { SEALTREE_IDENTITY_FILE: file, XDG_CONFIG_HOME: join(repository.home, name) },
  };
}

/** dev/app and prod/api with a secret each; bob is an engineer, who may read dev only. */
async function createTeam(): Promise<{ repository: TestRepository; bob: Person }> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-dev" });
  await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-prod" });
  const bob = await makePerson(repository, "bob", "--x25519");
  await repository.ok(["member", "add", "bob", "--recipient", bob.recipient, "--role", "engineer", "--yes"]);
  return { repository, bob };
}

function removeByHand(repository: TestRepository, name: string): void {
  const policy = repository.read("policies/access.yaml");
  const version = Number(/^version: (\d+)/m.exec(policy)?.[1]);
  const edited = policy
    .replace(new RegExp(`^  ${name}:.*\n`, "m"), "")
    .replace(/^version: .*$/m, `version: ${version + 1}`);
  expect(edited).not.toContain(`${name}:`);
  repository.write("policies/access.yaml", edited);
  repository.git("rm", "--quiet", `policies/members/${name}.pub`);
}

const get = (address: string) => ["get", address, "--reveal", "--yes"];

describe("member add", () => {
  it("gives the new member what their role allows and nothing else", async () => {
    const { repository, bob } = await createTeam();
    expect((await repository.ok(get("dev/app/API_KEY"), { env: bob.env })).stdout).toBe("test-dev");
    expect((await repository.run(get("prod/api/API_KEY"), { env: bob.env })).code).toBe(5);
  });

  it("makes one commit that leaves the tree clean and passes the check", async () => {
    const { repository } = await createTeam();
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "policies: add member bob\n\nSealtree-Reason: policy",
    );
    expect(repository.git("status", "--porcelain")).toBe("");
    const changed = repository.git("show", "--name-only", "--format=", "HEAD").trim().split("\n");
    expect(changed.filter((path) => !path.startsWith("secrets/dev/app.keys/"))).toEqual([
      "policies/access.yaml",
      "policies/members/bob.pub",
    ]);
    expect(changed).toHaveLength(3);
  });

  it("keeps comments and order of the policy and raises its version", async () => {
    const repository = await createSealedRepository();
    const before = repository.read("policies/access.yaml");
    const bob = await makePerson(repository, "bob");
    await repository.ok([
      "member",
      "add",
      "bob",
      "--recipient",
      bob.recipient,
      "--role",
      "engineer",
      "--github",
      "bob-test",
      "--yes",
    ]);
    expect(repository.read("policies/access.yaml")).toBe(
      before
        .replace("version: 1\n", "version: 2\n")
        .replace(
          "{ roles: [senior-engineer] }\n",
          "{ roles: [senior-engineer] }\n  bob: { github: bob-test, roles: [engineer] }\n",
        ),
    );
  });

  it("keeps the records and the generations of the scopes", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-dev" });
    const before = repository.read("secrets/dev/app.yaml");
    const bob = await makePerson(repository, "bob");
    await repository.ok(["member", "add", "bob", "--recipient", bob.recipient, "--role", "engineer", "--yes"]);
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
  });

  it("adds a second key to a member, and nothing when the key is known", async () => {
    const { repository } = await createTeam();
    const laptop = await makePerson(repository, "bob-laptop");
    const add = ["member", "add", "bob", "--recipient", laptop.recipient, "--yes", "--json"];
    expect((await repository.ok(add)).json()).toMatchObject({
      is_new: false,
      version: 3,
      scopes: ["dev/app"],
      secrets: 1,
    });
    expect((await repository.ok(get("dev/app/API_KEY"), { env: laptop.env })).stdout).toBe("test-dev");
    expect((await repository.ok(add)).json()).toMatchObject({ version: 3, commit: null });
    expect((await repository.ok(["check", "--json"])).json()).toMatchObject({ errors: 0 });
  });

  it("reads a file of keys as age does: SSH keys read and sign, and a comment may be a signing key", async () => {
    const repository = await createSealedRepository();
    const bob = await makePerson(repository, "bob", "--x25519");
    const [ssh, signing] = testSshKeys;
    const file = join(repository.home, "bob.pub");
    writeFileSync(file, `# bob\n${bob.recipient}\n${ssh} bob@example.test\n# signing-key ${signing} phone\n`);
    await repository.ok(["member", "add", "bob", "--recipient", `@${file}`, "--role", "engineer", "--yes"]);
    expect(repository.read("policies/members/bob.pub")).toBe(`${bob.recipient}\n${ssh}\n# signing-key ${signing}\n`);
    const { members } = (await repository.ok(["member", "list", "--json"])).json<{
      members: Record<string, unknown>[];
    }>();
    expect(members).toMatchObject([
      { name: "alice-example", is_you: true, is_admin: true },
      { name: "bob", is_you: false, signing_keys: 2, recipients: [{ kind: "x25519" }, { kind: "ssh-ed25519" }] },
    ]);
  });

  it("takes an SSH key as one that signs, and as one that reads only beside no other key", async () => {
    const repository = await createSealedRepository();
    const bob = await makePerson(repository, "bob", "--x25519");
    const [ssh, other] = testSshKeys;
    const add = async (...words: string[]) => await repository.ok(["member", "add", ...words, "--yes"]);
    await add("bob", "--recipient", bob.recipient, "--ssh", `${ssh} laptop`, "--role", "engineer");
    expect(repository.read("policies/members/bob.pub")).toBe(`${bob.recipient}\n# signing-key ${ssh}\n`);
    await add("carol", "--ssh", other, "--role", "engineer");
    expect(repository.read("policies/members/carol.pub")).toBe(`${other}\n`);
    // The key that signed becomes a recipient: its comment makes room for the line.
    await add("bob", "--recipient", ssh);
    expect(repository.read("policies/members/bob.pub")).toBe(`${bob.recipient}\n${ssh}\n`);
    expect((await repository.ok(["check", "--json"])).json()).toMatchObject({ errors: 0 });
  });

  it("refuses a private key without repeating it, on the line and in a file", async () => {
    const repository = await createSealedRepository();
    const bob = await makePerson(repository, "bob");
    const file = bob.env["SEALTREE_IDENTITY_FILE"] ?? "";
    const key = /AGE-SECRET-KEY-\S+/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    for (const given of [key, key.toLowerCase(), file, `@${file}`]) {
      const result = await repository.run([
        "member",
        "add",
        "bob",
        "--recipient",
        given,
        "--role",
        "engineer",
        "--yes",
      ]);
      expect(result.code).toBe(2);
      expect(result.stderr).toContain("private key");
      expect((result.stdout + result.stderr).toUpperCase()).not.toContain(key.slice(0, 40));
    }
    expect(existsSync(join(repository.root, "policies/members/bob.pub"))).toBe(false);
  });

  it.each([
    [["carol", "--role", "engineer"], 2, "needs a recipient"],
    [["carol", "--recipient", "R"], 2, "the roles are senior-engineer, engineer, analyst"],
    [["carol", "--recipient", "R", "--role", "enginer"], 2, "the roles are senior-engineer, engineer, analyst"],
    [["Carol", "--recipient", "R", "--role", "engineer"], 2, "not a member name"],
    [["bob", "--recipient", "R", "--role", "engineer"], 7, "sealtree member set-role bob"],
    [["carol", "--recipient", "BOB", "--role", "engineer"], 7, "belongs to bob"],
  ] as const)("refuses %j", async (words, code, said) => {
    const { repository, bob } = await createTeam();
    const other = await makePerson(repository, "other");
    const given = words.map((word) => (word === "R" ? other.recipient : word === "BOB" ? bob.recipient : word));
    const result = await repository.run(["member", "add", ...given, "--yes"]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(said);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("is for admins only", async () => {
    const { repository, bob } = await createTeam();
    const other = await makePerson(repository, "other");
    const result = await repository.run(
      ["member", "add", "carol", "--recipient", other.recipient, "--role", "engineer", "--yes"],
      { env: bob.env },
    );
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("PERMISSION_DENIED");
  });

  it("writes nothing when the admin cannot open one of the scopes, and names it", async () => {
    const { repository, bob } = await createTeam();
    const policy = repository.read("policies/access.yaml");
    repository.write(
      "policies/access.yaml",
      policy.replace("  engineer:\n    grants:", "  engineer:\n    admin: true\n    grants:"),
    );
    repository.git("commit", "--quiet", "-am", "engineers are admins");
    const other = await makePerson(repository, "other");
    const add = ["member", "add", "carol", "--recipient", other.recipient, "--role", "senior-engineer", "--yes"];
    const result = await repository.run(add, { env: bob.env });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("prod/api");
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("changes nothing on a dry run, and asks without --yes", async () => {
    const { repository } = await createTeam();
    const other = await makePerson(repository, "other");
    const add = ["member", "add", "carol", "--recipient", other.recipient, "--role", "engineer"];
    expect((await repository.ok([...add, "--dry-run"])).stderr).toContain(
      "carol may read 1 scope (dev/app) with 1 secret",
    );
    expect((await repository.run(add)).code).toBe(2);
    expect(repository.git("status", "--porcelain")).toBe("");
  });
});

describe("rekey", () => {
  it("repairs what a removal by hand left, and the removed identity opens nothing sealed after", async () => {
    const { repository, bob } = await createTeam();
    removeByHand(repository, "bob");
    const rules = async () =>
      (await repository.run(["check", "--json"]))
        .json<{ findings: { rule: string }[] }>()
        .findings.map(({ rule }) => rule);
    expect(await rules()).toEqual(expect.arrayContaining(["reader-drift", "stale-record"]));
    const result = await repository.ok(["rekey", "--yes"]);
    expect(result.stderr).toContain("bob could read API_KEY");
    expect((await repository.ok(["check", "--json"])).json()).toMatchObject({ errors: 0 });
    expect(repository.git("status", "--porcelain")).toBe("");
    await repository.ok(["set", "dev/app/NEW_KEY", "--stdin"], { stdin: "test-new" });
    expect((await repository.run(get("dev/app/NEW_KEY"), { env: bob.env })).code).toBe(5);
    expect((await repository.run(get("dev/app/API_KEY"), { env: bob.env })).code).toBe(5);
    expect((await repository.ok(get("dev/app/API_KEY"))).stdout).toBe("test-dev");
  });

  it("is not waited for by new values: set seals them out of reach of who was removed by hand", async () => {
    const { repository, bob } = await createTeam();
    removeByHand(repository, "bob");
    await repository.ok(["set", "dev/app/NEW_KEY", "--stdin"], { stdin: "test-new" });
    expect((await repository.run(get("dev/app/NEW_KEY"), { env: bob.env })).code).toBe(5);
    expect((await repository.ok(get("dev/app/NEW_KEY"))).stdout).toBe("test-new");
    expect((await repository.ok(["rekey", "--yes", "--json"])).json()).toMatchObject({
      scopes: [{ scope: "dev/app", resealed: 2 }],
    });
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ errors: 0, opened: 3 });
  });

  it("and member add are in the audit log, a refusal too", async () => {
    const { repository, bob } = await createTeam();
    await repository.ok(["rekey", "dev/app", "--yes", "--reason", "laptop lost"]);
    await repository.run(["rekey", "dev/app", "--yes"], { env: { ...bob.env, HOME: repository.home } });
    const log = readFileSync(join(repository.home, ".local/state/sealtree/audit.jsonl"), "utf8");
    const events = log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ code, operation, scope, reason }) => [code, operation, scope, reason])).toEqual(
      expect.arrayContaining([
        ["HBSE-012", "member add", "dev/app", "member bob"],
        ["HBSE-012", "rekey", "dev/app", "laptop lost"],
        ["HBSE-006", "rekey", "dev/app", undefined],
      ]),
    );
  });

  it("keeps value ids and times, and the bytes of scopes that need nothing", async () => {
    const { repository } = await createTeam();
    const prod = repository.read("secrets/prod/api.yaml");
    const list = async () =>
      (await repository.ok(["list", "dev/app", "--json"])).json<{ secrets: Record<string, unknown>[] }>().secrets;
    const before = await list();
    removeByHand(repository, "bob");
    const result = await repository.ok(["rekey", "--yes", "--json"]);
    expect(result.json()).toMatchObject({
      scopes: [{ scope: "dev/app", resealed: 1, rewrapped: 1, removed: ["bob"] }],
    });
    expect(repository.read("secrets/prod/api.yaml")).toBe(prod);
    const after = await list();
    expect(after).toEqual(before.map((secret, index) => ({ ...secret, generation: after[index]?.["generation"] })));
    expect(after[0]?.["generation"]).not.toBe(before[0]?.["generation"]);
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "secrets(dev/app): rekey\n\nSealtree-Reason: rekey\nSealtree-Rekeyed: dev/app",
    );
  });

  it("says so when nothing is to be done", async () => {
    const { repository } = await createTeam();
    const before = repository.git("rev-parse", "HEAD");
    expect((await repository.ok(["rekey", "--yes"])).stderr).toContain("nothing to rekey");
    expect(repository.git("rev-parse", "HEAD")).toBe(before);
  });

  it("mints a new generation for the scope that is named, and for all with --all", async () => {
    const { repository } = await createTeam();
    const minted = async (...words: string[]) =>
      (await repository.ok(["rekey", ...words, "--yes", "--json"])).json<{
        scopes: { scope: string; minted: string | null }[];
      }>().scopes;
    expect((await minted("prod/api")).map(({ scope, minted: id }) => [scope, id !== null])).toEqual([
      ["prod/api", true],
    ]);
    expect((await minted("--all")).map(({ scope }) => scope)).toEqual(["dev/app", "prod/api"]);
    expect((await repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-prod");
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ errors: 0 });
  });

  it("writes nothing when one of the scopes cannot be opened", async () => {
    const { repository, bob } = await createTeam();
    const policy = repository.read("policies/access.yaml");
    repository.write(
      "policies/access.yaml",
      policy.replace("{ roles: [engineer] }", "{ roles: [engineer, senior-engineer] }"),
    );
    const result = await repository.run(["rekey", "--yes"], { env: bob.env });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("prod/api");
    expect(repository.git("status", "--porcelain")).toBe(" M policies/access.yaml\n");
  });

  it("is not for who may only read", async () => {
    const { repository, bob } = await createTeam();
    const result = await repository.run(["rekey", "dev/app", "--yes"], { env: bob.env });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("PERMISSION_DENIED");
  });

  it("finishes a run that was cut off before its commit", async () => {
    const { repository } = await createTeam();
    removeByHand(repository, "bob");
    await repository.ok(["rekey", "--yes", "--no-commit"]);
    expect(repository.git("status", "--porcelain")).toContain("secrets/dev/app.keys/");
    await repository.ok(["rekey", "--yes"]);
    expect(repository.git("status", "--porcelain")).toBe("");
    expect((await repository.ok(get("dev/app/API_KEY"))).stdout).toBe("test-dev");
  });
});
