import { cpSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { printJournal, type Journal } from "../../src/rotation/journal.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { startReceiver, type HttpReceiver, type Received } from "../support/http-receiver.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const dayMs = 86_400_000;
// The reference implementation of webhooks goes by the real time, so these tests are about today.
const todayMs = Date.now();
const daysAgo = (days: number) => ({ now: new Date(todayMs - days * dayMs) });
const keyBytes = Buffer.alloc(32, 7).toString("base64");
const program = (code: string) => [process.execPath, "-e", code];

const policy = `defaults: { owner: carol }
types:
  keys: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }
secrets:
  prod/api/SESSION_KEY: { type: keys }
  prod/api/STRIPE_KEY: { interval: 30d, rotator: manual, owner: alice-example, runbook: docs/stripe.md }
  prod/db/PASSWORD: { type: keys }
  ops/notify/WEBHOOK_KEY: { interval: never }
`;

interface Report {
  counts: Record<string, number>;
  notices: { id: string; kind: string; next: string; secret: { address: string } }[];
  repository: string;
}

let model: TestRepository;
let receiver: HttpReceiver | undefined;

beforeAll(async () => {
  model = await createSealedRepository();
  const values = [
    ["prod/api", 40, "SESSION_KEY=test-a\nSTRIPE_KEY=test-b\n"],
    ["prod/api", 90, "NO_RULE=test-c\n"],
    ["prod/db", 1, "PASSWORD=test-d\n"],
    ["ops/notify", 1, `WEBHOOK_KEY=${keyBytes}\n`],
  ] as const;
  for (const [scope, days, stdin] of values)
    await model.ok(["import", scope, "--merge", "--format", "dotenv", "--yes", "--no-commit"], {
      stdin,
      ...daysAgo(days),
    });
  model.write("policies/rotation.yaml", policy);
});

afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

/** Two values that are overdue, one that is fine, one without a rule, and a key for webhooks. */
function createLate(): TestRepository {
  const repository = createRepository();
  cpSync(model.home, repository.home, { recursive: true });
  cpSync(model.root, repository.root, { recursive: true });
  return repository;
}

function writeJournal(repository: TestRepository, address: string, changes: Partial<Journal>): void {
  const { scope, name } = parseAddress(address);
  const journal: Journal = {
    address: { scope, name },
    run: "0123456789abcdef",
    state: "claimed",
    rotator: "postgres",
    rule: "00112233445566aa",
    reason: "rotation",
    startedAtMs: todayMs - 2 * dayMs,
    lease: undefined,
    rejected: 0,
    base: new Map([[name, "0011223344556677"]]),
    known: ["key-test"],
    pending: undefined,
    previous: undefined,
    ...changes,
  };
  repository.write(`secrets/${scope}.rotation/${name}.yaml`, printJournal(journal));
}

describe("rotation notify", () => {
  it("tells what is overdue and what has no rule, without a key, and ends with 1", async () => {
    const result = await model.run(["rotation", "notify"], { env: { HOME: "/nonexistent" } });
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/^KIND +SECRET +WHEN +OWNER +NEXT\n/);
    expect(result.stdout).toMatch(
      /^overdue +prod\/api\/SESSION_KEY +due .* ago +carol +sealtree rotate prod\/api\/SESSION_KEY$/m,
    );
    expect(result.stdout).toMatch(/^overdue +prod\/api\/STRIPE_KEY .*alice-example +docs\/stripe.md$/m);
    expect(result.stdout).toMatch(/^no-rule +prod\/api\/NO_RULE +set 3 months ago /m);
    expect(result.stdout).not.toContain("PASSWORD");
    expect(result.stderr).toContain("3 secrets: 2 overdue, 1 no-rule");
    expect((await model.run(["rotation", "notify", "--exit-zero"])).code).toBe(0);
    expect((await model.run(["rotation", "notify", "--only", "no-rule,soon"])).code).toBe(0);
  });

  it("has nothing to tell of what is fine, runs nothing then, and ends with 0", async () => {
    const result = await model.ok(["rotation", "notify", "prod/db", "--", ...program("console.log('it ran')")]);
    expect([result.stdout, result.stderr]).toEqual(["", "nothing to tell\n"]);
  });

  it("tells with --since only what became so since then, and the same id in every run", async () => {
    const run = async (...words: string[]) =>
      (await model.ok(["rotation", "notify", "--json", "--exit-zero", ...words])).json<Report>();
    const all = await run();
    expect((await run("--since", "1m")).notices).toEqual([]);
    expect((await run("--since", "60d")).counts).toEqual({ overdue: 2 });
    expect((await run("--since", new Date(todayMs - 60 * dayMs).toISOString())).counts).toEqual({ overdue: 2 });
    expect((await run()).notices.map(({ id }) => id)).toEqual(all.notices.map(({ id }) => id));
    for (const since of ["yesterday", "2999-01-01T00:00:00Z", "0d"])
      expect((await model.run(["rotation", "notify", "--since", since])).code).toBe(2);
  });

  it("tells of a rotation that began and does not end, and not of one in its grace", async () => {
    const repository = createLate();
    writeJournal(repository, "prod/db/PASSWORD", {});
    const stuck = await repository.run(["rotation", "notify", "prod/db", "--json"]);
    expect([stuck.code, stuck.json<Report>().notices]).toMatchObject([
      1,
      [{ kind: "stuck", next: "sealtree rotate prod/db/PASSWORD", secret: { address: "prod/db/PASSWORD" } }],
    ]);
    expect((await repository.ok(["rotation", "status", "--state", "stuck", "--json"])).json()).toMatchObject({
      secrets: [{ state: "ok", flight: { phase: "in-flight", stuck: true } }],
    });
    const page = (await repository.ok(["rotation", "status", "--format", "html"])).stdout;
    expect(page).toMatch(/<tbody>\n<tr><th scope="row">prod\/db\/PASSWORD<\/th>.*stuck in flight, begun 2 days ago/);
    expect(page).toContain('<li class="stuck"><b>1</b>stuck</li>');
    const [, record = ""] = /^PASSWORD: (.*)$/m.exec(repository.read("secrets/prod/db.yaml")) ?? [];
    const values: ReadonlyMap<ReturnType<typeof parseAddress>["name"], string> = new Map([
      [parseAddress("prod/db/PASSWORD").name, record],
    ]);
    const previous = { id: "app_a", values, revokeAfterMs: todayMs + dayMs, awaitsMerge: false };
    writeJournal(repository, "prod/db/PASSWORD", { state: "promoted", known: undefined, previous });
    expect((await repository.ok(["rotation", "notify", "prod/db", "--json"])).json<Report>().notices).toEqual([]);
    expect((await repository.ok(["rotation", "status", "prod/db"])).stdout).toMatch(/ok, grace$/m);
    repository.write("secrets/prod/db.rotation/PASSWORD.yaml", "broken\n");
    expect((await repository.run(["rotation", "notify", "prod/db"])).stdout).toMatch(
      /^stuck .*its journal cannot be read/m,
    );
  });

  it("prints a list to tick off as Markdown, in which nothing that somebody wrote is markup", async () => {
    const repository = createLate();
    repository.write("policies/rotation.yaml", policy.replace("docs/stripe.md", '"@team <b>[x](y)|#1"'));
    const { stdout } = await repository.run(["rotation", "notify", "--markdown"]);
    expect(stdout).toMatch(/^### ⛔ Overdue \(2\)$/m);
    expect(stdout).toMatch(
      /^- \[ \] `prod\/api\/SESSION_KEY`: due .* ago, owner carol; `sealtree rotate prod\/api\/SESSION_KEY`$/m,
    );
    expect(stdout).toContain("runbook `@team <b>[x](y)│#1`; `sealtree set prod/api/STRIPE_KEY`");
    expect((await repository.ok(["rotation", "notify", "prod/db", "--markdown"])).stdout).toContain(
      "Nothing to rotate.",
    );
  });

  it("hands the notices as JSON to a command, with nothing of ours in its environment, and keeps stdout for itself", async () => {
    const code = `
      const message = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
      console.log(message.type, message.data.counts.overdue, process.env.SEALTREE_TEST, process.argv[1]);`;
    const result = await model.run(["rotation", "notify", "--json", "--", ...program(code), "$HOME --json"], {
      env: { SEALTREE_TEST: "test" },
    });
    expect(result.code).toBe(1);
    expect(result.json<Report>().counts).toEqual({ overdue: 2, "no-rule": 1 });
    expect(result.stderr).toContain("rotation.notice 2 undefined $HOME --json\n");
    const failed = await model.run(["rotation", "notify", "--", ...program("process.exit(4)")]);
    expect([failed.code, failed.stderr]).toEqual([9, expect.stringContaining("it ended with 4")]);
  });

  it("sends them, signed with a secret of the repository, to an address of the environment", async () => {
    receiver = await startReceiver({ status: 204 });
    const env = { SEALTREE_WEBHOOK_URL: `${receiver.url}/hook-token-test` };
    const argv = ["rotation", "notify", "--exit-zero", "--webhook-key", "ops/notify/WEBHOOK_KEY"];
    const result = await model.ok(argv, { env });
    await model.ok(argv, { env });
    const [request, again] = receiver.received as [Received, Received];
    const message = new Webhook(keyBytes).verify(request.body, request.headers as Record<string, string>);
    expect(message).toMatchObject({ type: "rotation.notice", data: { counts: { overdue: 2 }, repository: "repo" } });
    expect(again.headers["webhook-id"]).toBe(request.headers["webhook-id"]);
    expect(result.stderr).toMatch(/sent msg_[0-9a-f]{32} to 127\.0\.0\.1:\d+\n/);
    expect(result.stderr).not.toContain("token-test");
    const audit = (await model.ok(["audit", "--json"])).stdout;
    expect(audit).toContain("WEBHOOK_KEY");
    const dry = await model.ok([...argv, "--dry-run"], { env });
    expect(dry.stderr).toContain("would send msg_");
    expect(receiver.received).toHaveLength(2);
  });

  it("tries again, and ends with 9 where it is refused, having told everything nevertheless", async () => {
    receiver = await startReceiver({ status: 503 }, { status: 200 }, { status: 401 });
    const argv = ["rotation", "notify", "--webhook", `${receiver.url}/hook`, "--", ...program("console.log('it ran')")];
    const env = { SEALTREE_WEBHOOK_KEY: keyBytes };
    const taken = await model.run(argv, { env });
    expect([taken.code, taken.stderr]).toEqual([
      1,
      expect.stringMatching(/next try in 1 s\n(.*\n)*sent msg_\w+ .* with 2 tries/),
    ]);
    const refused = await model.run(argv, { env });
    expect(refused.code).toBe(9);
    expect(refused.stdout).toContain("prod/api/STRIPE_KEY");
    expect(refused.stderr).toContain("it ran");
  });

  it("needs a key, and an address that may be used", async () => {
    const without = await model.run(["rotation", "notify", "--webhook", "https://hooks.example.test/"]);
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining("SEALTREE_WEBHOOK_KEY")]);
    const keyed = { env: { SEALTREE_WEBHOOK_KEY: keyBytes } };
    expect((await model.run(["rotation", "notify", "--webhook", "http://hooks.example.test/"], keyed)).code).toBe(2);
    expect((await model.run(["rotation", "notify", "--webhook-key", "ops/notify/WEBHOOK_KEY"])).code).toBe(2);
  });

  it("tells the rest, and of the scope, when one cannot be read, and ends with 6", async () => {
    const repository = createLate();
    repository.write("secrets/prod/db.yaml", "broken\n");
    const result = await repository.run(["rotation", "notify", "--markdown"]);
    expect(result.code).toBe(6);
    expect(result.stdout).toContain("- `prod/db` cannot be read");
    expect(result.stdout).toContain("prod/api/STRIPE_KEY");
  });
});
