import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { nastyValues } from "../../support/nasty-values.ts";
import { createSealedRepository, type TestRepository } from "../../support/repository.ts";
import { makeThrowAway } from "../../support/throw-away.ts";
import { otherRecipient, testIdentity, testRecipient } from "../../vectors/test-keys.ts";
import { flatten, readScopeBytes } from "./flat-values.ts";

let repository: TestRepository;
let folder: string;
let keys: string;

beforeAll(async () => {
  repository = await createSealedRepository();
  folder = makeThrowAway("sealtree-sops-");
  keys = join(folder, "keys.txt");
  writeFileSync(keys, `${testIdentity}\n`);
});

function sops(args: readonly string[], input?: Buffer): Buffer {
  return execFileSync("sops", args, {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", SOPS_AGE_KEY_FILE: keys, SOPS_DISABLE_VERSION_CHECK: "1", HOME: folder },
    ...(input === undefined ? {} : { input }),
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
}

function sealByRule(name: string, plain: string, rule: string): string {
  writeFileSync(join(folder, `${name}.rules`), `creation_rules:\n  - ${rule}\n`);
  writeFileSync(join(folder, name), plain);
  writeFileSync(join(folder, name), sops(["--config", `${name}.rules`, "encrypt", name]));
  return join(folder, name);
}

function seal(name: string, plain: string | Buffer, ...args: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, plain);
  writeFileSync(path, sops(["encrypt", "--age", testRecipient, ...args, name]));
  return path;
}

async function importFrom(scope: string, file: string, ...args: readonly string[]) {
  return await repository.run(["import", scope, file, "--from", "sops", "--keys", keys, "--yes", ...args]);
}

/** What sops itself reads, as text where we keep text. */
function expectSame(read: ReadonlyMap<string, Buffer>, data: unknown): void {
  const wanted = flatten(data);
  expect([...read.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
  for (const [path, value] of wanted) {
    const text = read.get(path)?.toString("utf8") ?? "";
    expect([path, typeof value === "number" ? Number(text) : text]).toEqual([
      path,
      typeof value === "number" ? value : String(value),
    ]);
  }
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,11}$/).filter((it) => it !== "sops" && it !== "__proto__");
const text = fc.oneof(
  fc.constantFrom(...nastyTexts()),
  fc.string({ unit: "binary", maxLength: 40 }).filter((it) => !/[\p{Cc}\p{Surrogate}\ufeff\ufffe\uffff]/u.test(it)),
);
const leaf = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.dictionary(name, tie("node"), { minKeys: 1, maxKeys: 6, noNullPrototype: true }),
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(name, tie("node"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function nastyTexts(): string[] {
  return [
    "WORD",
    "OCTAL",
    "GROUPED",
    "CRLF",
    "EMOJI",
    "SPACES",
    "NEWLINES",
    "QUOTES",
    "DOLLARS",
    "BACKSLASHES",
    "PEM",
    "COMMENT",
    "COLON",
  ].map((it) => nastyValues[it]?.toString("utf8") ?? "");
}

describe("files that sops sealed", () => {
  test.each(["json", "yaml"] as const)("%s of generated trees is imported value by value", async (format) => {
    const samples = fc.sample(tree, { seed: 20_260_101, numRuns: 12 });
    const all = Object.fromEntries(samples.map((sample, index) => [`tree_${index}`, sample]));
    const file = seal(`trees.${format}`, JSON.stringify(all));
    const scope = `dev/trees-${format}`;
    expect(await importFrom(scope, file)).toMatchObject({ code: 0 });
    const opened: unknown = JSON.parse(sops(["decrypt", "--output-type", "json", file]).toString("utf8"));
    expectSame(await readScopeBytes(repository, scope), opened);
  });

  test("a yaml file with comments, types and documents keeps all that is a value", async () => {
    const plain = [
      "# about a\na: text # behind a\n# about db\ndb:\n    # about user\n    user: joe\n    port: 5432\n    hosts:\n",
      "        # about one\n        - one\n        - 2\n        - k: v\nf: 1.5\nbig: 1e20\nyes_: true\nwhen: 2001-12-14T21:59:43Z\n",
      "gone: null\nempty: ''\nbin: !!binary aGVsbG8=\nhex: 0x1F\noctal: 0o17\nlines: |\n    l1\n    l2\n---\nsecond: document\n",
    ].join("");
    const file = seal("typed.yaml", plain);
    const result = await importFrom("dev/typed", file, "--comments", "--json");
    const values = result.json<{ values: { name: string; type: string; comments: number }[]; verified: number }>();
    expect(values.verified).toBe(16);
    expect(Object.fromEntries(values.values.map((it) => [it.name, it.type]))).toMatchObject({
      a: "text",
      "db.port": "integer",
      "db.hosts.1": "integer",
      f: "float",
      yes_: "boolean",
      when: "time",
    });
    const read = await readScopeBytes(repository, "dev/typed");
    expect(Object.fromEntries([...read].map(([key, bytes]) => [key, bytes.toString("utf8")]))).toEqual({
      a: "text",
      "db.user": "joe",
      "db.port": "5432",
      "db.hosts.0": "one",
      "db.hosts.1": "2",
      "db.hosts.2.k": "v",
      f: "1.5",
      big: "100000000000000000000",
      yes_: "true",
      when: "2001-12-14T21:59:43Z",
      empty: "",
      bin: "hello",
      hex: "31",
      octal: "15",
      lines: "l1\nl2\n",
      second: "document",
    });
    const scopeFile = repository.read("secrets/dev/typed.yaml");
    expect(scopeFile).toMatch(/^# about a\n# behind a\na: /m);
    expect(scopeFile).toMatch(/^# about db\n# about user\ndb\.user: /m);
    expect(scopeFile).toMatch(/^# about one\ndb\.hosts\.0: /m);
  });

  test("a .env file is read as sops reads it, with its quotes", async () => {
    const file = seal("app.env", '# about A\nA=1\nB="x y"\nC=a\\nb\nD= spaced \nE=\nURL=https://u:p@h/?a=b#c\n');
    expect(await importFrom("dev/env", file)).toMatchObject({ code: 0 });
    expectSame(
      await readScopeBytes(repository, "dev/env"),
      JSON.parse(sops(["decrypt", "--output-type", "json", file]).toString()),
    );
  });

  test("an ini file gives its sections as the first part of names", async () => {
    const file = seal(
      "app.ini",
      "top = 0\n[db]\n; about user\nuser = joe\nport_unencrypted = 5432\n[web]\nurl = `https://h/;x`\n",
    );
    expect(await importFrom("dev/ini", file)).toMatchObject({ code: 0 });
    const { DEFAULT: above, ...sections } = JSON.parse(
      sops(["decrypt", "--output-type", "json", file]).toString(),
    ) as Record<string, object>;
    expectSame(await readScopeBytes(repository, "dev/ini"), { ...above, ...sections });
  });

  test("a binary file is one value of the same bytes", async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));
    const file = seal("cert.p12", bytes);
    expect(await importFrom("dev/binary", file)).toMatchObject({ code: 0 });
    expect((await readScopeBytes(repository, "dev/binary")).get("cert.p12")).toEqual(bytes);
  });

  test.each([
    "encrypted_regex: ^(?:secret|pass)",
    "unencrypted_regex: (?i)^OPEN",
    "encrypted_suffix: _sealed",
    "encrypted_comment_regex: seal this",
    "unencrypted_comment_regex: leave this",
    "mac_only_encrypted: true",
  ])("a file with %s is imported whole", async (rule) => {
    const plain =
      "# leave this\nopen_a: 1\n# seal this\nsecret_b: two\npass_c:\n    d: 3.5\n    e_sealed: four\nf_unencrypted: 16\ng: true\n";
    const word = rule.split(":")[0]?.replaceAll("_", "-") ?? "";
    const file = sealByRule(`${word}.yaml`, plain, `age: ${testRecipient}\n    ${rule}`);
    expect(await importFrom(`dev/${word}`, file)).toMatchObject({ code: 0 });
    const opened: unknown = JSON.parse(sops(["decrypt", "--output-type", "json", file]).toString());
    expectSame(await readScopeBytes(repository, `dev/${word}`), opened);
  });

  test("what was imported is the same as what sops prints, and leaves again to sops with one line each", async () => {
    const file = seal(
      "checked.yaml",
      "a: text\ndb:\n    port: 5432\n    tls: true\nf: 1.5\nlines: |\n    l1\n    l2\n",
    );
    expect(await importFrom("dev/checked", file)).toMatchObject({ code: 0 });
    const printed = sops(["decrypt", "--output-type", "json", file]);
    const check = ["import", "dev/checked", "--from", "json", "--dry-run", "--json"];
    expect((await repository.ok(check, { stdin: printed })).json()).toMatchObject({
      added: [],
      changed: [],
      removed: [],
    });
    const { stdout } = await repository.ok(["export", "dev/checked", "--format", "yaml", "--yes"]);
    const left = join(folder, "left.yaml");
    const args = ["encrypt", "--age", testRecipient, "--filename-override", "left.yaml"];
    writeFileSync(left, sops(args, Buffer.from(stdout)));
    expect(await importFrom("dev/checked", left, "--replace", "--json")).toMatchObject({ code: 0 });
    const again = await importFrom("dev/checked", left, "--replace", "--json");
    expect(again.json()).toMatchObject({ added: [], changed: [], removed: [], commit: null });
    expect((await readScopeBytes(repository, "dev/checked")).get("db.port")?.toString()).toBe("5432");
  });

  test("a value that was moved to another key is refused", async () => {
    const file = seal("moved.yaml", "a: first\nb: second\n");
    const [a = "", b = "", ...rest] = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, [`a: ${b.slice(3)}`, `b: ${a.slice(3)}`, ...rest].join("\n"));
    expect(await importFrom("dev/moved", file)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("not sealed for its place"),
    });
  });

  test("an open value that was changed is refused by the authentication code", async () => {
    const file = seal("changed.yaml", "a: first\nb_unencrypted: 1\n");
    writeFileSync(file, readFileSync(file, "utf8").replace("b_unencrypted: 1", "b_unencrypted: 2"));
    expect(await importFrom("dev/changed", file)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("authentication code"),
    });
    expect(await repository.run(["list", "dev/changed"])).not.toMatchObject({ code: 0 });
  });

  test("a data key split over key groups is refused with the reason", async () => {
    const file = sealByRule(
      "shamir.yaml",
      "a: 1\n",
      `key_groups:\n      - age: [${testRecipient}]\n      - age: [${otherRecipient}]`,
    );
    expect(await importFrom("dev/shamir", file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("split over 2 key groups"),
    });
  });

  test("a file for an identity of the user needs no other key, also where another recipient stands first", async () => {
    const own = /^# public key: (age1\S+)$/m.exec(
      readFileSync(join(repository.home, ".config/sealtree/identity.txt"), "utf8"),
    );
    writeFileSync(join(folder, "own.yaml"), "a: 1\n");
    const file = join(folder, "own.yaml");
    writeFileSync(file, sops(["encrypt", "--age", `${testRecipient},${own?.[1] ?? ""}`, "own.yaml"]));
    await repository.ok(["import", "dev/own", file, "--from", "sops", "--yes"]);
    expect((await readScopeBytes(repository, "dev/own")).get("a")?.toString()).toBe("1");
  });

  test("a file for an SSH key is opened with it", async () => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "id_test")]);
    writeFileSync(join(folder, "ssh.yaml"), "a: 1\n");
    const publicKey = readFileSync(join(folder, "id_test.pub"), "utf8").trim();
    writeFileSync(join(folder, "ssh.yaml"), sops(["encrypt", "--age", publicKey, "ssh.yaml"]));
    const argv = ["import", "dev/ssh", join(folder, "ssh.yaml"), "--from", "sops", "--yes"];
    expect(await repository.run(argv)).toMatchObject({ code: 5 });
    await repository.ok(argv, { env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: join(folder, "id_test") } });
    await repository.ok([...argv, "--keys", join(folder, "id_test")]);
    expect((await readScopeBytes(repository, "dev/ssh")).get("a")?.toString()).toBe("1");
  });

  test("without a key that fits nothing is written", async () => {
    const file = seal("foreign.yaml", "a: 1\n");
    const result = await repository.run(["import", "dev/foreign", file, "--from", "sops", "--yes"]);
    expect(result).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("none of your identities opens the SOPS file"),
    });
  });
});
