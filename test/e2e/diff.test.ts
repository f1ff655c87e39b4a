import { beforeAll, describe, expect, it } from "vitest";
import { printValue } from "../../src/cli/print-value.ts";
import { readAudit } from "../../src/audit/read-log.ts";
import { Secret } from "../../src/secret/secret.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

interface Diffed {
  from: string;
  to: string | null;
  scopes: {
    scope: string;
    secrets: { name: string; change: string; moved_from: string | null; before: unknown; after: unknown }[];
    readers: { name: string; change: string; may_read: boolean; can_open: boolean }[];
  }[];
  problems: string[];
}

interface Pairs {
  pairs: { left: string; right: string; secrets: { name: string; state: string }[]; readers: { name: string }[] }[];
}

const file = "secrets/dev/app.yaml";
const noKey = { env: { HOME: "/nonexistent", GIT_CONFIG_GLOBAL: "/dev/null" } };

/** A repository with a tag after each of these imports: scope to dotenv text. */
async function createWith(...steps: (readonly [tag: string, scope: string, text: string])[]): Promise<TestRepository> {
  const repository = await createSealedRepository();
  for (const [tag, scope, text] of steps) await importInto(repository, tag, scope, text);
  return repository;
}

async function importInto(repository: TestRepository, tag: string, scope: string, text: string): Promise<void> {
  await repository.ok(["import", scope, "--format", "dotenv", "--replace", "--yes"], {
    stdin: text.replaceAll(" ", "\n"),
  });
  repository.git("tag", tag);
}

async function diff(repository: TestRepository, ...args: string[]): Promise<Diffed> {
  return (await repository.ok(["diff", ...args, "--json"])).json<Diffed>();
}

const changesOf = ({ scopes }: Diffed) =>
  scopes.flatMap(({ scope, secrets }) => secrets.map(({ name, change }) => `${change} ${scope}/${name}`));

/** Tags: first, rekeyed, second (A set, B removed, D set), prod. What is not committed: E. */
let shared: TestRepository;
beforeAll(async () => {
  shared = await createWith(["first", "dev/app", "A=test-one B=test-b C=test-c"]);
  await shared.ok(["rekey", "dev/app", "--yes"]);
  shared.git("tag", "rekeyed");
  await importInto(shared, "second", "dev/app", "A=test-two C=test-c D=test-d");
  await importInto(shared, "prod", "prod/api", "K=test-k");
  await shared.ok(["set", "dev/app/E", "--stdin", "--no-commit"], { stdin: "line\n\u001b[2J\u202e" });
});

describe("diff", () => {
  it("tells added, removed, another value and sealed again apart, without a key", async () => {
    const result = (await shared.ok(["diff", "first..second", "--json"], noKey)).json<Diffed>();
    expect(changesOf(result)).toEqual([
      "value dev/app/A",
      "removed dev/app/B",
      "resealed dev/app/C",
      "added dev/app/D",
    ]);
    expect(result.scopes[0]?.readers).toEqual([]);
    const { stdout, stderr } = await shared.ok(["diff", "first", "second"], noKey);
    expect(stdout).toMatch(/^dev\/app\n {2}~ {2}A {2}value [0-9a-f]{8} -> value [0-9a-f]{8} {2}set just now/);
    expect(stdout).toMatch(/\n {2}- {2}B {2}.*\n {2}= {2}C {2}.*sealed again, generation .*\n {2}\+ {2}D {2}/);
    expect(stderr).toBe("1 added, 1 removed, 1 with a new value, 1 sealed again\n");
  });

  it("compares HEAD with the work tree, and a commit with it", async () => {
    expect(changesOf(await diff(shared))).toEqual(["added dev/app/E"]);
    expect(changesOf(await diff(shared, "second"))).toEqual(["added dev/app/E", "added prod/api/K"]);
    expect(changesOf(await diff(shared, "prod..second"))).toEqual(["removed prod/api/K"]);
    expect(changesOf(await diff(shared, "first", "rekeyed"))).toEqual(
      ["A", "B", "C"].map((name) => `resealed dev/app/${name}`),
    );
  });

  it("compares with where two branches parted, for three dots", async () => {
    const repository = await createWith(["base", "dev/app", "A=test-a"], ["topic", "dev/app", "A=test-a B=test-b"]);
    repository.git("reset", "--quiet", "--hard", "base");
    await importInto(repository, "other", "dev/app", "A=test-a C=test-c");
    expect(changesOf(await diff(repository, "other...topic"))).toEqual(["added dev/app/B"]);
    expect(changesOf(await diff(repository, "..topic"))).toEqual(["added dev/app/B", "removed dev/app/C"]);
    await repository.ok(["mv", "dev/app/C", "dev/web/M", "--yes"]);
    expect((await diff(repository, "other")).scopes.map(({ secrets }) => secrets[0])).toMatchObject([
      { name: "C", change: "removed", moved_from: null },
      { name: "M", change: "added", moved_from: "dev/app/C" },
    ]);
  });

  it("does not choose one of several places where two branches parted", async () => {
    const repository = await createWith(["base", "dev/app", "A=test-a"], ["left", "dev/app", "A=test-b"]);
    repository.git("checkout", "--quiet", "-B", "right", "base");
    await importInto(repository, "other", "dev/web", "B=test-b");
    const join = (...parents: readonly string[]) =>
      repository.git("commit-tree", "right^{tree}", ...parents.flatMap((it) => ["-p", it]), "-m", "join").trim();
    const [one, two] = [join("left", "other"), join("other", "left")];
    const { code, stderr } = await repository.run(["diff", `${one}...${two}`]);
    expect([code, stderr.includes("more than one place")]).toEqual([7, true]);
    expect((await diff(repository, `${one}..${two}`)).scopes).toEqual([]);
    expect((await diff(repository, `${one}...${join(one, two)}`)).from).toBe(one);
  });

  it("looks at the scopes of a pattern only", async () => {
    const scopesOf = async (...args: string[]) =>
      (await diff(shared, "first", ...args)).scopes.map(({ scope }) => scope);
    expect(await scopesOf("prod/**")).toEqual(["prod/api"]);
    expect(await scopesOf("HEAD", "prod")).toEqual(["prod/api"]);
    expect(await scopesOf("--scope", "dev/app")).toEqual(["dev/app"]);
  });

  it("does not take a scope that neither side has for one without a difference", async () => {
    for (const pattern of ["dev/apq", "nowhere"]) {
      const { code, stdout, stderr } = await shared.run(["diff", "first", "HEAD", pattern]);
      expect([code, stdout, stderr]).toEqual([4, "", expect.stringContaining(`no scope ${pattern} in commit`)]);
    }
    const near = await shared.run(["diff", "first", "dev/apq"]);
    expect(near.stderr).toContain("did you mean dev/app?");
    expect((await shared.ok(["diff", "first", "HEAD", "nowhere/**"])).stderr).toContain("no difference");
  });

  it("does not guess whether a word is a commit or a scope, and never repeats it", async () => {
    shared.git("branch", "dev/app", "first");
    const cases = [
      [["dev/app"], 2, "names both a commit and a scope"],
      [["No such thing"], 4, "neither a commit nor a pattern"],
      [["first..no-such"], 4, "no commit has that name"],
      [["first", "HEAD", "dev/app", "more"], 2, "too many arguments"],
      [["first", "--compare"], 2, "belong to --env"],
      [["--output=x"], 2, "an option is not known"],
    ] as const;
    for (const [args, code, message] of cases) {
      const result = await shared.run(["diff", ...args]);
      expect([args, result.code, result.stderr]).toEqual([args, code, expect.stringContaining(message)]);
      expect(result.stderr).not.toContain("such thing");
    }
    expect(changesOf(await diff(shared, "refs/heads/dev/app", "first"))).toEqual([]);
    shared.git("branch", "--quiet", "-D", "dev/app");
  });

  it("says who gains and who loses read access, by the policy and by the keyring", async () => {
    const repository = await createWith(["first", "dev/app", "A=test-a"]);
    const recipient = (await repository.ok(["keygen", "--x25519", "-o", "../bob.key"])).stdout.trim();
    await repository.ok(["member", "add", "bob", "--recipient", recipient, "--role", "engineer", "--yes"]);
    const readersOf = async (...args: string[]) => (await diff(repository, ...args)).scopes[0]?.readers;
    expect(await readersOf("first")).toEqual([{ name: "bob", change: "gains", may_read: true, can_open: true }]);
    repository.git("tag", "with-bob");
    const policy = repository.read("policies/access.yaml");
    repository.write("policies/access.yaml", policy.replace(/\n {2}bob:.*(?:\n {4}.*)*/, ""));
    expect(await readersOf()).toEqual([{ name: "bob", change: "loses", may_read: false, can_open: true }]);
    expect((await repository.ok(["diff"])).stdout).toContain("its keyring still opens for them: sealtree rekey");
    repository.write("policies/access.yaml", policy);
    await repository.ok(["member", "remove", "bob", "--yes"]);
    expect(await readersOf("with-bob..")).toEqual([{ name: "bob", change: "loses", may_read: false, can_open: false }]);
    expect((await repository.ok(["diff", "with-bob.."])).stdout).toContain("- bob loses read access\n");
    expect(await readersOf("first..")).toEqual([]);
  });

  it("passes over what cannot be read, without a word of it", async () => {
    const good = shared.read(file);
    shared.write(file, `${good}\nPLAIN: canary-value\n`);
    const result = await shared.ok(["diff", "second", "--json"]);
    shared.write(file, good);
    expect(changesOf(result.json<Diffed>())).toEqual(["added prod/api/K"]);
    expect(result.json<Diffed>().problems).toEqual([expect.stringContaining(`passed over dev/app: ${file}:`)]);
    expect(result.stdout + result.stderr).not.toContain("canary-value");
  });

  it("ends with 1 for a difference only when it is asked to, and prints names alone", async () => {
    expect((await shared.run(["diff", "first", "first", "--exit-code"])).code).toBe(0);
    const found = await shared.run(["diff", "--exit-code", "--names-only"]);
    expect([found.code, found.stdout, found.stderr]).toEqual([1, "dev/app/E\n", ""]);
    expect((await shared.run(["diff"])).code).toBe(0);
  });

  it("has colours where somebody wants them", async () => {
    const { stdout } = await shared.ok(["diff"], { env: { FORCE_COLOR: "1" } });
    expect(stdout).toContain("\u001b[32m+\u001b[39m");
    expect((await shared.ok(["diff"])).stdout).not.toContain("\u001b");
  });
});

describe("diff --reveal", () => {
  it("prints both sides escaped, across a rekey, and only with a yes where nobody can be asked", async () => {
    const refused = await shared.run(["diff", "first", "--reveal"]);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    const { stdout } = await shared.ok(["diff", "first", "--reveal", "--yes"]);
    expect(stdout).toContain('      - "test-one"\n      + "test-two"\n');
    expect(stdout).toContain('      + "line\\n\\u001b[2J\\u{202e}"\n');
    expect(stdout).not.toContain("test-c");
    const { scopes } = await diff(shared, "first", "--reveal", "--yes", "--scope", "dev/app");
    expect(scopes[0]?.secrets[0]).toMatchObject({ before: { value: "test-one" }, after: { value: "test-two" } });
    expect(JSON.stringify(scopes)).not.toContain("test-c");
    expect(readAudit(shared.env).at(-1)).toMatchObject({ code: "HBSE-008", operation: "diff", name: "E" });
  });

  it("is refused to who has no key for any of it, and opens nothing where nothing differs", async () => {
    const env = { HOME: `${shared.home}/mallory`, GIT_CONFIG_GLOBAL: "/dev/null" };
    await shared.ok(["keygen", "--x25519"], { env });
    const refused = await shared.run(["diff", "first", "--reveal", "--yes"], { env });
    expect([refused.code, refused.stdout]).toEqual([5, ""]);
    expect((await shared.run(["diff", "first", "first", "--reveal"], noKey)).code).toBe(0);
  });

  it("only counts the bytes of what is no text", () => {
    expect(printValue(Secret.of(Buffer.from([0, 1]), "binary"))).toBe("<binary, 2 bytes>");
    expect(printValue(Secret.text('a\u009b\n"'))).toBe('"a\\u{9b}\\n\\""');
  });
});

describe("diff --env", () => {
  let repository: TestRepository;
  beforeAll(async () => {
    repository = await createWith(
      ["first", "staging/api", "A=test-a SAME=test-same OTHER=test-1"],
      ["second", "prod/api", "SAME=test-same OTHER=test-2"],
      ["third", "prod/web", "C=test-c"],
    );
  });

  it("pairs the scopes of two folders by their paths, and their secrets by name", async () => {
    const { pairs } = (await repository.ok(["diff", "--env", "staging", "prod", "--json"], noKey)).json<Pairs>();
    expect(
      pairs.map((each) => [each.left, each.right, ...each.secrets.map(({ name, state }) => `${state} ${name}`)]),
    ).toEqual([
      ["staging/api", "prod/api", "left A", "both OTHER", "both SAME"],
      ["staging/web", "prod/web", "right C"],
    ]);
    const names = await repository.run(["diff", "--env", "staging/api", "prod/api", "--names-only", "--exit-code"]);
    expect([names.code, names.stdout]).toEqual([1, "staging/api/A\n"]);
  });

  it("tells equal values from others with a key, and shows none", async () => {
    const result = await repository.ok(["diff", "--env", "staging", "prod", "--compare"]);
    expect(result.stdout).toMatch(/ {2}~ {2}OTHER {2}different values\n {2}= {2}SAME {3}equal values\n/);
    expect(result.stdout + result.stderr).not.toMatch(/test-/);
    const refused = await repository.run(["diff", "--env", "staging", "prod", "--compare"], noKey);
    expect([refused.code, refused.stdout]).toEqual([5, ""]);
  });

  it("works on a commit, and names a side that is not there", async () => {
    const args = ["diff", "--env", "staging", "prod", "--at", "second", "--json"];
    expect((await repository.ok(args)).json<Pairs>().pairs).toHaveLength(1);
    const missing = await repository.run(["diff", "--env", "staging", "prd"]);
    expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining("no scope prd in the work tree")]);
    expect((await repository.run(["diff", "--env", "staging"])).code).toBe(2);
  });
});
