import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { reviewJson } from "../../src/cli/review-json.ts";
import { createHostileRepository, outsideText } from "../support/hostile-repository.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import type { CliOptions } from "../support/run-cli.ts";

type Json = ReturnType<typeof reviewJson>;

// oxlint-disable-next-line no-control-regex -- none may be there
const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

let repository: TestRepository;
let start: string;
const forged = { GIT_AUTHOR_NAME: "", GIT_AUTHOR_EMAIL: "eve@example.test" };

async function set(address: string, value: string): Promise<void> {
  await repository.ok(["set", address, "--stdin"], { stdin: value });
}

async function review(range = `${start}..HEAD`, ...words: string[]): Promise<Json> {
  return (await repository.run(["review", range, "--json", ...words])).json();
}

async function print(form: "--markdown" | "--html", options: Partial<CliOptions> = {}): Promise<string> {
  return (await repository.run(["review", `${start}..HEAD`, form], options)).stdout;
}

/** Every change as `kind scope/NAME`. */
function kindsOf({ scopes }: Json): string[] {
  return scopes.flatMap(({ scope, secrets }) => secrets.map(({ name, kind }) => `${kind} ${scope}/${name}`));
}

function commit(message = "test"): string {
  repository.git("add", "-A");
  repository.git("commit", "--quiet", "-m", message);
  return repository.git("rev-parse", "HEAD").trim();
}

function edit(path: string, change: (text: string) => string): void {
  const before = repository.read(path);
  const after = change(before);
  expect(after).not.toBe(before);
  repository.write(path, after);
}

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await set("dev/app/OLD", "test-value-rolled");
  for (const name of ["OLD", "CHANGED", "GONE", "MOVED", "COPIED"]) await set(`dev/app/${name}`, `test-value-${name}`);
  await set("prod/api/KEY", "test-value-prod");
  const { stdout } = await repository.ok(["keygen", "--x25519", "-o", "../bob.key"]);
  await repository.ok(["member", "add", "bob", "--recipient", stdout.trim(), "--role", "engineer", "--yes"]);
  start = repository.git("rev-parse", "HEAD").trim();
});

beforeEach(() => {
  repository.git("checkout", "--quiet", "--force", "-B", "topic", start);
  repository.git("clean", "--quiet", "-ffdx");
});

describe("sealtree review", () => {
  it("tells every kind of change apart, and who made it", async () => {
    await set("dev/app/NEW", "test-value-new");
    await set("dev/app/CHANGED", "test-value-other");
    await repository.ok(["unset", "dev/app/GONE", "--yes"]);
    await repository.ok(["mv", "dev/app/MOVED", "dev/web/ARRIVED", "--yes"]);
    await repository.ok(["cp", "dev/app/COPIED", "dev/web/COPY", "--yes"]);
    await repository.ok(["rollback", "dev/app/OLD", "--to", "1", "--yes"]);
    await repository.ok(["rekey", "prod/api", "--yes"]);
    const report = await review();
    expect(kindsOf(report)).toEqual([
      "changed dev/app/CHANGED",
      "removed dev/app/GONE",
      "added dev/app/NEW",
      "rolled-back dev/app/OLD",
      "moved dev/web/ARRIVED",
      "copied dev/web/COPY",
      "resealed prod/api/KEY",
    ]);
    const [app, web] = report.scopes;
    expect(app?.secrets.map(({ reason }) => reason)).toEqual(["manual", "manual", "manual", "rollback"]);
    expect(app?.secrets[0]?.author).toEqual({ name: "Alice Example", email: "alice@example.test" });
    expect(app?.secrets[3]?.earlier_commit).toMatch(/^[0-9a-f]{40}$/);
    expect(web).toMatchObject({
      scope: "dev/web",
      state: "added",
      secrets: [{ from: { scope: "dev/app", name: "MOVED" } }, {}],
    });
    expect(report.verdict).toBe("attention");
    expect(report.reasons.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["1 secret has an earlier value again", "1 secret is removed"]),
    );
  });

  it("says who gains and who loses, by policy and by keyrings, and what they still know", async () => {
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", `../carol-${Date.now()}.key`]);
    await repository.ok(["member", "add", "carol", "--recipient", stdout.trim(), "--role", "senior-engineer", "--yes"]);
    await repository.ok(["member", "remove", "bob", "--yes"]);
    const report = await review();
    expect(report.access).toMatchObject([
      {
        name: "bob",
        by_policy: { gained: { values: 0 }, lost: { values: 5 } },
        by_keyrings: { lost: { values: 5 } },
        still_known: { by_scope: { "dev/app": 5 } },
      },
      {
        name: "carol",
        by_policy: { gained: { values: 6 } },
        by_keyrings: { gained: { values: 6 } },
        still_known: { values: 0 },
      },
    ]);
    expect(new Set(kindsOf(report))).toEqual(
      new Set(["CHANGED", "COPIED", "GONE", "MOVED", "OLD"].map((name) => `resealed dev/app/${name}`)),
    );
    expect(report.reasons.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^carol gains read access to 6 values in 2 scopes: [a-z]+\/[a-z]+, [a-z]+\/[a-z]+$/),
        "bob still knows 5 values in 1 scope: dev/app; only new values end that: sealtree rotate --exposed-to bob",
      ]),
    );
    const markdown = await print("--markdown");
    expect(markdown).toContain("- carol gains 6 values in 2 scopes");
    expect(markdown).toContain("- bob loses 5 values in 1 scope");
  });

  it("says when the keyrings have not followed the policy, and counts a value that moved to more readers", async () => {
    edit("policies/access.yaml", (text) =>
      text.replace(/(bob: .*)\[engineer\]/, "$1[senior-engineer]").replace(/^version: \d+/m, "version: 9"),
    );
    commit();
    const report = await review();
    expect(report.verdict).toBe("blocked");
    expect(report.access).toMatchObject([
      { name: "bob", by_policy: { gained: { values: 1 } }, by_keyrings: { gained: { values: 0 } } },
    ]);
    expect(await print("--markdown")).toContain("by the policy; the keyrings have not followed");
    repository.git("reset", "--quiet", "--hard", start);
    await repository.ok(["mv", "prod/api/KEY", "dev/app/KEY", "--yes"]);
    expect((await review()).access).toMatchObject([
      { name: "bob", by_policy: { gained: { by_scope: { "dev/app": 1 } } } },
    ]);
  });

  it("notices other bytes under the same value id, and with a key whether the value is another", async () => {
    edit("secrets/prod/api.yaml", (text) => text.replace(/.(?=.{6}\n$)/, (digit) => (digit === "A" ? "B" : "A")));
    commit();
    const { scopes, reasons } = await review();
    expect(scopes[0]?.secrets).toMatchObject([{ kind: "resealed", is_unproven: true }]);
    expect(reasons.map(({ text }) => text).join()).toContain("only a reader can tell whether the value stayed");
    expect((await review(undefined, "--deep")).deep?.remarks).toMatchObject([
      { kind: "broken", secrets: ["prod/api/KEY"] },
    ]);
  });

  it("finds nothing in a range without secrets, and does not call what was there before new", async () => {
    repository.write("README.md", "test\n");
    commit();
    const report = await review();
    expect({ verdict: report.verdict, kinds: kindsOf(report), fresh: report.findings.new }).toEqual({
      verdict: "fine",
      kinds: [],
      fresh: [],
    });
    expect(await print("--markdown")).toContain("No secret changes.");
  });

  it("is blocked by a file that cannot be read, and calls nothing in it removed", async () => {
    edit("secrets/dev/app.yaml", (text) => text.replace(/^CHANGED: .*/m, "CHANGED: test-plain-value"));
    commit();
    const { code, stdout } = await repository.run(["review", `${start}..HEAD`, "--markdown"]);
    expect(code).toBe(1);
    expect(stdout).toContain("scope-file");
    expect(stdout).not.toContain("test-plain-value");
    expect((await repository.run(["review", `${start}..HEAD`, "--exit-zero"])).code).toBe(0);
    const report = await review();
    expect(report.verdict).toBe("blocked");
    expect(report.scopes).toMatchObject([{ scope: "dev/app", is_whole: false, secrets: [] }]);
  });

  it("compares with where the branches parted, and needs a commit in common", async () => {
    await set("dev/app/MINE", "test-value-mine");
    repository.git("checkout", "--quiet", "-B", "other", start);
    await set("dev/app/THEIRS", "test-value-theirs");
    expect(kindsOf(await review("other..topic"))).toEqual(["added dev/app/MINE"]);
    expect(kindsOf(await review("other...topic"))).toEqual(["added dev/app/MINE"]);
    repository.git("checkout", "--quiet", "--orphan", "alone");
    commit();
    const { code, stderr } = await repository.run(["review", "topic..alone"]);
    expect({ code, said: stderr.includes("no commit in common") }).toEqual({ code: 4, said: true });
    repository.git("checkout", "--quiet", "--force", "topic");
  });

  it("looks at the work tree without a head", async () => {
    await repository.ok(["set", "dev/app/LATER", "--stdin", "--no-commit"], { stdin: "test-value-later" });
    const report = await review("HEAD");
    expect(report).toMatchObject({
      head: null,
      scopes: [{ secrets: [{ name: "LATER", kind: "added", commit: null }] }],
    });
    expect((await repository.ok(["review"])).stdout).toContain("not committed");
  });

  it("says in a shallow clone what to fetch", async () => {
    await set("dev/app/NEW", "test-value-new");
    const folder = join(repository.root, "..", `shallow-${Date.now()}`);
    execFileSync(
      "git",
      ["clone", "--quiet", "--depth", "2", `file://${repository.root}`, folder, "--branch", "topic"],
      { stdio: "ignore" },
    );
    const run = (range: string) => repository.run(["review", range, "--json"], { cwd: folder });
    const near = (await run("HEAD~1..HEAD")).json<Json>();
    expect(near.verification.state).toBe("skipped");
    expect(near.warnings.join()).toContain("git fetch --unshallow");
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true");
    const early = repository.git("rev-parse", `${start}~2`).trim();
    execFileSync("git", ["fetch", "--quiet", "--depth", "1", "origin", early], { cwd: folder, stdio: "ignore" });
    const { code, stderr } = await run("FETCH_HEAD..HEAD");
    expect({ code, said: stderr.includes("fetch-depth: 0") }).toEqual({ code: 4, said: true });
  });

  it("needs no identity for the pull request of a fork", async () => {
    await set("dev/app/NEW", "test-value-new");
    const home = join(repository.home, "nobody");
    mkdirSync(home, { recursive: true });
    const alone = { env: { HOME: home } };
    const { code, stdout } = await repository.run(["review", `${start}..HEAD`, "--markdown"], alone);
    expect({ code, made: stdout.includes("Made without a key") }).toEqual({ code: 0, made: true });
    expect((await repository.run(["review", `${start}..HEAD`, "--deep"], alone)).code).toBe(5);
  });

  it("gives nothing that somebody wrote a meaning in Markdown or HTML", async () => {
    const evil =
      "@alice <img src=x onerror=alert(1)> [a](https://evil.test) `x` | **b** #1 \u001b[31m ::error:: \u202e";
    await repository.ok(["set", "dev/app/NEW", "--stdin", "--reason", evil], {
      stdin: "test-value",
      env: { ...forged, GIT_AUTHOR_NAME: evil },
    });
    repository.write("secrets/dev/@alice <b> [a](x) ![i](y) `c`.yaml", "test\n");
    commit(evil);
    for (const form of ["--markdown", "--html"] as const) {
      const text = await print(form);
      const spoken = form === "--markdown" ? text.replaceAll(/(`+)[^`].*?[^`]?\1(?!`)/g, "") : text;
      expect(spoken).not.toMatch(/<(?:img|b|script)\b/);
      expect(text).not.toMatch(raw);
      if (form === "--markdown") expect(spoken).not.toMatch(/@\w|\]\(|https?:\/\/|(?<!&)#\d/);
    }
    const { stdout } = await repository.run(["review", `${start}..HEAD`]);
    expect(stdout).not.toMatch(raw);
  });
});

describe("sealtree review --deep", () => {
  it("names equal, weak and expiring values and false claims, and prints none", async () => {
    const part = (object: unknown) => Buffer.from(JSON.stringify(object)).toString("base64url");
    await set("dev/app/TOKEN", `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: 1_600_000_000 })}.c2lnbmF0dXJl`);
    await set("dev/app/WEAK", "changeme1");
    await set("dev/app/TWIN", "test-value-prod");
    await set("dev/app/CHANGED", "test-value-other");
    await set("dev/app/CHANGED", "test-value-CHANGED");
    const { stdout } = await repository.ok(["review", `${start}..HEAD`, "--deep", "--json"]);
    const { deep } = JSON.parse(stdout) as Json;
    expect(deep?.remarks.map(({ kind, secrets }) => `${kind} ${secrets.join(" ")}`)).toEqual([
      "same-value dev/app/CHANGED",
      "expires dev/app/TOKEN",
      "weak dev/app/WEAK",
      "equal dev/app/TWIN prod/api/KEY",
    ]);
    expect(deep?.remarks.map(({ text }) => text)).toContain("the token in it expired on 2020-09-13");
    for (const value of ["changeme", "test-value"]) expect(stdout).not.toContain(value);
  });

  it("counts what is for others", async () => {
    await set("prod/api/NEW", "test-value-new");
    const bob = { env: { HOME: join(repository.root, "../empty"), SEALTREE_IDENTITY: repository.read("../bob.key") } };
    const { deep } = (await repository.ok(["review", `${start}..HEAD`, "--deep", "--json"], bob)).json<Json>();
    expect(deep).toMatchObject({ opened: 5, closed: 2 });
  });
});

describe("sealtree review of a branch that joins its base in more than one place", () => {
  const reasons = ({ reasons: all }: Json) => all.filter(({ level }) => level === "error").map(({ text }) => text);

  it("is blocked, until the base is merged into it once", async () => {
    repository.git("checkout", "--quiet", "-B", "side");
    repository.write("side.txt", "harmless\n");
    const side = commit();
    repository.git("checkout", "--quiet", "-B", "base", start);
    await repository.ok(["member", "remove", "bob", "--yes"]);
    const removed = repository.git("rev-parse", "HEAD").trim();
    repository.git("merge", "--quiet", "--no-edit", "side");
    const joined = repository.git("commit-tree", `${side}^{tree}`, "-p", side, "-p", removed, "-m", "join").trim();
    repository.git("checkout", "--quiet", "-B", "topic", joined);
    repository.write("README.md", "words\n");
    commit();
    const { code, stdout } = await repository.run(["review", "base..HEAD", "--json"]);
    const report = JSON.parse(stdout) as Json;
    expect([code, report.verdict]).toEqual([1, "blocked"]);
    expect(reasons(report)).toContainEqual(expect.stringContaining("joins the base in more than one place"));
    expect((await repository.run(["review", "base"])).code).toBe(1);
    repository.git("merge", "--quiet", "-s", "ours", "--no-edit", "base");
    const merged = await review("base..HEAD");
    expect(reasons(merged).join()).not.toContain("more than one place");
    expect([merged.base, merged.access.map(({ name }) => name)]).toEqual([
      repository.git("rev-parse", "base").trim(),
      expect.arrayContaining(["bob"]),
    ]);
  });

  it("is not a branch that merged its base, once or several times", async () => {
    repository.write("README.md", "topic\n");
    commit();
    for (const value of ["one", "two"]) {
      repository.git("checkout", "--quiet", "-B", "base", value === "one" ? start : "base");
      await set("dev/app/CHANGED", `test-value-${value}`);
      repository.git("checkout", "--quiet", "topic");
      repository.git("merge", "--quiet", "--no-edit", "base");
      expect(await review("base..HEAD")).toMatchObject({ verdict: "fine", scopes: [] });
    }
    repository.git("checkout", "--quiet", "base");
    await set("dev/app/CHANGED", "test-value-three");
    expect(await review("base..topic")).toMatchObject({ verdict: "fine", scopes: [] });
  });
});

describe("the forms of sealtree review", () => {
  it("are one at a time, and a range names a revision", async () => {
    expect((await repository.run(["review", "--markdown", "--html"])).code).toBe(2);
    expect((await repository.run(["review", ".."])).code).toBe(2);
    expect((await repository.run(["review", "no-such-branch..HEAD"])).code).toBe(4);
  });

  it("say the rotation of what changed, and the required names that are missing", async () => {
    repository.write("policies/rotation.yaml", "secrets:\n  dev/app/CHANGED: { interval: 30d }\n");
    repository.write("policies/schema.yaml", "version: 1\nrules:\n  - scopes: [dev/*]\n    required: [MISSING]\n");
    commit();
    await set("dev/app/CHANGED", "test-value-other");
    const report = await review();
    expect(report.scopes[0]?.secrets[0]?.rotation).toMatchObject({ state: "ok", interval_ms: 30 * 86_400_000 });
    expect(report.rotation).toEqual([
      { scope: "dev/app", name: "CHANGED", kind: "added", changes: [], is_weaker: false },
    ]);
    expect(report.other_files).toEqual(["policies/schema.yaml"]);
    expect(report.findings.new.map(({ rule }) => rule)).toContain("required-name");
    expect(report.verdict).toBe("blocked");
    expect(readdirSync(join(repository.root, "policies"))).toContain("schema.yaml");
  });
});

describe("sealtree review of a hostile repository", () => {
  it("runs no program and prints nothing raw in any form", async () => {
    const hostile = await createHostileRepository();
    try {
      for (const range of ["HEAD~1..HEAD", "HEAD~1", "HEAD"]) {
        for (const form of [[], ["--markdown"], ["--html"], ["--json"]]) {
          const { stdout, stderr } = await hostile.run(["review", range, ...form]);
          expect(stdout + stderr).not.toMatch(raw);
          expect(stdout + stderr).not.toMatch(/^\s*::|##(?:\[|vso\[)|root:/m);
          expect(stdout).not.toContain(outsideText);
          expect(stdout).toContain("stray-file");
          expect(existsSync(hostile.canary)).toBe(false);
        }
      }
    } finally {
      hostile.close();
    }
  }, 60_000);
});
