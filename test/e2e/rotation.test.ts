import { cpSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const day = 86_400_000;
const start = Date.parse("2026-03-01T12:00:00Z");
const at = (days: number) => ({ now: new Date(start + days * day) });

const policy = `types:
  keys: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }
secrets:
  prod/api/SESSION_KEY: { type: keys }
  prod/api/STRIPE_KEY: { interval: 30d, rotator: manual, owner: alice-example, runbook: docs/stripe.md }
  prod/db/PASSWORD: { type: keys, rotator: generate, options: { kind: password, length: 24 } }
  prod/db/MASTER_KEY: { type: keys, interval: never }
`;

let model: TestRepository;

beforeAll(async () => {
  model = await createSealedRepository();
  for (const address of [
    "prod/api/SESSION_KEY",
    "prod/api/STRIPE_KEY",
    "prod/api/NO_RULE",
    "prod/db/PASSWORD",
    "prod/db/MASTER_KEY",
  ]) {
    await model.ok(["set", address, "--stdin"], { stdin: `test-${address}`, ...at(0) });
  }
  model.write("policies/rotation.yaml", policy);
});

/** Five secrets that were set on 2026-03-01: two that a program can rotate, one manual, one never, one without a rule. */
function createRotated(): TestRepository {
  const repository = createRepository();
  cpSync(model.home, repository.home, { recursive: true });
  cpSync(model.root, repository.root, { recursive: true });
  return repository;
}

async function reveal(repository: TestRepository, address: string): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
}

const commits = (repository: TestRepository) => Number(repository.git("rev-list", "--count", "HEAD"));

interface Rotated {
  rotated: { address: string; commit: string | null }[];
  not_rotated: { address: string; reason: string; needed: boolean }[];
}

interface Status {
  secrets: { address: string; state: string; due_at: string | null; age_seconds: number; rotator: string | null }[];
  counts: Record<string, number>;
}

describe("rotate", () => {
  it("gives a secret a new value by its rule in one commit, and the old one stays in the history", async () => {
    const repository = createRotated();
    const before = commits(repository);
    await repository.ok(["rotate", "prod/api/SESSION_KEY", "--yes", "--reason", "quarterly"], at(1));
    expect(await reveal(repository, "prod/api/SESSION_KEY")).toMatch(/^[0-9a-f]{32}$/);
    expect(commits(repository)).toBe(before + 1);
    expect(repository.git("log", "-1", "--format=%B").trim()).toBe(
      "secrets(prod/api): rotate SESSION_KEY\n\nquarterly\n\nSealtree-Reason: rotation\nSealtree-Secret: prod/api/SESSION_KEY",
    );
    const old = await repository.ok(["get", "prod/api/SESSION_KEY", "--reveal", "--yes", "--at", "HEAD~1"]);
    expect(old.stdout).toBe("test-prod/api/SESSION_KEY");
    expect(
      (await repository.ok(["rotation", "status", "prod/api", "--json"], at(2))).json<Status>().secrets,
    ).toContainEqual(expect.objectContaining({ address: "prod/api/SESSION_KEY", age_seconds: 86_400, state: "ok" }));
  });

  it("takes what is due and says with 8 what is due and was not rotated", async () => {
    const repository = createRotated();
    const result = await repository.run(["rotate", "--due", "--yes", "--json"], at(31));
    expect(result.code).toBe(8);
    const { rotated, not_rotated: left } = result.json<Rotated>();
    expect(rotated.map(({ address }) => address)).toEqual(["prod/api/SESSION_KEY", "prod/db/PASSWORD"]);
    expect(left).toEqual([
      {
        address: "prod/api/STRIPE_KEY",
        reason: "rotator manual, owner alice-example, runbook docs/stripe.md",
        needed: true,
      },
    ]);
    expect(repository.git("log", "-2", "--format=%s")).toBe(
      "secrets(prod/db): rotate PASSWORD\nsecrets(prod/api): rotate SESSION_KEY\n",
    );
    expect(await reveal(repository, "prod/db/PASSWORD")).toHaveLength(24);
    expect(await reveal(repository, "prod/db/MASTER_KEY")).toBe("test-prod/db/MASTER_KEY");
  });

  it("says so and ends with 0 when nothing is due", async () => {
    const repository = createRotated();
    const before = commits(repository);
    const result = await repository.ok(["rotate", "--due", "--yes"], at(1));
    expect(result.stderr).toContain("nothing to rotate");
    expect(result.stderr).toContain("1 secret without a rule");
    expect(commits(repository)).toBe(before);
  });

  it("rotates all of a scope or of the repository, due or not, and keeps what has the interval never", async () => {
    const repository = createRotated();
    const scope = await repository.ok(["rotate", "prod/api", "--yes", "--json"], at(1));
    expect(scope.json<Rotated>()).toMatchObject({
      rotated: [{ address: "prod/api/SESSION_KEY" }],
      not_rotated: [
        { address: "prod/api/NO_RULE", needed: false },
        { address: "prod/api/STRIPE_KEY", needed: false },
      ],
    });
    const all = (await repository.ok(["rotate", "--all", "--yes", "--json"], at(1))).json<Rotated>();
    expect(all.rotated.map(({ address }) => address)).toEqual(["prod/api/SESSION_KEY", "prod/db/PASSWORD"]);
    expect(all.not_rotated).toContainEqual({
      address: "prod/db/MASTER_KEY",
      reason: "its interval is never",
      needed: false,
    });
    await repository.ok(["rotate", "prod/db/MASTER_KEY", "--yes"], at(1));
    expect(await reveal(repository, "prod/db/MASTER_KEY")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("rotates everything in an emergency, records it so, and ends with 8 for what only a person can change", async () => {
    const repository = createRotated();
    const result = await repository.run(["rotate", "--all", "--emergency", "--yes", "--json"], at(1));
    expect(result.code).toBe(8);
    expect(result.json<Rotated>().rotated.map(({ address }) => address)).toEqual([
      "prod/api/SESSION_KEY",
      "prod/db/MASTER_KEY",
      "prod/db/PASSWORD",
    ]);
    expect(result.json<Rotated>().not_rotated).toMatchObject([
      { address: "prod/api/NO_RULE", needed: true },
      { address: "prod/api/STRIPE_KEY", needed: true },
    ]);
    expect(repository.git("log", "-1", "--format=%(trailers:key=Sealtree-Reason,valueonly)").trim()).toBe("emergency");
  });

  it("refuses a secret without a rule with 2 and a manual one with 8, and says what to do", async () => {
    const repository = createRotated();
    const without = await repository.run(["rotate", "prod/api/NO_RULE", "--yes"], at(1));
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("sealtree rotate prod/api/NO_RULE --generate SPEC");
    const manual = await repository.run(["rotate", "prod/api/STRIPE_KEY", "--yes"], at(1));
    expect(manual.code).toBe(8);
    expect(manual.stderr).toContain("owner alice-example, runbook docs/stripe.md");
    expect(manual.stderr).toContain("sealtree set prod/api/STRIPE_KEY");
    expect((await repository.run(["rotate", "prod/api/NOT_THERE", "--yes"])).code).toBe(4);
  });

  it("makes the value as --generate says, of one secret only", async () => {
    const repository = createRotated();
    await repository.ok(["rotate", "prod/api/NO_RULE", "--generate", "uuid", "--yes"], at(1));
    expect(await reveal(repository, "prod/api/NO_RULE")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect((await repository.run(["rotate", "prod/api", "--generate", "uuid", "--yes"], at(1))).code).toBe(2);
  });

  it("shows in a dry run exactly what would be rotated and changes nothing", async () => {
    const repository = createRotated();
    const [head, file] = [repository.git("rev-parse", "HEAD"), repository.read("secrets/prod/api.yaml")];
    const result = await repository.run(["rotate", "--due", "--dry-run", "--json"], at(31));
    expect(result.code).toBe(8);
    expect(result.json()).toMatchObject({
      rotated: [
        { address: "prod/api/SESSION_KEY", commit: null },
        { address: "prod/db/PASSWORD", commit: null },
      ],
      dry_run: true,
    });
    expect([repository.git("rev-parse", "HEAD"), repository.read("secrets/prod/api.yaml")]).toEqual([head, file]);
  });

  it.each([
    [["rotate", "--yes"]],
    [["rotate", "prod/api", "--due", "--yes"]],
    [["rotate", "--due", "--all", "--yes"]],
    [["rotate", "--due", "--emergency", "--yes"]],
  ])("does not understand %j", async (argv) => {
    const repository = createRotated();
    const before = commits(repository);
    expect((await repository.run(argv, at(31))).code).toBe(2);
    expect(commits(repository)).toBe(before);
  });

  it("asks before it changes anything", async () => {
    const repository = createRotated();
    const result = await repository.run(["rotate", "prod/api/SESSION_KEY"], at(1));
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining("--yes")]);
    expect(await reveal(repository, "prod/api/SESSION_KEY")).toBe("test-prod/api/SESSION_KEY");
  });

  it("needs the permission to rotate, not the one to write", async () => {
    const repository = createRotated();
    const access = repository.read("policies/access.yaml");
    const allow = (what: string) =>
      repository.write("policies/access.yaml", access.replace("[read, write, delete, rotate, deploy]", what));
    allow("[read, rotate]");
    await repository.ok(["rotate", "prod/api/SESSION_KEY", "--yes"], at(1));
    allow("[read, write]");
    const one = await repository.run(["rotate", "prod/api/SESSION_KEY", "--yes"], at(1));
    expect([one.code, one.stderr]).toEqual([5, expect.stringContaining("may not rotate in prod/api")]);
  });

  it("rotates the other scopes when one cannot be read or may not be written", async () => {
    const repository = createRotated();
    const access = repository.read("policies/access.yaml");
    const grants = '- { scopes: ["**"], allow: [read] }\n      - { scopes: ["prod/db"], allow: [rotate] }';
    repository.write(
      "policies/access.yaml",
      access.replace(/- \{ scopes: \["\*\*"\], allow: \[read, write.*\}/, grants),
    );
    const refused = await repository.run(["rotate", "--due", "--yes", "--json"], at(31));
    expect(refused.code).toBe(8);
    expect(refused.json<Rotated>().rotated).toMatchObject([{ address: "prod/db/PASSWORD" }]);
    expect(refused.json<Rotated>().not_rotated[0]).toMatchObject({
      address: "prod/api/SESSION_KEY",
      reason: expect.stringContaining("PERMISSION_DENIED"),
      needed: true,
    });
    repository.write("policies/access.yaml", access);
    repository.write("secrets/prod/db.yaml", "broken\n");
    const broken = await repository.run(["rotate", "--due", "--yes", "--json"], at(31));
    expect(broken.code).toBe(8);
    expect(broken.json()).toMatchObject({
      rotated: [{ address: "prod/api/SESSION_KEY" }],
      unreadable: [{ scope: "prod/db", code: "E_SCOPE_MALFORMED" }],
    });
  });
});

describe("rotation status", () => {
  it("lists every secret with age, next rotation and state, without a key", async () => {
    const repository = createRotated();
    const result = await repository.ok(["rotation", "status", "--json"], { ...at(31), env: { HOME: "/nonexistent" } });
    const { secrets, counts } = result.json<Status>();
    expect(secrets.map(({ address, state }) => `${address} ${state}`)).toEqual([
      "prod/api/NO_RULE no-rule",
      "prod/api/SESSION_KEY overdue",
      "prod/api/STRIPE_KEY overdue",
      "prod/db/MASTER_KEY ok",
      "prod/db/PASSWORD overdue",
    ]);
    expect(counts).toEqual({ "no-rule": 1, overdue: 3, ok: 1 });
    expect(secrets[1]?.due_at).toMatch(/T02:00:00\.000Z$/);
    expect(secrets[0]).toMatchObject({ due_at: null, rotator: null, age_seconds: 31 * 86_400 });
  });

  it("prints a table, ends with 0, and with 1 under --check when something is due", async () => {
    const repository = createRotated();
    const result = await repository.ok(["rotation", "status", "prod/db"], at(31));
    expect(result.stdout).toMatch(/^SECRET +TYPE +ROTATOR +AGE +NEXT \(UTC\) +STATE\n/);
    expect(result.stdout).toMatch(
      /^prod\/db\/PASSWORD +keys +generate +set 1 month ago +.* ago \(2026-03-\d\d 02:00\) +overdue$/m,
    );
    expect(result.stderr).toContain("2 secrets: 1 ok, 1 overdue");
    expect((await repository.run(["rotation", "status", "--check"], at(31))).code).toBe(1);
    expect((await repository.run(["rotation", "status", "--check"], at(1))).code).toBe(0);
    expect((await repository.ok(["rotation", "status", "--due"], at(1))).stdout).toBe("");
    expect((await repository.run(["rotation", "status", "prod/ap"], at(1))).stderr).toContain("did you mean prod/api?");
  });

  it("reads any revision, also in a shallow clone", async () => {
    const repository = createRotated();
    repository.git("add", "policies");
    repository.git("commit", "-q", "-m", "rules");
    await repository.ok(["rotate", "prod/api/SESSION_KEY", "--yes"], at(31));
    const before = await repository.ok(["rotation", "status", "--at", "HEAD~1", "--json"], at(31));
    expect(before.json<Status>().counts).toMatchObject({ overdue: 3 });
    repository.git("clone", "-q", "--depth", "1", `file://${repository.root}`, `${repository.home}/clone`);
    const shallow = await repository.ok(["rotation", "status", "--json"], {
      ...at(31),
      cwd: `${repository.home}/clone`,
    });
    expect(shallow.json<Status>().counts).toMatchObject({ overdue: 2 });
  });

  it("shows the rest of a repository with a broken scope, and ends with 6", async () => {
    const repository = createRotated();
    repository.write("secrets/prod/db.yaml", "broken\n");
    const result = await repository.run(["rotation", "status", "--json"], at(1));
    expect(result.code).toBe(6);
    expect(result.json<Status>().secrets).toHaveLength(3);
  });

  it("warns of a rule for a secret that is not there", async () => {
    const repository = createRotated();
    repository.write("policies/rotation.yaml", `${policy}  prod/api/GONE: {}\n`);
    const result = await repository.ok(["rotation", "status"], at(1));
    expect(result.stderr).toContain(
      "warning: policies/rotation.yaml:8: prod/api/GONE has a rule, and there is no such secret",
    );
  });
});

describe("rotation plan", () => {
  interface Plan {
    weeks: { start: string; count: number; addresses: string[] }[];
    now: { rotate: string[]; cannot: { address: string }[] };
  }

  it("counts the rotations of each week, again after each interval", async () => {
    const repository = createRotated();
    const { weeks, now } = (await repository.ok(["rotation", "plan", "--days", "70", "--json"], at(1))).json<Plan>();
    expect(weeks).toHaveLength(10);
    expect(weeks[0]).toMatchObject({ start: "2026-03-02", count: 0 });
    const times = weeks.flatMap(({ addresses }) => addresses).filter((address) => address === "prod/db/PASSWORD");
    expect(times).toHaveLength(2);
    expect(now).toEqual({ rotate: [], cannot: [] });
  });

  it("draws the weeks and lists what is due now", async () => {
    const repository = createRotated();
    const { stdout } = await repository.ok(["rotation", "plan", "--days", "14"], at(31));
    expect(stdout).toMatch(/^week of 2026-04-01 {2}███ 3\nweek of 2026-04-08 {2}·$/m);
    expect(stdout).toMatch(/would give 2 secrets a new value\n {2}prod\/api\/SESSION_KEY +generate\n/);
    expect(stdout).toMatch(
      /cannot rotate 1 secret that is due\n {2}prod\/api\/STRIPE_KEY +rotator manual, owner alice-example/,
    );
    expect((await repository.run(["rotation", "plan", "--days", "0"], at(1))).code).toBe(2);
  });
});

describe("sealtree rotate --markdown", () => {
  it("begins with what a person must do", async () => {
    const repository = createRotated();
    const { stdout } = await repository.run(["rotate", "--due", "--yes", "--markdown"], at(40));
    const [commit = ""] = repository.git("log", "--format=%h", "--abbrev=9", "--", "secrets/prod/db.yaml").split("\n");
    expect(stdout).toContain(
      [
        "## Rotation",
        "",
        "**1 secret to look at.**",
        "",
        "### To do",
        "",
        "- [ ] `prod/api/STRIPE_KEY`: rotator manual, owner alice-example, runbook docs/stripe.md",
        "",
        "### New value",
        "",
      ].join("\n"),
    );
    expect(stdout).toContain(`- \`prod/db/PASSWORD\` in \`${commit}\`\n`);
    expect(stdout).toContain("1 secret without a rule.");
    const both = (await repository.run(["rotate", "--due", "--yes", "--markdown", "--json"], at(40))).json();
    expect(both).toMatchObject({ markdown: expect.stringContaining("## Rotation\n") as unknown });
  });
});
