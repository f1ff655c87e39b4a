import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readAudit } from "../../src/audit/read-log.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

interface Exposed {
  member: string | null;
  is_member: boolean;
  keys: string[];
  removed: { version: number; at: string } | null;
  exposed: {
    scope: string;
    name: string;
    value_id: string;
    set_at: string;
    first_readable: { commit: string; at: string } | null;
    can_still_read: boolean;
    is_still_wrapped: boolean;
    lost_access: { commit: string; at: string } | null;
    is_committed: boolean;
    rotation: { rotator: string; owner: string | null; runbook: string | null; is_automatic: boolean } | null;
  }[];
  rotated_since: number;
  complete: boolean;
  warnings: string[];
}

interface Offboarded {
  removed: boolean;
  commit: string | null;
  scopes: string[];
  rotated: { scope: string; name: string; commit: string | null }[];
  left: {
    scope: string;
    name: string;
    owner: string | null;
    runbook: string | null;
    reason: string;
    failed: boolean;
  }[];
  complete: boolean;
}

const rules = `secrets:
  dev/app/SESSION_KEY: { rotator: generate, options: { kind: hex, bytes: 16 }, interval: never }
  dev/app/STRIPE_KEY: { rotator: manual, owner: alice-example, runbook: docs/stripe.md }
`;
const secrets = ["dev/app/SESSION_KEY", "dev/app/STRIPE_KEY", "dev/web/NO_RULE", "prod/api/KEY"];

let model: TestRepository;
let removed: TestRepository;

beforeAll(async () => {
  model = await createSealedRepository();
  for (const address of secrets) await model.ok(["set", address, "--stdin"], { stdin: `test-${address}` });
  model.write("policies/rotation.yaml", rules);
  model.git("add", "policies/rotation.yaml");
  model.git("commit", "--quiet", "--message", "rotation rules");
  const key = join(model.home, "bob.key");
  const { stdout } = await model.ok(["keygen", "-o", key, "--x25519"]);
  await model.ok(["member", "add", "bob", "--recipient", stdout.trim(), "--role", "engineer", "--yes"]);
  removed = createTeam().repository;
  await removed.ok(["member", "remove", "bob", "--yes"]);
});

/** bob, an engineer, reads three secrets in dev: one that sealtree rotates, one that a person does, one without a rule. */
function createTeam(from = model): { repository: TestRepository; bob: Readonly<Record<string, string>> } {
  const repository = createRepository();
  cpSync(from.home, repository.home, { recursive: true });
  cpSync(from.root, repository.root, { recursive: true });
  const bob = {
    SEALTREE_IDENTITY_FILE: join(repository.home, "bob.key"),
    XDG_CONFIG_HOME: join(repository.home, "bob"),
  };
  return { repository, bob };
}

async function readExposure(repository: TestRepository, ...args: string[]): Promise<Exposed> {
  return (await repository.ok(["exposure", ...args, "--json"])).json<Exposed>();
}

const addressesOf = ({ exposed }: Exposed) => exposed.map(({ scope, name }) => `${scope}/${name}`);
const reveal = async (repository: TestRepository, address: string, env = {}) =>
  await repository.run(["get", address, "--reveal", "--yes"], { env });

describe("exposure", () => {
  it("lists the values a member can read, since when, and who rotates them", async () => {
    const repository = model;
    const found = await readExposure(repository, "bob");
    expect(found).toMatchObject({ member: "bob", is_member: true, removed: null, rotated_since: 0, complete: true });
    expect(found.keys).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(addressesOf(found)).toEqual(secrets.slice(0, 3));
    expect(found.exposed[1]).toEqual({
      scope: "dev/app",
      name: "STRIPE_KEY",
      value_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      set_at: expect.stringMatching(/Z$/),
      first_readable: { commit: repository.git("rev-parse", "HEAD").trim(), at: expect.stringMatching(/Z$/) },
      can_still_read: true,
      is_still_wrapped: true,
      lost_access: null,
      is_committed: true,
      rotation: { rotator: "manual", owner: "alice-example", runbook: "docs/stripe.md", is_automatic: false },
    });
    expect(found.exposed.map(({ rotation }) => rotation?.is_automatic)).toEqual([true, false, undefined]);
  });

  it("is the same by the key, and less with a pattern", async () => {
    const repository = model;
    const { keys, exposed } = await readExposure(repository, "bob");
    const byKey = await readExposure(repository, "--key", keys[0] ?? "");
    expect([byKey.member, byKey.is_member, byKey.exposed]).toEqual([null, true, exposed]);
    expect(addressesOf(await readExposure(repository, "bob", "--scope", "dev/web"))).toEqual(["dev/web/NO_RULE"]);
    expect((await repository.run(["exposure", "bob", "--scope", "dev/{"])).code).toBe(2);
  });

  it("knows of a member who is gone what is still in force, and when they lost it", async () => {
    const { repository } = createTeam(removed);
    const removal = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["set", "dev/web/NO_RULE", "--stdin"], { stdin: "test-new" });
    await repository.ok(["mv", "dev/app/STRIPE_KEY", "prod/api/STRIPE_KEY", "--yes"]);
    const found = await readExposure(repository, "bob");
    expect(found).toMatchObject({ is_member: false, removed: { version: 3 }, rotated_since: 1, complete: true });
    expect(addressesOf(found)).toEqual(["dev/app/SESSION_KEY", "prod/api/STRIPE_KEY"]);
    expect(found.exposed[0]).toMatchObject({
      can_still_read: false,
      is_still_wrapped: false,
      lost_access: { commit: removal },
    });
    const text = await repository.ok(["exposure", "bob"]);
    expect(text.stdout).toMatch(
      new RegExp(
        `^dev/app/SESSION_KEY +set just now +readable since .* +lost access in ${removal.slice(0, 9)}, just now +sealtree rotates it$`,
        "m",
      ),
    );
    expect(text.stderr).toContain("bob could read 2 secrets that are in force");
    expect(text.stderr).toContain("sealtree rotate --exposed-to bob");
  });

  it("follows a value that came back by git revert and by rollback", async () => {
    const { repository } = createTeam(removed);
    await repository.ok(["set", "dev/web/NO_RULE", "--stdin"], { stdin: "test-new" });
    expect((await readExposure(repository, "bob")).rotated_since).toBe(1);
    await repository.ok(["rollback", "dev/web/NO_RULE", "--to", "previous", "--yes"]);
    expect(addressesOf(await readExposure(repository, "bob"))).toContain("dev/web/NO_RULE");
    repository.git("revert", "--no-edit", "HEAD");
    expect(addressesOf(await readExposure(repository, "bob"))).not.toContain("dev/web/NO_RULE");
  });

  it("counts a drop for everybody who could read the scope by the policy of its commit", async () => {
    const { repository, bob } = createTeam();
    repository.write(
      "policies/access.yaml",
      repository
        .read("policies/access.yaml")
        .replace("  analyst:\n", `  writer:\n    grants: [{ scopes: ["dev/**"], allow: [write] }]\n  analyst:\n`),
    );
    const key = join(repository.home, "carol.key");
    const recipient = (await repository.ok(["keygen", "-o", key, "--x25519"])).stdout.trim();
    await repository.ok(["member", "add", "carol", "--recipient", recipient, "--role", "writer", "--yes"]);
    const carol = { ...bob, SEALTREE_IDENTITY_FILE: key };
    await repository.ok(["set", "dev/drops/DROPPED", "--stdin"], { stdin: "test-seed" });
    await repository.ok(["member", "remove", "bob", "--yes"]);
    expect(addressesOf(await readExposure(repository, "bob"))).toContain("dev/drops/DROPPED");
    await repository.ok(["set", "dev/drops/DROPPED", "--stdin"], { stdin: "test-dropped", env: carol });
    expect(repository.read("secrets/dev/drops.yaml")).toContain("st1d.");
    expect(addressesOf(await readExposure(repository, "bob"))).not.toContain("dev/drops/DROPPED");
    expect(addressesOf(await readExposure(repository, "alice-example"))).toContain("dev/drops/DROPPED");
    expect(addressesOf(await readExposure(repository, "carol"))).toEqual([]);
  });

  it("does not know strangers, and suggests who was meant", async () => {
    const repository = model;
    const result = await repository.run(["exposure", "bobb"]);
    expect([result.code, result.stderr]).toEqual([4, expect.stringContaining("did you mean bob?")]);
    expect((await repository.run(["exposure", "--key", "0000000000000000"])).code).toBe(4);
    expect((await repository.run(["exposure"])).code).toBe(2);
    expect((await repository.run(["exposure", "bob", "--key", "0000000000000000"])).code).toBe(2);
  });
});

describe("access who", () => {
  interface Who {
    agrees: boolean;
    readers: { name: string; kind: string; by_policy: boolean; by_keyring: boolean; extra: string[] }[];
  }
  interface Ever {
    readers: {
      name: string;
      first: { commit: string };
      last: { commit: string } | null;
      reads_now: boolean;
      secrets: string[];
    }[];
    values: number;
  }

  it("lists who can read now, by the policy and by the keyring", async () => {
    const repository = model;
    const now = (await repository.ok(["access", "who", "dev/app/STRIPE_KEY", "--json"])).json<Who>();
    expect(now.agrees).toBe(true);
    expect(now.readers.map(({ name, by_policy, by_keyring }) => [name, by_policy, by_keyring])).toEqual([
      ["alice-example", true, true],
      ["bob", true, true],
    ]);
    expect((await repository.ok(["access", "who", "prod/api"])).stdout).toMatch(
      /^alice-example +person +senior-engineer/,
    );
  });

  it("says where policy and keyring differ", async () => {
    const { repository } = createTeam();
    const policy = repository.read("policies/access.yaml");
    repository.write("policies/access.yaml", policy.replace(/^ {2}bob: .*\n/m, ""));
    repository.git("rm", "--quiet", "policies/members/bob.pub");
    const now = (await repository.ok(["access", "who", "dev/app", "--json"])).json<Who>();
    expect(now.agrees).toBe(false);
    expect(now.readers[1]).toMatchObject({ name: "bob", kind: "stranger", by_policy: false, by_keyring: true });
    const text = await repository.ok(["access", "who", "dev/app"]);
    expect(text.stdout).toContain("can read, and may not by the policy");
    expect(text.stderr).toContain("sealtree rekey");
  });

  it("lists with --ever who knows the value there is, and until when they could read it", async () => {
    const { repository } = createTeam(removed);
    const added = repository.git("rev-parse", "HEAD~1").trim();
    const removal = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["set", "dev/app/SESSION_KEY", "--stdin"], { stdin: "test-new" });
    const read = async (target: string) =>
      (await repository.ok(["access", "who", target, "--ever", "--json"])).json<Ever>();
    const { readers, values } = await read("dev/app");
    expect(values).toBe(2);
    expect(readers.map(({ name, reads_now, secrets: names }) => [name, reads_now, names])).toEqual([
      ["alice-example", true, ["SESSION_KEY", "STRIPE_KEY"]],
      ["bob", false, ["STRIPE_KEY"]],
    ]);
    expect(readers[1]).toMatchObject({ first: { commit: added }, last: { commit: removal } });
    expect((await read("dev/app/SESSION_KEY")).readers.map(({ name }) => name)).toEqual(["alice-example"]);
    const past = await repository.ok(["access", "who", "dev/app/SESSION_KEY", "--ever", "--at", added]);
    expect(past.stdout).toMatch(/^bob .* reads it now$/m);
  });

  it("does not know what is not there", async () => {
    const repository = model;
    const result = await repository.run(["access", "who", "dev/app/STRIPE_KEX"]);
    expect([result.code, result.stderr]).toEqual([4, expect.stringContaining("did you mean STRIPE_KEY?")]);
    expect((await repository.run(["access", "who", "dev/apt/STRIPE_KEY"])).stderr).toContain("did you mean dev/app?");
  });
});

describe("rotate --exposed-to", () => {
  it("rotates what it can, whatever the interval, and lists the rest with 8", async () => {
    const { repository } = createTeam();
    const result = await repository.run(["rotate", "--exposed-to", "bob", "--yes", "--json"]);
    expect(result.code).toBe(8);
    expect(result.json()).toMatchObject({
      rotated: [{ address: "dev/app/SESSION_KEY" }],
      not_rotated: [
        { address: "dev/app/STRIPE_KEY", reason: "rotator manual, owner alice-example, runbook docs/stripe.md" },
        { address: "dev/web/NO_RULE", needed: true },
      ],
    });
  });

  it("stands alone", async () => {
    const repository = model;
    expect((await repository.run(["rotate", "--exposed-to", "bob", "--all", "--yes"])).code).toBe(2);
    expect((await repository.run(["rotate", "--exposed-to", "bob", "--generate", "uuid", "--yes"])).code).toBe(2);
    expect((await repository.run(["rotate", "--exposed-to", "bobby", "--yes"])).code).toBe(4);
  });
});

describe("offboard", () => {
  it("removes, rekeys and rotates in commits of their own, and lists what a person must do", async () => {
    const { repository, bob } = createTeam();
    const before = Number(repository.git("rev-list", "--count", "HEAD"));
    const done = (await repository.ok(["offboard", "bob", "--yes", "--json", "--reason", "left"])).json<Offboarded>();
    expect(done).toMatchObject({ removed: true, scopes: ["dev/app", "dev/web"], complete: true });
    expect(done.rotated).toMatchObject([{ scope: "dev/app", name: "SESSION_KEY" }]);
    expect(done.left).toEqual([
      {
        scope: "dev/app",
        name: "STRIPE_KEY",
        owner: "alice-example",
        runbook: "docs/stripe.md",
        reason: "its rotator is manual",
        failed: false,
      },
      {
        scope: "dev/web",
        name: "NO_RULE",
        owner: null,
        runbook: null,
        reason: "it has no rotation rule",
        failed: false,
      },
    ]);
    expect(
      repository.git("log", "--format=%s", `-${Number(repository.git("rev-list", "--count", "HEAD")) - before}`),
    ).toBe("secrets(dev/app): rotate SESSION_KEY\npolicies: remove member bob\n");
    expect(repository.git("rev-parse", "HEAD~1").trim()).toBe(done.commit);
    expect(repository.git("status", "--porcelain")).toBe("");
    for (const address of secrets.slice(0, 3)) expect((await reveal(repository, address, bob)).code).toBe(5);
    expect((await reveal(repository, "dev/app/SESSION_KEY")).stdout).toMatch(/^[0-9a-f]{32}$/);
    expect(addressesOf(await readExposure(repository, "bob"))).toEqual(["dev/app/STRIPE_KEY", "dev/web/NO_RULE"]);
    const events = readAudit(repository.env).filter(({ operation }) => operation === "offboard");
    expect(events.map(({ code, scope, name }) => [code, scope, name])).toEqual([
      ["HBSE-012", "dev/app", undefined],
      ["HBSE-012", "dev/web", undefined],
      ["HBSE-005", "dev/app", "SESSION_KEY"],
    ]);
  });

  it("goes on with what is left when it is run again, also after a plain removal", async () => {
    const { repository } = createTeam(removed);
    const done = (await repository.ok(["offboard", "bob", "--yes", "--json"])).json<Offboarded>();
    expect([done.commit, done.scopes, done.rotated.length, done.left.length]).toEqual([null, [], 1, 2]);
    await repository.ok(["set", "dev/app/STRIPE_KEY", "--stdin"], { stdin: "test-new" });
    await repository.ok(["set", "dev/web/NO_RULE", "--stdin"], { stdin: "test-new" });
    const head = repository.git("rev-parse", "HEAD");
    const again = await repository.ok(["offboard", "bob"]);
    expect([again.stdout, again.stderr]).toEqual(["", expect.stringContaining("nothing that bob could read is left")]);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  it("changes nothing on a dry run and says what it would do", async () => {
    const repository = model;
    const head = repository.git("rev-parse", "HEAD");
    const result = await repository.ok(["offboard", "bob", "--dry-run"]);
    expect(result.stderr).toContain(
      "would remove bob\nwould give 2 scopes a new key\nwould rotate dev/app/SESSION_KEY",
    );
    expect([repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain")]).toEqual([head, ""]);
    expect((await repository.run(["offboard", "bob"])).code).toBe(2);
  });

  it("leaves values as they are with --no-rotate", async () => {
    const done = (await model.ok(["offboard", "bob", "--dry-run", "--no-rotate", "--json"])).json<Offboarded>();
    expect(done.rotated).toEqual([]);
    expect(done.left.map(({ name, reason }) => [name, reason])).toContainEqual([
      "SESSION_KEY",
      "not asked for: sealtree rotate --exposed-to bob",
    ]);
  });

  it("prints a report as Markdown", async () => {
    const { stdout } = await model.ok(["offboard", "bob", "--dry-run", "--markdown"]);
    expect(stdout).toMatch(/^# Offboarding of bob\n\nbob could read 3 secrets that were in force\.\n\nA dry run/);
    expect(stdout).toContain("## Scopes with a new key\n\n- `dev/app`\n- `dev/web`\n");
    expect(stdout).toContain("## Rotated\n\n- `dev/app/SESSION_KEY`\n");
    expect(stdout).toContain("- [ ] `dev/app/STRIPE_KEY`: alice-example, docs/stripe.md (its rotator is manual)\n");
  });

  it("ends with 8 in a shallow clone, where nobody can say what is left", async () => {
    const { repository } = createTeam();
    repository.write(".git/shallow", repository.git("rev-parse", "HEAD"));
    const result = await repository.run(["offboard", "bob", "--dry-run", "--json"]);
    expect(result.code).toBe(8);
    expect(result.json<Offboarded>()).toMatchObject({ removed: true, complete: false });
    expect((await repository.run(["exposure", "bob"])).stderr).toContain("git fetch --unshallow");
  });

  it("ends with 8 when a rotation fails, and has removed the member all the same", async () => {
    const { repository } = createTeam();
    const policy = repository.read("policies/access.yaml");
    repository.write("policies/access.yaml", policy.replace("delete, rotate, deploy", "delete, deploy"));
    const result = await repository.run(["offboard", "bob", "--yes", "--json"]);
    expect(result.code).toBe(8);
    const done = result.json<Offboarded>();
    expect(done.left[0]).toMatchObject({
      name: "SESSION_KEY",
      failed: true,
      reason: expect.stringContaining("PERMISSION_DENIED"),
    });
    expect((await readExposure(repository, "bob")).is_member).toBe(false);
  });

  it("does not know strangers", async () => {
    const repository = model;
    expect((await repository.run(["offboard", "nobody", "--yes"])).code).toBe(4);
  });
});
