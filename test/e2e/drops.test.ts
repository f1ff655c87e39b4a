import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "../support/repository.ts";

interface Person {
  readonly env: Readonly<Record<string, string>>;
}

interface Team {
  readonly repository: TestRepository;
  /** May write, delete and rotate everywhere, and read nothing. */
  readonly wendy: Person;
}

/** Puts a member into the policy by hand, and commits; `sealtree rekey` is left to the test. */
async function addMember(repository: TestRepository, name: string, role: string): Promise<Person> {
  const file = join(repository.home, `${name}.key`);
  const { stdout } = await repository.ok(["keygen", "-o", file, "--x25519"]);
  repository.write(`policies/members/${name}.pub`, stdout);
  editPolicy(repository, (policy) => policy.replace("members:\n", `members:\n  ${name}: { roles: [${role}] }\n`));
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", `${name} joins`);
  return { env: { SEALTREE_IDENTITY_FILE: file, XDG_CONFIG_HOME: join(repository.home, name) } };
}

function editPolicy(repository: TestRepository, change: (policy: string) => string): void {
  const policy = repository.read("policies/access.yaml");
  const edited = change(policy);
  expect(edited).not.toBe(policy);
  const version = Number(/^version: (\d+)/m.exec(policy)?.[1]);
  repository.write("policies/access.yaml", edited.replace(/^version: .*$/m, `version: ${version + 1}`));
}

/** The owner, alice-example, reads and writes all. */
async function createTeam(): Promise<Team> {
  const repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  const role = `  contributor:\n    grants:\n      - { scopes: ["**"], allow: [write, delete, rotate] }\n`;
  editPolicy(repository, (policy) => policy.replace("  analyst:\n", `${role}  analyst:\n`));
  return { repository, wendy: await addMember(repository, "wendy", "contributor") };
}

const get = (address: string) => ["get", address, "--reveal", "--yes"];
const file = "secrets/prod/api.yaml";

async function setDrop({ repository, wendy }: Team, name: string, stdin: string) {
  return await repository.ok(["set", `prod/api/${name}`, "--stdin"], { stdin, env: wendy.env });
}

async function listSecrets(repository: TestRepository) {
  const { secrets } = (await repository.ok(["list", "prod/api", "--json"])).json<{
    secrets: Record<string, unknown>[];
  }>();
  return secrets;
}

describe("a writer who may not read", () => {
  it("moves in from another system and provisions by drops, and is not told that they were read back", async () => {
    const { repository, wendy } = await createTeam();
    const moved = await repository.ok(["import", "prod/api", "--from", "json", "--yes", "--json"], {
      stdin: '{"db": {"user": "joe"}}',
      env: wendy.env,
    });
    expect(moved.json()).toMatchObject({ added: ["db.user"], drops: ["db.user"], verified: 0 });
    repository.write("template.yaml", "version: 1\nscopes:\n  ${env}/api:\n    KEY: { generate: hex }\n");
    const made = await repository.ok(["provision", "qa", "--template", "template.yaml", "--yes"], { env: wendy.env });
    expect(made.stderr).toContain("sealed as a drop, since you may not read qa/api");
    expect((await repository.ok(get("prod/api/db.user"))).stdout).toBe("joe");
    expect((await repository.ok(get("qa/api/KEY"))).stdout).toMatch(/^[0-9a-f]{64}$/);
  });

  it("sets a drop, which the writer cannot open and a reader can", async () => {
    const team = await createTeam();
    await team.repository.ok(["set", "prod/api/OTHER", "--stdin"], { stdin: "test-other" });
    const { stderr } = await setDrop(team, "API_KEY", "test-value");
    expect(stderr).toContain(
      "sealed as a drop, since you may not read prod/api: a reader adopts it with sealtree adopt prod/api",
    );
    expect(team.repository.read(file)).toMatch(/^API_KEY: st1d\.[A-Za-z0-9_-]+$/m);
    const refused = await team.repository.run(get("prod/api/API_KEY"), { env: team.wendy.env });
    expect([refused.code, refused.stdout]).toEqual([5, ""]);
    expect((await team.repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-value");
    expect(team.repository.git("status", "--porcelain")).toBe("");
  });

  it("starts a scope with a drop alone, and no keyring before a reader adopts", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    expect(repository.git("ls-files", "secrets")).toBe(`${file}\n`);
    expect((await repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-value");
    await repository.ok(["adopt", "--yes"]);
    expect(repository.git("ls-files", "secrets").split("\n")).toHaveLength(3);
    expect((await repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-value");
  });

  it("imports drops, rotates to a drop, lists and removes", async () => {
    const { repository, wendy } = await createTeam();
    const text = "FIRST=test-first\nSECOND=test-second\n";
    const imported = await repository.ok(["import", "prod/api", "--format", "dotenv", "--yes"], {
      stdin: text,
      env: wendy.env,
    });
    expect(imported.stderr).toContain("sealed as 2 drops");
    const again = ["import", "prod/api", "--format", "dotenv", "--yes", "--json"];
    expect((await repository.ok(again, { stdin: text, env: wendy.env })).json()).toMatchObject({
      changed: ["FIRST", "SECOND"],
      drops: ["FIRST", "SECOND"],
    });
    await repository.ok(["rotate", "prod/api/FIRST", "--generate", "password", "--yes"], { env: wendy.env });
    expect((await repository.ok(get("prod/api/FIRST"))).stdout).not.toBe("test-first");
    expect((await repository.ok(get("prod/api/SECOND"))).stdout).toBe("test-second");
    expect((await repository.ok(["list", "prod/api"], { env: wendy.env })).stdout).toMatch(
      /SECOND .*drop, not adopted yet/,
    );
    await repository.ok(["unset", "prod/api/FIRST", "--yes"], { env: wendy.env });
    expect(await listSecrets(repository)).toMatchObject([{ name: "SECOND", generation: null, is_drop: true }]);
  });

  it("may not adopt, and makes no drop that nobody could open", async () => {
    const team = await createTeam();
    const { repository, wendy } = team;
    await setDrop(team, "API_KEY", "test-value");
    expect((await repository.run(["adopt", "prod/api", "--yes"], { env: wendy.env })).code).toBe(5);
    const { stderr } = await repository.ok(["adopt", "--yes"], { env: wendy.env });
    expect(stderr).toContain("left 1 drop in prod/api");
    editPolicy(repository, (policy) =>
      policy.replace('scopes: ["**"], allow: [read', 'scopes: ["dev/**"], allow: [read'),
    );
    const refused = await repository.run(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test", env: wendy.env });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("nobody may read prod/api")]);
  });
});

describe("a drop", () => {
  it("is read by get, run, export and decrypt", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    expect((await repository.ok(["get", "prod/api/API_KEY"])).stdout).toMatch(
      /ago|just now.*; drop, not adopted yet\n$/,
    );
    expect((await repository.ok(["get", "prod/api/API_KEY", "--json"])).json()).toMatchObject({
      is_drop: true,
      generation: null,
    });
    expect((await repository.ok(["run", "prod/api", "--no-mask", "--", "printenv", "API_KEY"])).stdout).toBe(
      "test-value\n",
    );
    expect((await repository.ok(["export", "prod/api", "--yes"])).stdout).toContain("test-value");
    expect((await repository.ok(["decrypt", "prod/api", "--yes"])).stdout).toContain("test-value");
  });

  it("is replaced by a record when a reader sets the secret, also to the same value", async () => {
    const team = await createTeam();
    await setDrop(team, "API_KEY", "test-value");
    const { stderr } = await team.repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-value" });
    expect(stderr).toContain("changed API_KEY in prod/api");
    expect(team.repository.read(file)).toMatch(/^API_KEY: st1\./m);
  });

  it("does not open for another name or in another scope, and says what it was sealed for", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    const text = repository.read(file);
    repository.write(file, text.replace("API_KEY", "API_KEZ"));
    const renamed = await repository.run(get("prod/api/API_KEZ"));
    expect([renamed.code, renamed.stdout]).toEqual([6, ""]);
    expect(renamed.stderr).toContain(
      `${file}:4: the drop of prod/api/API_KEZ does not open here: it was sealed for prod/api/API_KEY`,
    );
    repository.write("secrets/prod/web.yaml", text.replace("prod/api", "prod/web"));
    expect((await repository.run(get("prod/web/API_KEY"))).code).toBe(6);
    expect((await repository.run(["adopt", "prod/web", "--yes"])).code).toBe(6);
  });

  it("can be moved and rolled back to by a reader", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    const [before] = await listSecrets(repository);
    await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-later" });
    await repository.ok(["rollback", "prod/api/API_KEY", "--to", "1", "--yes"]);
    expect(await listSecrets(repository)).toMatchObject([{ value_id: before?.["value_id"], is_drop: false }]);
    await setDrop(team, "OTHER", "test-other");
    await repository.ok(["mv", "prod/api/OTHER", "dev/app/OTHER", "--yes"]);
    expect((await repository.ok(get("dev/app/OTHER"))).stdout).toBe("test-other");
  });
});

describe("adopt", () => {
  it("keeps value, id, time and comments, in one commit that changes no version", async () => {
    const team = await createTeam();
    const { repository } = team;
    await repository.ok(["set", "prod/api/OTHER", "--stdin"], { stdin: "test-other" });
    await setDrop(team, "API_KEY", "test-value");
    await setDrop(team, "BINARY", "a\0b");
    repository.write(file, repository.read(file).replace("API_KEY:", "# from the vendor\nAPI_KEY:"));
    repository.git("commit", "--quiet", "-am", "a comment");
    const before = await listSecrets(repository);
    const other = /^OTHER: .*$/m.exec(repository.read(file))?.[0] ?? "";
    const result = (await repository.ok(["adopt", "--yes", "--json", "--reason", "looked at"])).json();
    expect(result).toMatchObject({
      scopes: [{ scope: "prod/api", adopted: ["API_KEY", "BINARY"], closed: [] }],
      left: [],
    });
    const after = await listSecrets(repository);
    const clear = ({ name, set_at, value_id }: Record<string, unknown>) => ({ name, set_at, value_id });
    expect(after.map(clear)).toEqual(before.map(clear));
    expect(after.every(({ is_drop, generation }) => is_drop === false && generation === after[2]?.["generation"])).toBe(
      true,
    );
    expect(repository.read(file)).toContain(`# from the vendor\nAPI_KEY: st1.`);
    expect(repository.read(file)).toContain(other);
    expect((await repository.ok(["get", "prod/api/BINARY", "--json"])).json()).toMatchObject({ type: "binary" });
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "secrets(prod/api): adopt 2 drops\n\nlooked at\n\nSealtree-Reason: adopt",
    );
    const log = (await repository.ok(["log", "prod/api/API_KEY", "--json"])).json<{ versions: unknown[] }>();
    expect(log.versions).toHaveLength(1);
    expect((await repository.ok(["adopt", "--yes"])).stderr).toContain("no drops wait");
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("changes nothing on a dry run, and asks without --yes", async () => {
    const team = await createTeam();
    await setDrop(team, "API_KEY", "test-value");
    expect((await team.repository.ok(["adopt", "--dry-run"])).stderr).toContain("would adopt API_KEY in prod/api");
    expect((await team.repository.run(["adopt"])).code).toBe(2);
    expect(team.repository.read(file)).toContain("API_KEY: st1d.");
  });

  it("leaves a drop that is sealed to the readers of then", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    const rita = await addMember(repository, "rita", "senior-engineer");
    const { stderr } = await repository.ok(["adopt", "--yes"], { env: rita.env });
    expect(stderr).toContain("not sealed to you: API_KEY in prod/api");
    expect((await repository.run(get("prod/api/API_KEY"), { env: rita.env })).code).toBe(5);
    await repository.ok(["adopt", "--yes"]);
    expect((await repository.ok(get("prod/api/API_KEY"), { env: rita.env })).stdout).toBe("test-value");
  });

  it("finishes a run that was cut off before its commit", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    await repository.ok(["adopt", "--yes", "--no-commit"]);
    expect(repository.git("status", "--porcelain")).not.toBe("");
    await repository.ok(["adopt", "--yes"]);
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("secrets(prod/api): adopt 1 drop");
  });

  it("is taken back by git revert, which brings the drop back", async () => {
    const team = await createTeam();
    const { repository } = team;
    await repository.ok(["git-setup"]);
    await setDrop(team, "API_KEY", "test-value");
    const drop = repository.read(file);
    await repository.ok(["adopt", "--yes"]);
    repository.git("revert", "--no-edit", "HEAD");
    expect(repository.read(file)).toBe(drop);
    expect((await repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-value");
  });
});

describe("rekey", () => {
  it("adopts the drops of a scope that lost a reader, and leaves those of a scope that needs nothing", async () => {
    const team = await createTeam();
    const { repository, wendy } = team;
    await repository.ok(["set", "prod/api/OTHER", "--stdin"], { stdin: "test-other" });
    const rita = await addMember(repository, "rita", "senior-engineer");
    await repository.ok(["rekey", "--yes"]);
    await setDrop(team, "API_KEY", "test-value");
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-dev", env: wendy.env });
    expect((await repository.ok(["rekey", "--yes"])).stderr).toContain("nothing to rekey");
    editPolicy(repository, (policy) =>
      policy.replace("rita: { roles: [senior-engineer] }", "rita: { roles: [engineer] }"),
    );
    const result = (await repository.ok(["rekey", "--yes", "--json"])).json();
    expect(result).toMatchObject({ scopes: [{ scope: "prod/api", resealed: 1, adopted: 1 }] });
    expect((await repository.run(get("prod/api/API_KEY"), { env: rita.env })).code).toBe(5);
    expect((await repository.ok(get("prod/api/API_KEY"))).stdout).toBe("test-value");
    expect(repository.read("secrets/dev/app.yaml")).toContain("API_KEY: st1d.");
  });

  it("lets nobody who cannot read a drop make the first key of its scope", async () => {
    const team = await createTeam();
    await setDrop(team, "API_KEY", "test-value");
    await team.repository.ok(["rekey", "prod/api", "--yes"], { env: team.wendy.env });
    expect(team.repository.git("ls-files", "secrets")).toBe(`${file}\n`);
  });
});

describe("check", () => {
  it("names a drop and how to adopt it, and status counts it", async () => {
    const team = await createTeam();
    const { repository } = team;
    await setDrop(team, "API_KEY", "test-value");
    const findings = async () => {
      const all = (await repository.run(["check", "--json"])).json<{ findings: Record<string, unknown>[] }>().findings;
      return all.filter(({ rule }) => rule === "drop" || rule === "record");
    };
    const finding = { rule: "drop", severity: "warning", file, line: 4, hint: "sealtree adopt prod/api" };
    expect(await findings()).toMatchObject([
      { ...finding, message: "API_KEY is a drop that no reader has adopted yet" },
    ]);
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ opened: 1, closed: 0 });
    expect((await repository.ok(["status", "--json"])).json()).toMatchObject({ drops: 1, secrets: 1 });
    await addMember(repository, "rita", "senior-engineer");
    expect(await findings()).toMatchObject([
      {
        ...finding,
        message: expect.stringContaining("sealed to other readers than today's: 1 key can open it, and 2 should"),
      },
    ]);
    const text = repository.read(file);
    repository.write(file, text.replace(/(st1d\.[\w-]{60})[\w-]*/, "$1"));
    expect(await findings()).toMatchObject([
      { rule: "record", severity: "error", line: 4, message: "the drop is malformed" },
    ]);
    repository.write(file, text.replace("API_KEY", "API_KEZ"));
    const deep = (await repository.run(["check", "--deep", "--json"])).json<{ findings: Record<string, unknown>[] }>();
    expect(deep.findings).toContainEqual(expect.objectContaining({ rule: "deep", severity: "error", file, line: 4 }));
    repository.write(file, text);
    await repository.ok(["adopt", "--yes"]);
    expect(await findings()).toEqual([]);
  });
});
