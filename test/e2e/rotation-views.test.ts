import { beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const start = Date.parse("2026-03-01T12:00:00Z");
const at = (days: number) => ({ now: new Date(start + days * 86_400_000) });
const hostile = "</td><script>alert(1)</script>##[error]&";

const policy = `defaults: { owner: carol }
types:
  keys: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }
  tokens: { interval: 90d, owner: alice-example }
secrets:
  prod/api/SESSION_KEY: { type: keys }
  prod/api/STRIPE_KEY: { type: tokens, runbook: "${hostile}" }
  prod/db/PASSWORD: { type: keys, interval: 6h }
`;

let repository: TestRepository;

beforeAll(async () => {
  repository = await createSealedRepository();
  const values = {
    "prod/api": "SESSION_KEY=test-a\nSTRIPE_KEY=test-b\nNO_RULE=test-c\n",
    "prod/db": "PASSWORD=test-d\n",
  };
  for (const [scope, stdin] of Object.entries(values))
    await repository.ok(["import", scope, "--format", "dotenv", "--yes", "--no-commit"], { stdin, ...at(0) });
  repository.write("policies/rotation.yaml", policy);
});

interface Listed {
  secrets: { address: string; due_at: string | null; ends_at: string | null; jitter_days: number | null }[];
}

async function addressesOf(...words: string[]): Promise<string[]> {
  const { secrets } = (await repository.ok(["rotation", "status", "--json", ...words], at(29))).json<Listed>();
  return secrets.map(({ address }) => address);
}

describe("rotation status", () => {
  it("takes what an owner, a type, a state or a scope names", async () => {
    expect(await addressesOf("--owner", "alice-example")).toEqual(["prod/api/STRIPE_KEY"]);
    expect(await addressesOf("--type", "keys")).toEqual(["prod/api/SESSION_KEY", "prod/db/PASSWORD"]);
    expect(await addressesOf("--state", "no-rule,overdue")).toEqual(["prod/api/NO_RULE", "prod/db/PASSWORD"]);
    expect(await addressesOf("prod", "--type", "keys", "--state", "overdue")).toEqual(["prod/db/PASSWORD"]);
    expect(await addressesOf("prod/db/PASSWORD")).toEqual(["prod/db/PASSWORD"]);
  });

  it.each([
    [["--type", "kees"], 2, "did you mean keys?"],
    [["--owner", "carrol"], 2, "did you mean carol?"],
    [["--state", "late"], 2, "no-rule"],
    [["prod/api/SESION_KEY"], 4, "did you mean SESSION_KEY?"],
    [["prod/ap"], 4, "did you mean prod/api?"],
    [["--format", "pdf"], 2, "--format html"],
  ])("does not pass over a typing error in %j", async (words, code, hint) => {
    const result = await repository.run(["rotation", "status", ...words], at(1));
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(hint)]);
  });

  it("takes a member who owns nothing, and the end of the interval and the jitter add up", async () => {
    repository.write("policies/rotation.yaml", policy.replace("owner: alice-example", "notice: 3d"));
    expect(await addressesOf("--owner", "alice-example")).toEqual([]);
    repository.write("policies/rotation.yaml", policy);
    const { secrets } = (
      await repository.ok(["rotation", "status", "--type", "tokens", "--json"], at(1))
    ).json<Listed>();
    const [{ due_at: due, ends_at: ends, jitter_days: jitter } = { due_at: null, ends_at: null, jitter_days: null }] =
      secrets;
    expect(ends).toBe("2026-05-30T12:00:00.000Z");
    const [latest, early] = [Date.parse(ends ?? ""), (jitter ?? Number.NaN) * 86_400_000];
    expect(due).toBe(new Date(Math.floor((latest - early) / 86_400_000) * 86_400_000 + 2 * 3_600_000).toISOString());
  });

  it("shows of one secret everything that decides when it is due", async () => {
    const { stdout } = await repository.ok(["rotation", "status", "prod/api/SESSION_KEY"], at(31));
    expect(stdout).toMatch(/^state +overdue$/m);
    expect(stdout).toMatch(/^interval +30d, over at 2026-03-31 12:00 UTC$/m);
    expect(stdout).toMatch(/^jitter +(?:none|[1-3] days? early, by the name of the secret)$/m);
    expect(stdout).toMatch(/^due +2026-03-\d\d 02:00 UTC, \d+ days? ago$/m);
    expect(stdout).toMatch(/^owner +carol$/m);
    expect(stdout).toMatch(/^next +sealtree rotate prod\/api\/SESSION_KEY$/m);
  });

  it.each(["status", "plan"])(
    "is as a page of %s one that loads and runs nothing, with all text as text",
    async (name) => {
      const { stdout } = await repository.ok(["rotation", name, "--format", "html"], at(31));
      expect(stdout).toContain("default-src 'none'");
      expect(stdout).not.toMatch(/<script|<link|src=|href=|##\[/);
      expect(stdout).toContain("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(stdout).toContain("<caption>April 2026</caption>");
      expect(stdout).toMatch(/<td class="today has due">1 <b>\d+<\/b>/);
      expect(stdout).toContain('<th scope="row">prod/db/PASSWORD</th>');
    },
  );
});

describe("rotation plan", () => {
  it("draws months of a row a week, no wider than 80 columns, with what is due marked in today's", async () => {
    const { stdout, stderr } = await repository.ok(["rotation", "plan", "--format", "months", "--days", "30"], at(27));
    const [title, head, ...weeks] = stdout.split("\n");
    expect([title, head]).toEqual(["March 2026", " Mon       Tue       Wed       Thu       Fri       Sat       Sun"]);
    expect(weeks[0]).toBe(`${" ".repeat(62)}1`);
    expect(weeks[4]).toMatch(/^ 23 {8}24 .*\[28\] \d+!/);
    expect(stdout).toContain("\nApril 2026\n");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stderr).toContain("! due");
    // oxlint-disable-next-line no-control-regex -- the point is that there is none
    expect(stdout).not.toMatch(/\u001b/);
  });

  it("plans what the filters leave, day by day in JSON", async () => {
    const { days } = (
      await repository.ok(["rotation", "plan", "--type", "tokens", "--days", "100", "--json"], at(1))
    ).json<{
      days: { date: string; count: number; rotations: { address: string; at: string; is_next: boolean }[] }[];
    }>();
    expect(days).toMatchObject([{ count: 1, rotations: [{ address: "prod/api/STRIPE_KEY", is_next: true }] }]);
    expect(days[0]?.rotations[0]?.at.slice(0, 10)).toBe(days[0]?.date);
  });
});

describe("rotation rules", () => {
  it("shows which rule holds for which secret, and where each field is from", async () => {
    const { stdout } = await repository.ok(["rotation", "rules"], at(1));
    expect(stdout).toMatch(/^SECRET +TYPE +ROTATOR +INTERVAL +AT +NOTICE +GRACE +ROLLBACK +OWNER$/m);
    expect(stdout).toMatch(/^prod\/api\/NO_RULE +no rule$/m);
    expect(stdout).toMatch(/^prod\/db\/PASSWORD +keys +generate·t +6h +02:00·b +7d·b +1d·b +true·b +carol·d$/m);
  });

  it("lists of one secret every field with its place", async () => {
    const { stdout } = await repository.ok(["rotation", "rules", "prod/api/SESSION_KEY"], at(1));
    expect(stdout).toMatch(/^options +kind, bytes +type keys$/m);
    expect(stdout).toMatch(/^owner +carol +defaults$/m);
    const json = (await repository.ok(["rotation", "rules", "prod/api/SESSION_KEY", "--json"], at(1))).json();
    expect(json).toMatchObject({ secrets: [{ type: "keys", rule: { interval: { text: "30d", from: "type" } } }] });
  });
});
