import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { createRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;
/** Reads dev, and not prod. */
let bob: Readonly<Record<string, string>>;

const nasty = "test \"quoted\" 'value': # \n second\tline \\ é";

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  const key = join(repository.home, "bob.key");
  const recipient = (await repository.ok(["keygen", "--x25519", "-o", key])).stdout.trim();
  await repository.ok(["member", "add", "bob", "--recipient", recipient, "--role", "engineer", "--yes"]);
  bob = { SEALTREE_IDENTITY_FILE: key, XDG_CONFIG_HOME: join(repository.home, "bob") };
  await importInto("prod/db", { PASSWORD: "test-db-password", NASTY: nasty, RAW: "{$}" });
  await importInto("dev/db", { PASSWORD: "test-dev-password" });
  await importInto("prod/api", {
    URL: "postgres://app:${secret:prod/db/PASSWORD}@${secret:dev/db/PASSWORD}/x",
    AGAIN: "again ${secret:prod/api/URL}",
    SAME: "${secret:prod/db/NASTY}",
    ESCAPED: "$${secret:prod/db/PASSWORD} ${HOME} $${HOME}",
    PLAIN: "test $${HOME} ${secrets:x}",
  });
  await importInto("dev/web", { LEAK: "${secret:prod/db/PASSWORD}", OWN: "x" });
  await importInto("dev/two", { THROUGH: "${secret:dev/between/X}" });
  await importInto("dev/between", { X: "${secret:prod/db/PASSWORD}" });
  await importInto("prod/loop", {
    A: "a${secret:prod/loop/B}",
    B: "b${secret:prod/loop/C}",
    C: "c${secret:prod/loop/B}",
    SELF: "${secret:prod/loop/SELF}",
  });
  await importInto("prod/gone", {
    A: "${secret:prod/db/PASSWORT} ${secret:prod/no/X}",
    B: "${secret:prod/gone/NONE}",
    BROKEN: "line\n ${secret:nowhere}",
  });
  repository.write(".gitignore", "out/\n");
});

async function importInto(scope: string, values: Readonly<Record<string, string>>): Promise<void> {
  await repository.ok(["import", scope, "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
}

async function exported(scope: string, env: Readonly<Record<string, string>> = {}) {
  return await repository.run(["export", scope, "--format", "json"], { env });
}

describe("references in values", () => {
  it("are resolved by export, one through another", async () => {
    expect((await exported("prod/api")).json()).toEqual({
      URL: "postgres://app:test-db-password@test-dev-password/x",
      AGAIN: "again postgres://app:test-db-password@test-dev-password/x",
      SAME: nasty,
      ESCAPED: "${secret:prod/db/PASSWORD} ${HOME} $${HOME}",
      PLAIN: "test $${HOME} ${secrets:x}",
    });
  });

  it("are resolved by run, which masks the whole and the parts", async () => {
    const script = 'echo "$URL"; echo test-db-password; printf %s "$SAME" | wc -c';
    const result = await repository.run(["run", "prod/api", "--", "sh", "-c", script]);
    expect(result.stderr).toBe("");
    expect(result.stdout).toBe(`[masked]\n[masked]\n${Buffer.byteLength(nasty)}\n`);
  });

  it("are shown as they are stored by get and decrypt", async () => {
    const stored = "again ${secret:prod/api/URL}";
    expect((await repository.ok(["get", "prod/api/AGAIN", "--reveal", "--yes"])).stdout).toBe(stored);
    expect((await repository.ok(["decrypt", "prod/api", "--yes"])).stdout).toContain(stored);
  });

  it("put every secret that was opened into the audit log", async () => {
    await repository.ok(["export", "prod/api", "--only", "AGAIN", "--format", "json"]);
    const { stdout } = await repository.ok(["audit", "--json"]);
    for (const part of ["AGAIN", "URL", "PASSWORD"]) expect(stdout).toContain(part);
  });

  it("may not lead out of a scope to where not all of its readers can follow", async () => {
    const result = await exported("dev/web");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain(
      "dev/web/LEAK may not refer to prod/db/PASSWORD: bob can read dev/web and not prod/db/PASSWORD",
    );
    expect((await exported("dev/web", bob)).code).toBe(5);
    expect((await repository.ok(["export", "dev/web", "--only", "OWN", "--format", "json"])).json()).toEqual({
      OWN: "x",
    });
  });

  it("may not do so through a scope in between either", async () => {
    expect((await exported("dev/two")).stderr).toContain("dev/between/X may not refer to prod/db/PASSWORD");
  });

  it("may refer to what all readers can read", async () => {
    await importInto("dev/open", { OK: "${secret:dev/db/PASSWORD}" });
    expect((await exported("dev/open", bob)).json()).toEqual({ OK: "test-dev-password" });
  });

  it("of a drop are refused until a reader has adopted it", async () => {
    const policy = repository.read("policies/access.yaml");
    const version = Number(/^version: (\d+)/m.exec(policy)?.[1]);
    const role = `  writer:\n    grants:\n      - { scopes: ["**"], allow: [write] }\n`;
    const key = join(repository.home, "wendy.key");
    repository.write("policies/members/wendy.pub", (await repository.ok(["keygen", "--x25519", "-o", key])).stdout);
    repository.write(
      "policies/access.yaml",
      policy
        .replace(/^version: .*$/m, `version: ${version + 1}`)
        .replace("members:\n", "members:\n  wendy: { roles: [writer] }\n")
        .replace("  analyst:\n", `${role}  analyst:\n`),
    );
    const env = { SEALTREE_IDENTITY_FILE: key, XDG_CONFIG_HOME: join(repository.home, "wendy") };
    await repository.ok(["set", "prod/dropped/X", "--stdin"], { stdin: "first test value" });
    await repository.ok(["set", "prod/dropped/LURE", "--stdin"], { stdin: "${secret:prod/dropped/X}", env });
    const result = await exported("prod/dropped");
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain("sealtree adopt prod/dropped");
    await repository.ok(["adopt", "prod/dropped", "--yes"]);
    expect((await exported("prod/dropped")).json()).toMatchObject({ LURE: "first test value" });
  });

  it("in a circle are refused with the circle", async () => {
    const line = ["export", "prod/loop", "--format", "json", "--only"];
    const result = await repository.run([...line, "A"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("prod/loop/B -> prod/loop/C -> prod/loop/B\n");
    expect((await repository.run([...line, "SELF"])).stderr).toContain("prod/loop/SELF -> prod/loop/SELF");
  });

  it("cannot make a value of more than a mebibyte, or go deeper than 32 levels", async () => {
    const laughs = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `L${index}`,
        index === 0 ? "test-ha-ha" : `\${secret:prod/laughs/L${index - 1}}`.repeat(10),
      ]),
    );
    await importInto("prod/laughs", laughs);
    expect((await exported("prod/laughs")).stderr).toMatch(/L6: with its references, its value would have more than/);
    const chain = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `C${index}`,
        index === 39 ? "x" : `\${secret:prod/chain/C${index + 1}}`,
      ]),
    );
    await importInto("prod/chain", chain);
    expect((await exported("prod/chain")).stderr).toContain("prod/chain/C0 refers to others more than 32 deep");
  });

  it("pass a binary value on when they stand alone, and refuse it within text", async () => {
    const bytes = Uint8Array.of(0, 255, 1);
    await repository.ok(["set", "prod/bin/RAW", "--stdin"], { stdin: bytes });
    await importInto("prod/bin", { ALONE: "${secret:prod/bin/RAW}" });
    expect((await exported("prod/bin")).json()).toMatchObject({ ALONE: { $binary: "AP8B" } });
    await importInto("prod/bin", { WITHIN: "x${secret:prod/bin/RAW}" });
    expect((await exported("prod/bin")).stderr).toContain("prod/bin/WITHIN has a binary value within text");
  });

  it("that cannot be resolved are listed all at once", async () => {
    const line = ["export", "prod/gone", "--format", "json", "--only"];
    const result = await repository.run([...line, "A,B"]);
    expect(result).toMatchObject({ code: 4, stdout: "" });
    expect(result.stderr).toContain("3 references cannot be resolved");
    expect(result.stderr).toContain("prod/gone/A: prod/db/PASSWORT: no such secret, did you mean PASSWORD?");
    expect(result.stderr).toContain("prod/gone/A: prod/no/X: no such scope");
    expect(result.stderr).toContain("prod/gone/B: prod/gone/NONE: no such secret");
    const broken = await repository.run([...line, "BROKEN"]);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain("the value of prod/gone/BROKEN begins at line 2, column 2 as a reference does");
  });
});

describe("check --deep", () => {
  it("finds references that are dangling, in a circle, malformed or lead out, each at its line", async () => {
    const { findings } = (await repository.run(["check", "--deep", "--json"])).json<{
      findings: { rule: string; message: string; file: string; line: number }[];
    }>();
    const found = findings.filter(({ rule }) => rule === "reference").map(({ file, message }) => [file, message]);
    for (const [scope, message] of [
      ["dev/web", "dev/web/LEAK may not refer to prod/db/PASSWORD: bob can read dev/web and not prod/db/PASSWORD"],
      ["prod/gone", "prod/gone/A refers to prod/no/X, which is not there"],
      ["prod/gone", "prod/gone/B refers to prod/gone/NONE, which is not there"],
      ["prod/loop", "values refer to each other in a circle: prod/loop/SELF -> prod/loop/SELF"],
    ])
      expect(found).toContainEqual([`secrets/${scope ?? ""}.yaml`, message]);
    expect(found.filter(([file]) => file === "secrets/prod/api.yaml")).toEqual([]);
    expect(found.filter(([file]) => file === "secrets/dev/two.yaml")).toEqual([]);
  });

  it("and review --deep say so of what changed", async () => {
    const before = repository.git("rev-parse", "HEAD").trim();
    const same = "${secret:prod/db/PASSWORD}";
    await importInto("prod/new", { X: "${secret:prod/new/NOT_THERE}", Y: same });
    await repository.ok(["set", "prod/new/Z", "--stdin"], { stdin: same });
    const line = ["review", `${before}..HEAD`, "--deep", "--exit-zero"];
    const { stdout } = await repository.ok(line);
    expect(stdout).toContain("prod/new/X refers to prod/new/NOT_THERE, which is not there");
    expect(stdout).not.toMatch(/prod\/new\/Y refers|they have one value/);
  });
});

describe("rotate", () => {
  it("says what refers to the secret and changes with it", async () => {
    const line = ["rotate", "prod/db/PASSWORD", "--generate", "password", "--yes", "--dry-run"];
    const { stderr } = await repository.ok(line);
    for (const name of ["prod/api/URL", "prod/api/AGAIN", "dev/web/LEAK"])
      expect(stderr).toContain(`${name} refers to prod/db/PASSWORD and changes with it\n`);
    expect(stderr).not.toContain("ESCAPED");
    const { dependents } = (await repository.ok([...line, "--json"])).json<{
      dependents: { address: string; dependents: string[] }[];
    }>();
    expect(dependents.map(({ address }) => address)).toEqual(["prod/db/PASSWORD"]);
    expect(dependents[0]?.dependents).toContain("prod/api/AGAIN");
  });
});

describe("render", () => {
  const template = `# config\nurl: \${secret:prod/api/URL}   # the database\nnasty: "<\${secret:prod/db/NASTY}>"\n`;

  it("puts values into a file, quoted, and leaves the rest as it is", async () => {
    repository.write("config.yaml", template);
    const { stdout, stderr } = await repository.ok(["render", "config.yaml"]);
    expect(stdout).toContain(`# config\nurl: postgres://app:test-db-password@test-dev-password/x   # the database\n`);
    expect(parseYaml(stdout)).toMatchObject({ nasty: `<${nasty}>` });
    expect(stderr).toBe("");
  });

  it("writes a file that only the owner may read, whole, where git does not take it", async () => {
    repository.write("config.yaml", template);
    expect((await repository.run(["render", "config.yaml", "-o", "rendered.yaml"])).stderr).toContain(
      "git add would take it",
    );
    expect(existsSync(join(repository.root, "rendered.yaml"))).toBe(false);
    repository.write("out/config.yaml", "old");
    const result = await repository.ok(["render", "config.yaml", "-o", "out/config.yaml", "--json"]);
    expect(result.json()).toMatchObject({ format: "yaml", file: join(repository.root, "out/config.yaml"), text: null });
    expect(result.stdout).not.toContain("test-db-password");
    const path = join(repository.root, "out/config.yaml");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(parseYaml(readFileSync(path, "utf8"))).toMatchObject({ nasty: `<${nasty}>` });
  });

  it("lists everything that is missing with its line, and writes nothing", async () => {
    const text = `A=\${secret:prod/db/NONE}\nB=\${secret:prod/db/PASSWORD}\nC="\${secret:no/where/X} \${secret:prod/gone/A}"\nD=\${secret:prod/db/NONE}\n`;
    repository.write("some.env", text);
    const result = await repository.run(["render", "some.env", "-o", "out/some.env"]);
    expect(result).toMatchObject({ code: 4, stdout: "" });
    for (const line of [
      "some.env:1: prod/db/NONE: no such secret",
      "some.env:3: no/where/X: no such scope",
      "prod/gone/A: prod/no/X: no such scope",
      "some.env:4: prod/db/NONE: no such secret",
    ])
      expect(result.stderr).toContain(line);
    expect(result.stderr).not.toContain("test-db-password");
    expect(existsSync(join(repository.root, "out/some.env"))).toBe(false);
    const json = await repository.run(["render", "some.env", "--json"]);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: "E_REFERENCE_MISSING", exit: 4, file: "some.env", line: 1 },
    });
  });

  it("says no access when that is the reason for all", async () => {
    const stdin = "a: ${secret:prod/db/PASSWORD}";
    const result = await repository.run(["render", "-", "--format", "yaml"], { stdin, env: bob });
    expect(result).toMatchObject({ code: 5, stdout: "" });
    expect(result.stderr).toContain("stdin:1: prod/db/PASSWORD: none of your identities opens it");
  });

  it("only looks with --check", async () => {
    repository.write("config.yaml", template);
    const result = await repository.ok(["render", "config.yaml", "--check"]);
    expect(result).toMatchObject({ stdout: "", stderr: "2 references in config.yaml, all can be resolved\n" });
    expect((await repository.run(["render", "some.env", "--check"])).code).toBe(4);
  });

  it("needs no key and no values for a file without references", async () => {
    const stdin = "a: $${secret:x}\n";
    const env = { HOME: join(repository.home, "nobody") };
    expect((await repository.ok(["render", "-", "--format", "yaml"], { stdin, env })).stdout).toBe(
      'a: "${secret:x}"\n',
    );
  });

  it("refuses a binary value, what is no reference, and to write over the template", async () => {
    const render = async (stdin: string) => await repository.run(["render", "-", "--format", "text"], { stdin });
    expect((await render("\n${secret:prod/bin/RAW}")).stderr).toContain("stdin:2: prod/bin/RAW is binary");
    expect((await render("${secret:x}")).code).toBe(2);
    expect((await repository.run(["render", "config.yaml", "-o", "config.yaml"])).code).toBe(2);
    expect((await repository.run(["render", "-"])).code).toBe(2);
  });

  it("reads the values of an earlier commit", async () => {
    await importInto("prod/old", { V: "test-first-value" });
    const first = repository.git("rev-parse", "HEAD").trim();
    await importInto("prod/old", { V: "test-second-value" });
    const line = ["render", "-", "--format", "text", "--at", first];
    expect((await repository.ok(line, { stdin: "${secret:prod/old/V}" })).stdout).toBe("test-first-value");
  });
});

describe("run --dotenv", () => {
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    await repository.run(["run", ...args], { env });

  beforeAll(() => {
    repository.write(
      "one.env",
      `URL=\${secret:prod/api/URL}\nPORT=3000\nOVER="first"\nNASTY='<\${secret:prod/db/NASTY}>'\n`,
    );
    repository.write("two.env", "OVER=second\nPASSWORD=from-the-file\n");
  });

  it("gives names and values without a scope", async () => {
    const print = "process.stdout.write(JSON.stringify([process.env.URL, process.env.PORT, process.env.NASTY]))";
    const result = await run(["--dotenv", "one.env", "--no-mask", "--", process.execPath, "-e", print]);
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual([
      "postgres://app:test-db-password@test-dev-password/x",
      "3000",
      `<${nasty}>`,
    ]);
  });

  it("goes before the scopes, they before the environment, and a later file before an earlier one", async () => {
    const script = 'echo "$OVER $PASSWORD $RAW $MINE"';
    const line = ["--dotenv", "one.env", "prod/db", "--dotenv=two.env", "--no-mask", "--", "sh", "-c", script];
    const result = await run(line, { OVER: "mine", PASSWORD: "mine", RAW: "mine", MINE: "mine" });
    expect(result).toMatchObject({ stdout: "second from-the-file {$} mine\n", stderr: "" });
  });

  it("masks what came from secrets, and not what stands in the file in plain", async () => {
    const script = 'echo "$URL $OVER"; echo "x $NASTY"; echo test-db-password';
    const result = await run(["--dotenv", "one.env", "--", "sh", "-c", script]);
    expect(result.stdout).toBe("[masked] first\nx [masked]\n[masked]\n");
  });

  it("works where there is no repository, for a file without references", async () => {
    const result = await repository.run(
      ["run", "--dotenv", join(repository.root, "two.env"), "--no-mask", "--", "printenv", "OVER"],
      {
        cwd: repository.home,
      },
    );
    expect(result.stdout).toBe("second\n");
  });

  it("is not called --env-file, which Node would read before sealtree begins", async () => {
    for (const words of [["--env-file", "two.env"], ["--env-file=two.env"], ["--env-file-if-exists=two.env"]]) {
      const refused = await repository.run(["run", ...words, "--", "true"]);
      expect(refused).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("sealtree run --dotenv FILE") as string,
      });
    }
    const theirs = await repository.run(["run", "--dotenv", "two.env", "--no-mask", "--", "echo", "--env-file=x"]);
    expect(theirs.stdout).toBe("--env-file=x\n");
  });

  it("refuses names that change how programs load, missing references and no source at all", async () => {
    repository.write("bad.env", "NODE_OPTIONS=--inspect\n");
    const refused = await repository.run(["run", "--dotenv", "bad.env", "--", "true"]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("NODE_OPTIONS of bad.env is not handed over");
    repository.write("gone.env", "A=1\nB=${secret:prod/db/NONE}\n");
    const gone = await repository.run(["run", "--dotenv", "gone.env", "--dotenv", "two.env", "--", "true"]);
    expect(gone).toMatchObject({ code: 4 });
    expect(gone.stderr).toContain("gone.env:2: prod/db/NONE: no such secret");
    expect((await repository.run(["run", "--", "true"])).code).toBe(2);
    expect((await repository.run(["run", "--dotenv", "none.env", "--", "true"])).code).toBe(4);
  });
});

describe("after a member is removed", () => {
  it("values may refer to what those who stayed can read", async () => {
    await repository.ok(["member", "remove", "bob", "--yes"]);
    await repository.ok(["rekey", "--yes"]);
    expect((await repository.ok(["export", "dev/web", "--format", "json"])).json()).toEqual({
      LEAK: "test-db-password",
      OWN: "x",
    });
  });
});
