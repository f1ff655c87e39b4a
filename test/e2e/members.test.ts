import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

interface Person {
  readonly recipient: string;
  readonly env: Readonly<Record<string, string>>;
}

interface WrittenPolicy {
  readonly version: number;
  readonly members: Readonly<Record<string, { readonly roles: readonly string[]; readonly github?: string }>>;
  readonly recovery?: readonly string[];
  readonly removed?: Readonly<Record<string, unknown>>;
  readonly removed_keys?: Readonly<Record<string, { readonly member: string; readonly version: number }>>;
}

const sshKeys = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
] as const;

async function makePerson(repository: TestRepository, name: string): Promise<Person> {
  const file = join(repository.home, `${name}.key`);
  const { stdout } = await repository.ok(["keygen", "-o", file, "--x25519"]);
  return { recipient: stdout.trim(), env: envOf(repository, name) };
}

function envOf({ home }: TestRepository, name: string): Person["env"] {
  return { SEALTREE_IDENTITY_FILE: join(home, `${name}.key`), XDG_CONFIG_HOME: join(home, name) };
}

const policyOf = (repository: TestRepository) => parse(repository.read("policies/access.yaml")) as WrittenPolicy;
const get = (address: string, ...more: string[]) => ["get", address, "--reveal", "--yes", ...more];
const add = (name: string, { recipient }: Person, ...more: string[]) =>
  ["member", "add", name, "--recipient", recipient].concat(more, "--yes");

interface Team {
  readonly repository: TestRepository;
  readonly bob: Person;
  readonly carol: Person;
}

/** alice-example is the admin; bob and carol are engineers, who may read dev and not prod. Made once, and copied. */
const template = (async () => {
  const repository = await createSealedRepository();
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-dev" });
  await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-prod" });
  const [bob, carol] = [await makePerson(repository, "bob"), await makePerson(repository, "carol")];
  await repository.ok(add("bob", bob, "--role", "engineer", "--ssh", sshKeys[0]));
  await repository.ok(add("carol", carol, "--role", "engineer"));
  return { repository, bob, carol };
})();

async function createTeam(): Promise<Team> {
  const made = await template;
  const repository = createRepository();
  for (const folder of ["root", "home"] as const) {
    rmSync(repository[folder], { recursive: true });
    cpSync(made.repository[folder], repository[folder], { recursive: true });
  }
  const moved = ({ recipient }: Person, name: string) => ({ recipient, env: envOf(repository, name) });
  return { repository, bob: moved(made.bob, "bob"), carol: moved(made.carol, "carol") };
}

async function read(repository: TestRepository, person: Person | undefined, ...words: string[]) {
  const result = await repository.run(words, person === undefined ? {} : { env: person.env });
  return result.code === 0 ? result.stdout : result.code;
}

async function rulesOf(repository: TestRepository): Promise<string[]> {
  const { findings } = (await repository.run(["check", "--json"])).json<{ findings: { rule: string }[] }>();
  return findings.map(({ rule }) => rule);
}

/** A team with a recovery key, for what changes nothing. */
const shared = createTeam().then(async (team) => {
  const safe = await makePerson(team.repository, "safe");
  await team.repository.ok(["member", "add", "safe", "--recovery", "--recipient", safe.recipient, "--yes"]);
  return { ...team, safe };
});

describe("member remove", () => {
  it("closes what is sealed from then on, leaves what was open, and says how much that is", async () => {
    const { repository, bob, carol } = await createTeam();
    const before = repository.git("rev-parse", "HEAD").trim();
    const removed = await repository.ok(["member", "remove", "bob", "--yes", "--reason", "left"], {
      now: new Date("2026-11-22T23:30:00Z"),
    });
    expect(removed.stderr).toContain("bob could read 1 value in 1 scope (dev/app); what was read stays read");
    expect(removed.stderr).toContain("sealtree exposure bob lists them");
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "policies: remove member bob\n\nleft\n\nSealtree-Reason: policy\nSealtree-Rekeyed: dev/app",
    );
    const policy = policyOf(repository);
    expect(policy).toMatchObject({ version: 4, removed: { bob: { version: 4, at: "2026-11-22" } } });
    expect(Object.keys(policy.members)).toEqual(["alice-example", "carol"]);
    expect(Object.values(policy.removed_keys ?? {})).toEqual([
      { member: "bob", version: 4, at: "2026-11-22" },
      { member: "bob", version: 4, at: "2026-11-22" },
    ]);
    expect(existsSync(join(repository.root, "policies/members/bob.pub"))).toBe(false);
    await repository.ok(["set", "dev/app/NEW_KEY", "--stdin"], { stdin: "test-new" });
    expect(await read(repository, bob, ...get("dev/app/NEW_KEY"))).toBe(5);
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe(5);
    expect(await read(repository, bob, ...get("dev/app/API_KEY", "--at", before))).toBe("test-dev");
    for (const person of [undefined, carol]) {
      expect(await read(repository, person, ...get("dev/app/API_KEY"))).toBe("test-dev");
      expect(await read(repository, person, ...get("dev/app/NEW_KEY"))).toBe("test-new");
      expect(await read(repository, person, ...get("dev/app/API_KEY", "--at", before))).toBe("test-dev");
    }
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ errors: 0 });
    const log = readFileSync(join(repository.home, ".local/state/sealtree/audit.jsonl"), "utf8");
    expect(log).toMatch(/"operation":"member remove","outcome":"ok","reason":"left",.*"scope":"dev\/app"/);
  });

  it("keeps a revert of an old value open for those who remain, and check calls it stale", async () => {
    const { repository, bob, carol } = await createTeam();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-second" });
    const second = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["member", "remove", "bob", "--yes"]);
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-third" });
    repository.git("checkout", "--quiet", second, "--", "secrets/dev/app.yaml");
    repository.git("commit", "--quiet", "-m", "back to the second value");
    for (const person of [undefined, carol])
      expect(await read(repository, person, ...get("dev/app/API_KEY"))).toBe("test-second");
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe(5);
    expect(await rulesOf(repository)).toContain("stale-record");
    await repository.ok(["rekey", "--yes"]);
    expect(await rulesOf(repository)).not.toContain("stale-record");
  });

  it("ends what was cut off, and has nothing to do after that", async () => {
    const { repository, bob } = await createTeam();
    const remove = ["member", "remove", "bob", "--yes", "--json"];
    // All files are written and none is committed.
    expect((await repository.ok([...remove, "--no-commit"])).json()).toMatchObject({
      changed: true,
      could_read: { secrets: 1 },
    });
    // The policy was written, the key file was not removed yet.
    repository.git("checkout", "--quiet", "HEAD", "--", "policies/members/bob.pub");
    expect((await repository.ok(remove)).json()).toMatchObject({ version: 4, could_read: { scopes: 1, secrets: 1 } });
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(repository.git("show", "--name-status", "--format=", "HEAD")).toContain("D\tpolicies/members/bob.pub");
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe(5);
    expect((await repository.ok(remove)).json()).toMatchObject({ changed: false, version: 4, commit: null });
    // Scopes that do not agree, such as after a merge, are made to.
    repository.git("checkout", "--quiet", "HEAD~1", "--", "secrets/dev/app.yaml");
    repository.git("commit", "--quiet", "-m", "as before");
    expect((await repository.ok(remove)).json()).toMatchObject({ changed: true, scopes: [{ resealed: 1 }] });
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ errors: 0 });
  });

  it("takes one key, and the member stays", async () => {
    const { repository, bob } = await createTeam();
    const laptop = await makePerson(repository, "bob-laptop");
    await repository.ok(add("bob", laptop));
    const old = fingerprintOf(bob.recipient);
    const remove = ["member", "remove", "bob", "--yes", "--key"];
    await repository.ok([...remove, old, "--no-commit"]);
    // Cut off when the policy names the key and the file still has it: other commands say what to do.
    repository.git("checkout", "--quiet", "HEAD", "--", "policies/members/bob.pub");
    expect((await repository.run(["set", "dev/app/A", "--stdin"], { stdin: "test" })).stderr).toContain(
      `sealtree member remove bob --key ${old}`,
    );
    await repository.ok([...remove, old]);
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(policyOf(repository)).toMatchObject({ version: 5, removed_keys: { [old]: { member: "bob", version: 5 } } });
    expect(repository.read("policies/members/bob.pub")).toBe(`# signing-key ${sshKeys[0]}\n${laptop.recipient}\n`);
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe(5);
    expect(await read(repository, laptop, ...get("dev/app/API_KEY"))).toBe("test-dev");
    const last = await repository.run([...remove, fingerprintOf(laptop.recipient)]);
    expect([last.code, last.stderr]).toEqual([2, expect.stringContaining("bob would have no recipient left")]);
  });

  it.each([
    [["remove", "alice-example", "--yes"], 2, "alice-example is the last admin"],
    [["set-role", "alice-example", "--role", "engineer", "--yes"], 2, "alice-example is the last admin"],
    [["remove", "nobody", "--yes"], 4, "there is no such member"],
    [["set-role", "nobody", "--role", "engineer", "--yes"], 4, "there is no such member"],
    [["set-role", "bob", "--role", "enginer", "--yes"], 2, "the roles are senior-engineer, engineer, analyst"],
    [["set-role", "bob", "--yes"], 2, "a member needs a role"],
    [["remove", "bob", "--key", "0011223344556677", "--yes"], 2, "bob has no key of that fingerprint"],
    [["remove", "safe", "--yes"], 2, "take it out of recovery in policies/access.yaml"],
    [["add", "bob", "--recovery", "--recipient", sshKeys[1], "--yes"], 7, "bob is a member"],
    [["add", "safe", "--recipient", sshKeys[1], "--role", "engineer", "--yes"], 7, "safe is a recovery key"],
    [["add", "spare", "--recovery", "--yes"], 2, "a recovery key needs a recipient"],
    [["add", "spare", "--recovery", "--role", "engineer", "--recipient", sshKeys[1], "--yes"], 2, "has no roles"],
    [["add", "dave", "--ssh", "../nosuch.pub", "--role", "engineer", "--yes"], 4, "the SSH public key is not there"],
    [["add", "dave", "--ssh", sshKeys[0], "--role", "engineer", "--yes"], 7, "the key belongs to bob"],
    [["remove", "bob"], 2, "pass --yes"],
  ] as const)("member %j is refused, and nothing is written", async (words, code, said) => {
    const { repository } = await shared;
    const result = await repository.run(["member", ...words]);
    expect(result.stderr).toContain(said);
    expect(result.code).toBe(code);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("and the other changes of membership are for admins", async () => {
    const { repository, bob } = await shared;
    for (const words of [
      ["remove", "carol"],
      ["set-role", "bob", "--role", "senior-engineer"],
    ]) {
      const result = await repository.run(["member", ...words, "--yes"], { env: bob.env });
      expect([result.code, result.stderr]).toEqual([5, expect.stringContaining("PERMISSION_DENIED")]);
    }
  });

  it("changes nothing when a scope would be without a reader, and names it", async () => {
    const repository = await createSealedRepository();
    const bob = await makePerson(repository, "bob");
    const text = repository.read("policies/access.yaml").replace('scopes: ["**"]', 'scopes: ["**", "!own/**"]');
    const keeper = '  keeper: { grants: [{ scopes: ["own/**"], allow: [read, write] }] }\n  guest: {}\n';
    repository.write("policies/access.yaml", text.replace("version: 1", "version: 2") + keeper);
    repository.git("commit", "--quiet", "-am", "own is for keepers");
    await repository.ok(add("bob", bob, "--role", "keeper"));
    await repository.ok(["set", "own/app/KEY", "--stdin"], { stdin: "test-own", env: bob.env });
    for (const words of [
      ["remove", "bob"],
      ["set-role", "bob", "--role", "guest"],
    ]) {
      const result = await repository.run(["member", ...words, "--yes"]);
      expect([result.code, result.stderr]).toEqual([2, expect.stringContaining("nobody may read own/app")]);
      expect(repository.git("status", "--porcelain")).toBe("");
    }
    // Who may change the policy and not read a scope cannot open it to others.
    const given = await repository.run(add("carol", await makePerson(repository, "carol"), "--role", "keeper"));
    expect([given.code, given.stderr]).toEqual([5, expect.stringContaining("own/app")]);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("takes yourself only with --yes, and warns", async () => {
    const { repository, bob } = await createTeam();
    await repository.ok(["member", "set-role", "bob", "--role", "senior-engineer", "--yes"]);
    const asked = await repository.run(["member", "remove", "bob"], { env: bob.env });
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("that takes your own access")]);
    const { stderr } = await repository.ok(["member", "remove", "bob", "--yes"], { env: bob.env });
    expect(stderr).toContain("warning: this takes your own access");
    expect(await read(repository, bob, ...get("prod/api/API_KEY"))).toBe(5);
    expect(await read(repository, undefined, ...get("prod/api/API_KEY"))).toBe("test-prod");
  });
});

describe("member add --readmit", () => {
  it("is what lets a removed name and key in again, and a second removal is noted in its place", async () => {
    const { repository, bob } = await createTeam();
    await repository.ok(["member", "remove", "bob", "--yes"], { now: new Date("2026-11-22T12:00:00Z") });
    const fingerprint = fingerprintOf(bob.recipient);
    const name = await repository.run(add("bob", await makePerson(repository, "bob-new"), "--role", "engineer"));
    expect([name.code, name.stderr]).toEqual([7, expect.stringContaining("bob was removed on 2026-11-22")]);
    const key = await repository.run(add("robert", bob, "--role", "engineer"));
    expect([key.code, key.stderr]).toEqual([7, expect.stringContaining(`key ${fingerprint} of bob was removed`)]);
    expect(repository.git("status", "--porcelain")).toBe("");

    await repository.ok(add("bob", bob, "--role", "engineer", "--readmit"));
    expect(policyOf(repository)).toMatchObject({
      version: 5,
      removed: { bob: { version: 4, at: "2026-11-22", readmitted: 5 } },
      removed_keys: { [fingerprint]: { member: "bob", version: 4, readmitted: 5 } },
    });
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe("test-dev");
    await repository.ok(["member", "remove", "bob", "--yes"], { now: new Date("2026-12-01T12:00:00Z") });
    const again = policyOf(repository);
    expect(again.removed).toEqual({ bob: { version: 6, at: "2026-12-01" } });
    expect(again.removed_keys?.[fingerprint]).toEqual({ member: "bob", version: 6, at: "2026-12-01" });
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe(5);
    const listed = (await repository.ok(["member", "list", "--json"])).json<{ removed: unknown[] }>();
    expect(listed.removed).toMatchObject([{ name: "bob", version: 6, readmitted: null }]);
    expect((await repository.ok(["member", "list"])).stdout).toMatch(
      /^bob {2}removed {2}by version 6, 2026-12-01 {2}2 keys: /m,
    );
  });
});

describe("member set-role", () => {
  it("wraps what is gained, rekeys what is lost, and says what could be read", async () => {
    const { repository, bob } = await createTeam();
    const set = (role: string) => ["member", "set-role", "bob", "--role", role, "--yes", "--json"];
    const prod = repository.read("secrets/prod/api.yaml");
    expect((await repository.ok(set("senior-engineer"))).json()).toMatchObject({
      changed: true,
      version: 4,
      roles: ["senior-engineer"],
      gained: { scopes: 1, secrets: 1, by_scope: { "prod/api": 1 } },
      lost: { scopes: 0 },
      scopes: [{ scope: "prod/api", minted: null, resealed: 0, rewrapped: 1 }],
    });
    expect(repository.read("secrets/prod/api.yaml")).toBe(prod);
    expect(await read(repository, bob, ...get("prod/api/API_KEY"))).toBe("test-prod");
    const lost = await repository.ok(["member", "set-role", "bob", "--role", "engineer", "--yes"]);
    expect(lost.stderr).toContain("bob could read 1 value in 1 scope (prod/api); what was read stays read");
    expect(await read(repository, bob, ...get("prod/api/API_KEY"))).toBe(5);
    expect(await read(repository, bob, ...get("dev/app/API_KEY"))).toBe("test-dev");
    expect((await repository.ok(set("engineer"))).json()).toMatchObject({ changed: false, version: 5, commit: null });
    // Written and not committed: the same line again commits it.
    await repository.ok([...set("analyst"), "--no-commit"]);
    expect((await repository.ok(set("analyst"))).json()).toMatchObject({ changed: true, version: 6 });
    expect(repository.git("status", "--porcelain")).toBe("");
    expect((await repository.ok(["check", "--deep", "--json"])).json()).toMatchObject({ errors: 0 });
  });
});

describe("member add --recovery", () => {
  it("wraps every scope for a key that belongs to no member and may change nothing", async () => {
    const { repository, safe } = await shared;
    expect(policyOf(repository)).toMatchObject({ version: 4, recovery: ["safe"] });
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("policies: add recovery key safe");
    for (const address of ["dev/app/API_KEY", "prod/api/API_KEY"])
      expect(await read(repository, safe, ...get(address))).toMatch(/^test-/);
    const set = await repository.run(["set", "dev/app/A", "--stdin"], { stdin: "test", env: safe.env });
    expect(set.code).toBe(5);
    const listed = await repository.ok(["member", "list"]);
    expect(listed.stdout).toMatch(/^safe +recovery +x25519 [0-9a-f]{16} +every scope$/m);
    expect(listed.stdout).toMatch(/^bob +person +engineer +x25519 [0-9a-f]{16} +1 signing key +1 scope$/m);
  });
});

describe("member add --github", () => {
  it("pins the published keys after showing them, and asks the server at no other time", async () => {
    const repository = await createSealedRepository();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-dev" });
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      const isKnown = request.url === "/carol-test.keys";
      response.writeHead(isKnown ? 200 : 404, { "content-type": "text/plain" });
      response.end(isKnown ? `${sshKeys[0]}\n${sshKeys[1]}\n` : "Not Found");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { env: { SEALTREE_GITHUB_URL: `http://${host}` }, now: new Date("2026-11-22T12:00:00Z") };
    const words = ["member", "add", "carol", "--role", "engineer", "--github"];
    try {
      const unsure = await repository.run([...words, "carol-test"], options);
      expect(unsure.code).toBe(2);
      expect(unsure.stderr).toContain(
        "  ssh-ed25519 SHA256:fe85JkIjo8VPe+XqXJGH5Mau1EMFdK1OdKvJUFicyA8 reads and signs",
      );
      expect((await repository.run([...words, "nobody-test", "--yes"], options)).code).toBe(4);
      expect(repository.git("status", "--porcelain")).toBe("");
      await repository.ok([...words, "carol-test", "--yes"], options);
      expect(repository.read("policies/members/carol.pub")).toBe(
        `# from ${host}/carol-test, 2026-11-22\n${sshKeys[0]}\n${sshKeys[1]}\n`,
      );
      expect(policyOf(repository).members["carol"]).toEqual({ github: "carol-test", roles: ["engineer"] });
      // A key that is given, as for bob, keeps GitHub out of it.
      const bob = await makePerson(repository, "bob");
      await repository.ok(add("bob", bob, "--role", "engineer", "--github", "bob-test"), options);
      expect(asked).toBe(3);
      const required = repository.read("policies/access.yaml").replace("quantum: prefer", "quantum: require");
      repository.write("policies/access.yaml", required);
      const refused = await repository.run(
        ["member", "add", "dora", "--role", "engineer", "--github", "carol-test"],
        options,
      );
      expect([refused.code, refused.stderr]).toEqual([7, expect.stringContaining("belongs to carol")]);
    } finally {
      server.close();
    }
    await repository.ok(["set", "dev/app/B", "--stdin"], { stdin: "test" });
  });
});
