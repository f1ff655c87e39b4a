import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { loadPolicy } from "../../src/access/policy.ts";
import { listReaders } from "../../src/access/permission.ts";
import { loadIdentities } from "../../src/identity/load.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { printGenerationFile, type GenerationFile } from "../../src/store/generation-file.ts";
import { readKeyring } from "../../src/store/keyring.ts";
import { generationPath } from "../../src/store/layout.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const scope = parseScopePath("dev/app");
const values = { A: "test-a", B: "test-b", C: "test-c" };

type Environment = Readonly<Record<string, string>>;

/** A repository of alice, who holds the key of its home, and of others who may read and write everything. */
class Team {
  readonly repository: TestRepository;
  readonly #people = new Map<string, { readonly env: Environment; readonly recipient: string }>();

  private constructor(repository: TestRepository) {
    this.repository = repository;
  }

  /** With the values of dev/app set; `start` is a tag. */
  static async create(...names: string[]): Promise<Team> {
    const team = new Team(createRepository());
    const { repository } = team;
    await repository.ok(["keygen", "--x25519"]);
    await repository.ok(["init", "--yes"]);
    for (const name of names) await team.add(name);
    for (const [name, value] of Object.entries(values)) await team.set(name, value);
    repository.git("tag", "start");
    return team;
  }

  async makeKey(name: string): Promise<string> {
    const file = join(this.repository.home, `${name}.key`);
    const recipient = (await this.repository.ok(["keygen", "-o", file, "--x25519"])).stdout.trim();
    this.#people.set(name, {
      env: { SEALTREE_IDENTITY_FILE: file, XDG_CONFIG_HOME: join(this.repository.home, name) },
      recipient,
    });
    return recipient;
  }

  async add(name: string): Promise<void> {
    const keys = ["--recipient", await this.makeKey(name), "--role", "senior-engineer"];
    await this.repository.ok(["member", "add", name, ...keys, "--yes"]);
  }

  async remove(name: string): Promise<void> {
    await this.repository.ok(["member", "remove", name, "--yes"]);
  }

  async set(name: string, value: string): Promise<void> {
    await this.repository.ok(["set", `${scope}/${name}`, "--stdin"], { stdin: value });
  }

  async rekey(): Promise<void> {
    await this.repository.ok(["rekey", "--yes"]);
  }

  env(name: string): Environment {
    return this.#people.get(name)?.env ?? expect.fail(`nobody is called ${name}`);
  }

  recipientOf(name: string): string {
    return this.#people.get(name)?.recipient ?? expect.fail(`nobody is called ${name}`);
  }

  /** Every value that `name` can open, at a revision or in the work tree; alice without a name. */
  async open(name?: string, at?: string): Promise<Record<string, string>> {
    const env = name === undefined ? {} : this.env(name);
    const words = at === undefined ? [] : ["--at", at];
    const result = await this.repository.run(["export", scope, "--format", "json", "--yes", ...words], { env });
    if (result.code === 0) return result.json<Record<string, string>>();
    if (result.code !== 5) throw new Error(result.stderr);
    return {};
  }

  async findings(): Promise<{ rule: string; severity: string; message: string; file: string; line?: number }[]> {
    const { stdout } = await this.repository.run(["check", "--json"]);
    return (JSON.parse(stdout) as { findings: [] }).findings;
  }

  /** The findings that are errors, as `rule` or `rule about NAME`. */
  async errors(): Promise<string[]> {
    const found = (await this.findings()).filter(({ severity }) => severity === "error");
    return [...new Set(found.map(({ rule }) => rule))].sort();
  }

  /** Does `ours` on main and `theirs` on the branch topic, and stays on main. */
  async diverge(ours: () => Promise<unknown>, theirs: () => Promise<unknown>): Promise<void> {
    this.repository.git("switch", "--quiet", "--create", "topic", "start");
    await theirs();
    this.repository.git("switch", "--quiet", "main");
    await ours();
  }

  /** Merges as a forge does, which knows no driver of ours. */
  forgetDriver(): void {
    this.repository.git("config", "--remove-section", "merge.sealtree");
  }

  /** The files where git stopped; none when it did not. */
  merge(): string[] {
    try {
      const env = { PATH: process.env["PATH"] ?? "", ...this.repository.env };
      const words = ["merge", "--quiet", "--no-edit", "topic"];
      execFileSync("git", words, { cwd: this.repository.root, env, stdio: "pipe" });
      return [];
    } catch {
      return this.repository.git("diff", "--name-only", "--diff-filter=U").trimEnd().split("\n");
    }
  }

  async keyring(): Promise<GenerationFile[]> {
    return [...(await readKeyring(openWorkTree(this.repository.root), scope)).values()];
  }

  /** What somebody who can open the scope could write in place of its only generation. */
  async rewrite(recipients: readonly string[], change: (file: GenerationFile) => GenerationFile): Promise<string> {
    const [file] = await this.keyring();
    const { identities } = await loadIdentities({ env: this.repository.env });
    const opened = file && (await openGeneration(scope, file, identities));
    if (file === undefined || opened === undefined) return expect.fail("the generation does not open");
    const armored = await encryptToRecipients(recipients.map(parseRecipient), opened.payload, "allowed");
    const path = generationPath(scope, file.id);
    this.repository.write(path, printGenerationFile(scope, change({ ...file, armored })));
    this.repository.git("commit", "--quiet", "-am", "edited by hand");
    return path;
  }

  async readers(): Promise<string[]> {
    return listReaders(await loadPolicy(openWorkTree(this.repository.root)), scope).map(
      ({ recipient }) => recipient.text,
    );
  }
}

describe("a member who is removed", () => {
  it("opens nothing that is sealed after and what was open to them before; everybody else opens everything", async () => {
    const team = await Team.create("bob", "carol");
    await team.remove("bob");
    await team.set("D", "test-d");
    expect(await team.open("bob")).toEqual({});
    expect(await team.open("bob", "start")).toEqual(values);
    for (const name of [undefined, "carol"]) {
      expect(await team.open(name)).toEqual({ ...values, D: "test-d" });
      expect(await team.open(name, "start")).toEqual(values);
    }
    expect(await team.errors()).toEqual([]);
  });

  it("gains nothing by a revert of an older value, which opens for the others, is reported and repaired", async () => {
    const team = await Team.create("bob", "carol");
    await team.set("A", "test-a2");
    await team.remove("bob");
    team.repository.git("revert", "--no-edit", "HEAD~1");
    expect(await team.open("carol")).toEqual(values);
    expect((await team.findings()).filter(({ rule }) => rule === "stale-record")).toMatchObject([
      { severity: "error", file: "secrets/dev/app.yaml", message: expect.stringContaining("A") },
    ]);
    await team.rekey();
    expect(await team.errors()).toEqual([]);
    expect(await team.open("carol")).toEqual(values);
    expect(await team.open("bob")).toEqual({});
  });
});

describe("two branches", () => {
  it("of which one removes a member and the other sets values end with all of them, stale until a rekey", async () => {
    const team = await Team.create("bob", "carol");
    await team.diverge(
      async () => await team.remove("bob"),
      async () => {
        await team.set("A", "test-a2");
        await team.set("N", "test-n");
      },
    );
    expect(team.merge()).toEqual([]);
    const merged = { ...values, A: "test-a2", N: "test-n" };
    expect(await team.open("carol")).toEqual(merged);
    const stale = (await team.findings()).filter(({ rule }) => rule === "stale-record");
    expect(stale.map(({ message }) => message).join()).toMatch(/\bA\b.*\bN\b/);
    await team.rekey();
    expect(await team.errors()).toEqual([]);
    for (const name of [undefined, "carol"]) expect(await team.open(name)).toEqual(merged);
    expect(await team.open("bob")).toEqual({});
    expect(team.repository.git("status", "--porcelain")).toBe("");
  });

  it("do so too where the merge knows no driver and a person takes the line that was set", async () => {
    const team = await Team.create("bob", "carol");
    team.forgetDriver();
    await team.diverge(
      async () => await team.remove("bob"),
      async () => {
        await team.set("A", "test-a2");
        await team.set("N", "test-n");
      },
    );
    expect(team.merge()).toEqual(["secrets/dev/app.yaml"]);
    takeTheirs(team.repository, "secrets/dev/app.yaml");
    team.repository.git("commit", "--quiet", "--all", "--no-edit");
    const merged = { ...values, A: "test-a2", N: "test-n" };
    expect(await team.open("carol")).toEqual(merged);
    expect(await team.errors()).toContain("stale-record");
    await team.rekey();
    expect(await team.errors()).toEqual([]);
    expect(await team.open("carol")).toEqual(merged);
    expect(await team.open("bob")).toEqual({});
  });

  it("that both mint keep both generations, and one of them stays current", async () => {
    const team = await Team.create("bob");
    const mint = async () => await team.repository.ok(["rekey", scope, "--yes"]);
    await team.diverge(mint, mint);
    expect(team.merge()).toEqual([]);
    expect(await team.keyring()).toHaveLength(3);
    for (const name of [undefined, "bob"]) expect(await team.open(name)).toEqual(values);
    await team.rekey();
    await team.set("D", "test-d");
    expect(await team.errors()).toEqual([]);
    for (const name of [undefined, "bob"]) expect(await team.open(name)).toEqual({ ...values, D: "test-d" });
  });

  it("that each remove another member shut both out, once the policy is solved by hand", async () => {
    const team = await Team.create("bob", "carol", "dave");
    team.forgetDriver();
    await team.diverge(
      async () => await team.remove("bob"),
      async () => await team.remove("carol"),
    );
    const stopped = team.merge();
    expect(stopped).toContain("policies/access.yaml");
    for (const path of stopped) {
      if (path === "policies/access.yaml") joinRemovals(team.repository);
      else team.repository.git("checkout", "--quiet", "--ours", "--", path);
    }
    team.repository.git("add", "--all");
    team.repository.git("commit", "--quiet", "--no-edit");
    await team.rekey();
    await team.set("D", "test-d");
    expect(await team.errors()).toEqual([]);
    for (const name of [undefined, "dave"]) expect(await team.open(name)).toEqual({ ...values, D: "test-d" });
    for (const name of ["bob", "carol"]) {
      expect(await team.open(name)).toEqual({});
      expect(await team.open(name, "start")).toEqual(values);
    }
  });
});

describe("a keyring that was edited by hand", () => {
  it("with a stanza for nobody it lists is refused, by file, until it is restored", async () => {
    const team = await Team.create("bob");
    const path = await team.rewrite([...(await team.readers()), await team.makeKey("mallory")], (file) => file);
    const refused = await team.repository.run(["rekey", "--yes"]);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain(`${path}: it is wrapped to 3 recipients and lists 2`);
    expect(refused.stderr).toContain("sealtree rekey dev/app");
    expect(team.repository.git("status", "--porcelain")).toBe("");
    team.repository.git("checkout", "--quiet", "start", "--", path);
    await team.repository.ok(["rekey", scope, "--yes"]);
    expect(await team.open("bob")).toEqual(values);
    expect(await team.open("mallory")).toEqual({});
  });

  it("with one reader less is refused when its list is kept, and repaired when it is not", async () => {
    const team = await Team.create("bob");
    const all = await team.readers();
    const alone = all.filter((text) => text !== team.recipientOf("bob"));
    await team.rewrite(alone, (file) => file);
    expect((await team.repository.run(["rekey", "--yes"])).stderr).toContain("wrapped to 1 recipients and lists 2");
    team.repository.git("reset", "--quiet", "--hard", "start");
    await team.rewrite(alone, (file) => ({
      ...file,
      wrappedFor: new Map([...file.wrappedFor].filter(([name]) => name !== "bob")),
    }));
    expect(await team.open("bob")).toEqual({});
    expect(await team.errors()).toContain("reader-drift");
    await team.rekey();
    expect(await team.errors()).toEqual([]);
    expect(await team.open("bob")).toEqual(values);
  });

  it("that lets a removed member in again gets a new generation", async () => {
    const team = await Team.create("bob", "carol");
    const before = (await team.keyring())[0]?.wrappedFor ?? new Map<string, string[]>();
    const all = await team.readers();
    await team.remove("bob");
    const [, now] = (await team.keyring()).sort((a, b) => (a.previous ?? "").localeCompare(b.previous ?? ""));
    const { identities } = await loadIdentities({ env: team.repository.env });
    const opened = now && (await openGeneration(scope, now, identities));
    const armored = await encryptToRecipients(all.map(parseRecipient), opened?.payload ?? new Uint8Array(), "allowed");
    const file = now ?? expect.fail("there is no second generation");
    team.repository.write(
      generationPath(scope, file.id),
      printGenerationFile(scope, { ...file, wrappedFor: before, armored }),
    );
    expect(await team.open("bob")).toEqual(values);
    expect(await team.errors()).toContain("reader-drift");
    await team.rekey();
    await team.set("D", "test-d");
    expect(await team.errors()).toEqual([]);
    expect(await team.open("bob")).toEqual({});
    expect(await team.open("carol")).toEqual({ ...values, D: "test-d" });
  });

  it("is not needed to shut somebody out: a policy that was edited is followed by a rekey", async () => {
    const team = await Team.create("bob", "carol");
    const policy = team.repository.read("policies/access.yaml");
    const version = Number(/^version: (\d+)/m.exec(policy)?.[1]);
    const edited = policy.replace(/^ {2}bob:.*\n/m, "").replace(/^version: .*$/m, `version: ${version + 1}`);
    team.repository.write("policies/access.yaml", edited);
    team.repository.git("rm", "--quiet", "policies/members/bob.pub");
    expect(await team.errors()).toEqual(["reader-drift", "stale-record"]);
    await team.rekey();
    expect(await team.errors()).toEqual([]);
    expect(await team.open("bob")).toEqual({});
    expect(await team.open("carol")).toEqual(values);
  });

  it("cannot be had by putting a removed key into the policy: every command refuses that policy", async () => {
    const team = await Team.create("bob", "carol");
    await team.remove("bob");
    const path = "policies/members/carol.pub";
    team.repository.write(path, `${team.repository.read(path)}${team.recipientOf("bob")}\n`);
    const refused = await team.repository.run(["rekey", "--yes"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/was removed/);
    expect(await team.open("bob")).toEqual({});
  });
});

/** In each conflict, what the other branch has. */
function takeTheirs(repository: TestRepository, path: string): void {
  const text = repository.read(path);
  const solved = text.replace(/^<{7} [^]*?^={7}\n([^]*?)^>{7} .*\n/gm, "$1");
  expect(solved).not.toBe(text);
  repository.write(path, solved);
}

/** Both sides of each conflict; the entries of the two who are gone go, and the version is one above both. */
function joinRemovals(repository: TestRepository): void {
  const joined = repository
    .read("policies/access.yaml")
    .replace(/^<{7} .*\n([^]*?)^={7}\n([^]*?)^>{7} .*\n/gm, (_, ours: string, theirs: string) => {
      const lines = [...ours.split("\n"), ...theirs.split("\n")].filter((line) => line !== "");
      const rank = (line: string) => (line === "removed_keys:" ? 1 : line.includes("member:") ? 2 : 0);
      return [...new Set(lines)]
        .sort((a, b) => rank(a) - rank(b))
        .map((line) => `${line}\n`)
        .join("");
    })
    .replace(/^ {2}(?:bob|carol): \{ roles.*\n/gm, "");
  const version = Math.max(...[...joined.matchAll(/^version: (\d+)$/gm)].map((match) => Number(match[1])));
  const [first, ...others] = joined.split(/^version: \d+\n/m);
  repository.write("policies/access.yaml", `${first ?? ""}version: ${version + 1}\n${others.join("")}`);
}
