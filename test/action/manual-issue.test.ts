import { cpSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listManualItems, printManualList, readManualList, type ManualItem } from "../../src/action/manual-list.ts";
import { act } from "../support/act.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const dayMs = 86_400_000;
const start = Date.parse("2026-03-01T12:00:00Z");
const at = (days: number) => ({ now: new Date(start + days * dayMs) });
const marker = "<!-- sealtree: rotation -->";
const bot = "github-actions[bot]";
const runbook = "docs/stripe.md @everyone ![x](https://evil.test/x.png) <img src=x>";

let github: FakeGithubRepository;
let model: TestRepository;
beforeAll(async () => {
  github = await startFakeGithubRepository();
  model = await createSealedRepository();
  for (const address of ["prod/api/SESSION_KEY", "prod/api/STRIPE_KEY", "prod/api/VENDOR_KEY", "prod/api/NO_RULE"])
    await model.ok(["set", address, "--stdin"], { stdin: `test-${address}`, ...at(0) });
  const policy = model.read("policies/access.yaml");
  model.write("policies/access.yaml", policy.replace("{ roles: [senior", "{ github: alice, roles: [senior"));
  model.write(
    "policies/rotation.yaml",
    `secrets:
  prod/api/SESSION_KEY: { interval: 30d, rotator: generate, options: { kind: hex, bytes: 16 } }
  prod/api/STRIPE_KEY: { interval: 30d, rotator: manual, owner: alice-example, runbook: ${JSON.stringify(runbook)} }
  prod/api/VENDOR_KEY: { interval: 30d, rotator: manual, owner: gone }
`,
  );
  model.git("add", "--all");
  model.git("commit", "--quiet", "-m", "policies");
});
afterAll(async () => await github.stop());
beforeEach(() => {
  github.issues.length = 0;
  github.rights.add("issues");
});

/** Four secrets that were set on 2026-03-01: one for a program, two for people, one without a rule. */
function createTeam(): TestRepository {
  const repository = createRepository();
  cpSync(model.home, repository.home, { recursive: true });
  cpSync(model.root, repository.root, { recursive: true });
  const remote = makeThrowAway("sealtree-remote-");
  repository.git("init", "--quiet", "--bare", remote);
  repository.git("remote", "add", "origin", remote);
  return repository;
}

async function rotate(
  repository: TestRepository,
  days: number,
  inputs: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
) {
  const job = { GITHUB_API_URL: github.url, GITHUB_REPOSITORY: "test-owner/test-name", GITHUB_TOKEN: "test-token" };
  repository.git("push", "--quiet", "--force", "--set-upstream", "origin", "HEAD");
  return await act(
    repository,
    { command: "rotate", issue: "true", ...inputs },
    { event: "schedule", env: { ...job, ...env }, ...at(days) },
  );
}

function linesOf(body: string | undefined): string[] {
  return (body ?? "").split("\n").filter((line) => line.startsWith("- ["));
}

const writes = () => github.requests.filter((request) => /^(?:POST|PATCH) \/repos/.test(request)).length;

describe("rotate with an issue", () => {
  it("rotates what it can, and lists the rest for those whom the policy names", async () => {
    const team = createTeam();
    const result = await rotate(team, 40);
    expect([result.code, result.outputs.get("names"), result.outputs.get("issue")]).toEqual([
      0,
      "prod/api/SESSION_KEY",
      "1",
    ]);
    const [issue] = github.issues;
    expect(issue).toMatchObject({ user: bot, title: "Secrets that somebody has to rotate", assignees: ["alice"] });
    expect(issue?.body.startsWith(`${marker}\n`)).toBe(true);
    const [stripe, vendor] = linesOf(issue?.body);
    expect(stripe).toMatch(
      /^- \[ \] `prod\/api\/STRIPE_KEY`: `overdue, since 2026-03-\d\d 02:00 UTC`, owner alice-example @alice, runbook `/,
    );
    expect(stripe).toContain("; `sealtree set prod/api/STRIPE_KEY`");
    expect(vendor).toMatch(/^- \[ \] `prod\/api\/VENDOR_KEY`: .*, owner gone; `sealtree set prod\/api\/VENDOR_KEY`$/);
    expect(issue?.body).not.toContain("NO_RULE");
    // Outside of code nothing but the login of the policy's own field is a mention, a link or markup.
    const prose = issue?.body.replaceAll(/`[^`\n]*`/g, "").replace(marker, "") ?? "";
    expect(prose.match(/@\S+/g)).toEqual(["@alice,"]);
    expect(prose).not.toMatch(/<|!\[|https?:/);
    expect(github.violations).toEqual([]);
  });

  it("changes nothing from day to day, ticks off what was done, closes it, and opens it again", async () => {
    const team = createTeam();
    await rotate(team, 40);
    const [issue] = github.issues;
    const [body, before] = [issue?.body, writes()];
    await rotate(team, 41);
    expect([issue?.body, writes(), github.issues.length]).toEqual([body, before, 1]);

    await team.ok(["set", "prod/api/STRIPE_KEY", "--stdin"], { stdin: "test-second", ...at(41) });
    expect((await rotate(team, 42)).code).toBe(0);
    expect(linesOf(issue?.body)).toEqual([
      expect.stringContaining("- [ ] `prod/api/VENDOR_KEY`: "),
      "- [x] `prod/api/STRIPE_KEY`: done, seen 2026-04-12",
    ]);

    await team.ok(["set", "prod/api/VENDOR_KEY", "--stdin"], { stdin: "test-second", ...at(42) });
    const done = await rotate(team, 43);
    expect([done.code, done.outputs.has("issue"), issue?.state]).toEqual([0, false, "closed"]);
    expect(linesOf(issue?.body)).toEqual([
      "- [x] `prod/api/VENDOR_KEY`: done, seen 2026-04-13",
      "- [x] `prod/api/STRIPE_KEY`: done, seen 2026-04-12",
    ]);
    expect(issue?.comments).toMatchObject([{ user: bot, body: expect.stringContaining("was done") as string }]);
    const closed = writes();
    await rotate(team, 44);
    expect(writes()).toBe(closed);

    const again = await rotate(team, 90);
    expect([again.outputs.get("issue"), github.issues.length, issue?.state]).toEqual(["1", 1, "open"]);
    expect(linesOf(issue?.body).map((line) => line.slice(0, 5))).toEqual(["- [ ]", "- [ ]"]);
    expect(github.violations).toEqual([]);
  });

  it("tells what the run could not do, also when it ended at once", async () => {
    const team = createTeam();
    team.write("secrets/prod/web.yaml", "not a line of the format\n");
    await rotate(team, 1);
    const [issue] = github.issues;
    expect(linesOf(issue?.body)).toEqual(["- [ ] `prod/web`: the scope cannot be read; `sealtree check`"]);
    team.git("checkout", "--quiet", ".");
    team.git("clean", "-fdq", "secrets");
    const policy = team.read("policies/rotation.yaml");
    team.write("policies/rotation.yaml", "secrets: [\n");
    const broken = await rotate(team, 2);
    expect([broken.code, broken.annotations[0]?.properties["title"]]).toEqual([2, "E_POLICY_INVALID"]);
    expect(linesOf(issue?.body)).toEqual([
      expect.stringMatching(/^- \[ \] `the run`: .*; `sealtree rotate --due`$/),
      "- [ ] `prod/web`: not known to be done, since the last run could not look; `sealtree rotate --due`",
    ]);
    team.write("policies/rotation.yaml", policy);
    expect([(await rotate(team, 3)).code, issue?.state]).toEqual([0, "closed"]);
    expect(linesOf(issue?.body)).toEqual([
      "- [x] `the run`: done, seen 2026-03-04",
      "- [x] `prod/web`: done, seen 2026-03-04",
    ]);
  });

  it("has a rotation that failed at its provider, and one that is stuck, until they are over", async () => {
    const team = createTeam();
    const policy = team.read("policies/rotation.yaml");
    const failing = "{ interval: 30d, rotator: exec, options: { kind: chosen, command: ['false'] } }";
    team.write(
      "policies/rotation.yaml",
      policy.replace(/ {2}prod\/api\/VENDOR_KEY: .*/, `  prod/api/VENDOR_KEY: ${failing}`).replace("owner: gone", ""),
    );
    team.git("commit", "--quiet", "--all", "-m", "policies");
    expect((await rotate(team, 40)).code).toBe(8);
    const [issue] = github.issues;
    expect(linesOf(issue?.body)).toEqual([
      expect.stringContaining("- [ ] `prod/api/STRIPE_KEY`: "),
      expect.stringMatching(/^- \[ \] `prod\/api\/VENDOR_KEY`: `failed: .*; `sealtree rotate prod\/api\/VENDOR_KEY`$/),
    ]);
    // A run that does not get to it has not done it, nor has one that ends at once.
    team.write("policies/rotation.yaml", "secrets: [\n");
    await rotate(team, 41);
    expect(linesOf(issue?.body).filter((line) => line.startsWith("- [x]"))).toEqual([]);
    expect(issue?.body).toContain("`prod/api/VENDOR_KEY`: not known to be done, since");
    team.write(
      "policies/rotation.yaml",
      policy
        .replaceAll("rotator: manual", "rotator: manual, interval: 900d")
        .replaceAll("{ interval: 30d, rotator: manual", "{ rotator: manual"),
    );
    team.write("secrets/prod/api.rotation/STRIPE_KEY.yaml", "not a journal\n");
    await rotate(team, 42);
    expect(linesOf(issue?.body).join("\n")).toContain(
      "- [ ] `prod/api/STRIPE_KEY`: the journal of its rotation cannot be read",
    );
  });

  it("leaves the issue alone in a dry run, in a run of single scopes, and where nothing was ever due", async () => {
    const team = createTeam();
    await rotate(team, 40, { "dry-run": "true" });
    await rotate(team, 40, { scopes: "prod/api/SESSION_KEY" });
    await rotate(team, 40, { issue: "false" });
    await rotate(createTeam(), 1);
    expect(github.issues).toEqual([]);
  });

  it("says that there is no token before anything is rotated", async () => {
    const team = createTeam();
    const head = team.git("rev-parse", "HEAD");
    const result = await rotate(team, 40, {}, { GITHUB_TOKEN: "" });
    expect([result.code, result.annotations[0]?.message, team.git("rev-parse", "HEAD")]).toEqual([
      2,
      expect.stringContaining("the step has no token of GitHub"),
      head,
    ]);
  });

  it("fails when GitHub cannot be asked, although nothing is due", async () => {
    const result = await rotate(createTeam(), 1, {}, { GITHUB_API_URL: "http://127.0.0.1:9" });
    expect(result.code).toBe(9);
  });

  it("rotates all the same when GitHub cannot be asked, and fails for the issue", async () => {
    for (const env of [{ GITHUB_API_URL: "http://127.0.0.1:9" }, {}]) {
      const team = createTeam();
      if (!("GITHUB_API_URL" in env)) github.rights.delete("issues");
      team.write(
        "policies/rotation.yaml",
        team.read("policies/rotation.yaml").replaceAll("30d, rotator: manual", "900d, rotator: manual"),
      );
      team.write("secrets/prod/web.yaml", "not a line of the format\n");
      const result = await rotate(team, 40, {}, env);
      expect([result.code, result.outputs.get("names"), result.outputs.has("issue")]).toEqual([
        8,
        "prod/api/SESSION_KEY",
        false,
      ]);
      expect(result.annotations.map(({ message }) => message)).toContainEqual(
        expect.stringContaining("the issue was not written"),
      );
    }
  });
});

describe("the issue of somebody else", () => {
  it("is never taken for ours, and what others write into ours is not kept", async () => {
    const theirs = github.openIssue({
      user: "mallory",
      title: "x",
      body: `${marker}\n- [ ] \`prod/api/STRIPE_KEY\`: x`,
    });
    const team = createTeam();
    await rotate(team, 40);
    expect([theirs.body.endsWith(": x"), github.issues.length]).toEqual([true, 2]);
    const ours = github.issues[1];
    if (ours === undefined) throw new Error("there is no issue of ours");
    const { body } = ours;
    ours.body = `${body.replaceAll("- [ ]", "- [x]")}\n- [ ] \`a/@org/team\`: @org/team\n- [x] \`a/b\`: done, seen @org\n<script>`;
    await rotate(team, 41);
    expect(ours.body).toBe(`${body}\n- [x] \`a/b\`: done, seen 2026-04-11`);
  });
});

describe("the list of what people have to do", () => {
  const people = { admins: [], loginOf: (name: string) => (name === "alice" ? "alice-login" : undefined) };
  const none = new Map<string, string>();
  const item = (number: number): ManualItem => ({ what: `prod/api/KEY_${number}`, text: "due", login: undefined });

  it("has failures of the run with the command to type, each thing once", () => {
    const failures = [
      { what: "target vault", reason: "target: it does not let us in" },
      { what: "target vault", reason: "twice" },
      { what: "prod/api/KEY", reason: "failed: @org/team ![x](y)" },
    ];
    const status = { entries: [], unreadable: [] };
    const items = listManualItems({ status, failures, isComplete: true, now: new Date(start) }, people);
    expect(items.map(({ what, text }) => `${what}: ${text}`)).toEqual([
      "target vault: `target: it does not let us in`; `sealtree rotate --due`",
      "prod/api/KEY: `failed: @org/team ![x](y)`; `sealtree rotate --due`",
    ]);
  });

  it("fits what GitHub takes, however much there is", () => {
    const items = Array.from({ length: 3000 }, (_all, index) => ({ ...item(index), text: "x".repeat(500) }));
    const first = printManualList(items, none, "2026-03-01");
    expect(first.length).toBeLessThan(60_000);
    expect(first).toContain("and 2920 more");
    const later = printManualList([], readManualList(first), "2026-03-02");
    expect(linesOf(later).length).toBe(40);
  });

  it("reads what it wrote, with line ends as GitHub gives them back", () => {
    const before = printManualList([item(1), item(2)], none, "2026-03-01").replaceAll("\n", "\r\n");
    const after = printManualList([item(2)], readManualList(before), "2026-03-02");
    expect(linesOf(after)).toEqual(["- [ ] `prod/api/KEY_2`: due", "- [x] `prod/api/KEY_1`: done, seen 2026-03-02"]);
    expect(printManualList([item(2)], readManualList(after), "2026-03-09")).toBe(after);
  });
});
