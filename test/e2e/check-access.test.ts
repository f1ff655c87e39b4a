import { generateKeyPairSync } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { type Recipient } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import type { Finding } from "../../src/store/finding.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const policyFile = "policies/access.yaml";
let repository: TestRepository;
let generation: string;
let recipients: Recipient[];

/** Without any key: what is found here anybody can find. */
async function check(...words: string[]): Promise<readonly Finding[]> {
  const options = { env: { XDG_CONFIG_HOME: "/nonexistent" } };
  const result = await repository.run(["check", "--json", ...words], options);
  return result.json<{ findings: readonly Finding[] }>().findings;
}

async function placesOf(severity: Finding["severity"]): Promise<string[]> {
  const found = (await check()).filter((finding) => finding.severity === severity);
  return found.map(({ rule, file, line }) => `${rule} ${file}:${line ?? "-"}`);
}

function edit(path: string, change: (text: string) => string): void {
  const before = repository.read(path);
  const after = change(before);
  expect(after).not.toBe(before);
  repository.write(path, after);
}

function lineOf(path: string, part: string): number {
  return (
    repository
      .read(path)
      .split("\n")
      .findIndex((line) => line.includes(part)) + 1
  );
}

function sshKey(): string {
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const parts = [Buffer.from("ssh-ed25519"), Buffer.from(x, "base64url")];
  const blob = Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part]));
  return `ssh-ed25519 ${blob.toString("base64")}`;
}

/** Puts another key into the generation's file, as somebody could who makes one up. */
async function replaceKey(to: readonly Recipient[]): Promise<void> {
  const armored = await encryptToRecipients(to, Buffer.from("test payload"), "allowed");
  const lines = armored.trimEnd().split("\n");
  edit(
    generation,
    (text) => `${text.slice(0, text.indexOf("key: |\n"))}key: |\n${lines.map((line) => `  ${line}\n`).join("")}`,
  );
}

async function otherRecipient(): Promise<Recipient> {
  return (await generateIdentity("x25519")).recipient;
}

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  const key = await otherRecipient();
  const add = ["member", "add", "bob", "--recipient", key.text, "--role", "engineer", "--yes"];
  await repository.ok(add);
  repository.write("policies/members/carol.pub", `${sshKey()} carol@example.test\n`);
  edit(policyFile, (text) =>
    text.replace("members:\n", "members:\n  carol: { roles: [engineer] }\n").replace(/^version: \d+/m, "version: 9"),
  );
  repository.git("add", "-A");
  repository.git("commit", "--quiet", "-m", "carol");
  for (const name of ["API_KEY", "OTHER_KEY"])
    await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: "test-value" });
  const [id = ""] = readdirSync(join(repository.root, "secrets/dev/app.keys"));
  generation = `secrets/dev/app.keys/${id}`;
  recipients = ["alice-example", "bob", "carol"].map((name) =>
    parseRecipient(
      repository
        .read(`policies/members/${name}.pub`)
        .trim()
        .split(" ")
        .slice(0, name === "carol" ? 2 : 1)
        .join(" "),
    ),
  );
});

afterEach(() => {
  repository.git("reset", "--quiet", "--hard");
  repository.git("clean", "--quiet", "-fd");
});

describe("without a key, check finds", () => {
  it("no error in a repository in order", async () => {
    expect(await placesOf("error")).toEqual([]);
  });

  it("a recipient that was added by hand", async () => {
    edit(generation, (text) => text.replace(/^(wrapped_for: .*)\}$/m, "$1, eve: [00ff00ff00ff00ff]}"));
    expect(await placesOf("error")).toEqual([
      `keyring ${generation}:7`,
      `reader-drift ${generation}:7`,
      "stale-record secrets/dev/app.yaml:4",
    ]);
  });

  it("a recipient that was taken out by hand", async () => {
    edit(generation, (text) => text.replace(/^(wrapped_for: .*), bob: \[[^\]]*\]/m, "$1"));
    expect(await placesOf("error")).toEqual([`reader-drift ${generation}:7`, `keyring ${generation}:8`]);
  });

  it("a stanza too many", async () => {
    await replaceKey([...recipients, await otherRecipient()]);
    const [finding] = (await check()).filter(({ severity }) => severity === "error");
    expect(finding).toMatchObject({ rule: "keyring", file: generation, line: 8 });
    expect(finding?.message).toBe("it has 4 stanzas and lists 3 recipients: somebody else can open it");
  });

  it("a stanza for another SSH key than the one that is listed", async () => {
    await replaceKey([...recipients.slice(0, 2), parseRecipient(sshKey())]);
    const findings = (await check()).filter(({ severity }) => severity === "error");
    expect(findings.map(({ rule, line, message }) => [rule, line, message.split("'")[0]])).toEqual([
      ["keyring", 8, "where the stanza for carol"],
    ]);
    await replaceKey(recipients);
    expect(await placesOf("error")).toEqual([]);
  });

  it("stanzas of other kinds than the recipients have, or in another order", async () => {
    await replaceKey([...recipients.slice(0, 2), await otherRecipient()]);
    expect(await placesOf("error")).toEqual([`keyring ${generation}:8`]);
    await replaceKey([...recipients].reverse());
    expect(await placesOf("error")).toEqual([`keyring ${generation}:8`, `keyring ${generation}:8`]);
  });

  it("a list of readers of then that was edited, and a predecessor", async () => {
    edit(generation, (text) => text.replace(/^(minted_for: .*), bob: \[[^\]]*\]/m, "$1"));
    expect(await placesOf("error")).toEqual([`keyring-append-only ${generation}:6`]);
    edit(generation, (text) => text.replace(/^created: .*$/m, "created: 2020-01-01T00:00:00Z"));
    expect(await placesOf("error")).toEqual([
      `keyring-append-only ${generation}:5`,
      `keyring-append-only ${generation}:6`,
    ]);
  });

  it("a policy that was edited without a rekey, in every generation", async () => {
    await repository.ok(["rekey", "dev/app", "--yes"]);
    edit(policyFile, (text) => text.replace(/^ {2}bob: .*\n/m, "").replace(/^version: \d+/m, "version: 10"));
    rmSync(join(repository.root, "policies/members/bob.pub"));
    const [second = ""] = readdirSync(join(repository.root, "secrets/dev/app.keys")).filter(
      (name) => !generation.endsWith(name),
    );
    const errors = (await check()).filter(({ severity }) => severity === "error");
    expect(errors.map(({ rule, file, line }) => `${rule} ${file}:${line ?? "-"}`).sort()).toEqual(
      [
        `reader-drift ${generation}:7`,
        `reader-drift secrets/dev/app.keys/${second}:7`,
        "stale-record secrets/dev/app.yaml:4",
      ].sort(),
    );
    expect(errors.every(({ message }) => message.includes("bob"))).toBe(true);
    repository.git("reset", "--quiet", "--hard", "HEAD~1");
  });

  it("a new reader whom the keyring does not know", async () => {
    repository.write("policies/members/dave.pub", `${(await otherRecipient()).text}\n`);
    edit(policyFile, (text) =>
      text.replace("members:\n", "members:\n  dave: { roles: [engineer] }\n").replace(/^version: \d+/m, "version: 10"),
    );
    const errors = (await check()).filter(({ severity }) => severity === "error");
    expect(errors).toMatchObject([{ rule: "reader-drift", file: generation, line: 7 }]);
    expect(errors[0]?.message).toContain("not wrapped for dave");
  });

  it("a removed member and a removed key that are back", async () => {
    const print = /bob: \["?([0-9a-f]{16})"?\]/.exec(repository.read(generation))?.[1] ?? "";
    edit(policyFile, (text) =>
      `${text}\nremoved:\n  bob: { version: 9, at: 2026-01-01 }\nremoved_keys:\n  "${print}": { member: bob, version: 9, at: 2026-01-01 }\n`.replace(
        /^version: \d+/m,
        "version: 10",
      ),
    );
    const errors = await placesOf("error");
    expect(errors).toContain(`policy ${policyFile}:${lineOf(policyFile, "  bob: { ")}`);
    expect(errors).toContain("policy policies/members/bob.pub:1");
  });

  it("a role that is not defined, a field that is not known, and two members with one key", async () => {
    repository.write("policies/members/carol.pub", repository.read("policies/members/bob.pub"));
    edit(policyFile, (text) => text.replace("carol: { roles: [engineer] }", "carol: { roles: [boss] }"));
    const errors = await placesOf("error");
    expect(errors).toContain(`policy ${policyFile}:${lineOf(policyFile, "boss")}`);
    expect(errors.some((place) => /^policy policies\/members\/(?:bob|carol)\.pub:1$/.test(place))).toBe(true);
    edit(policyFile, (text) => text.replace("carol: { roles: [boss] }", "carol: { roles: [engineer], shoe_size: 43 }"));
    expect(await placesOf("error")).toEqual([`policy-schema ${policyFile}:${lineOf(policyFile, "shoe_size")}`]);
  });

  it("a scope without a reader, and one whose readers have no key to it", async () => {
    edit(policyFile, (text) =>
      text.replaceAll('scopes: ["**"', 'scopes: ["**", "!dev/**"').replace(/^version: \d+/m, "version: 10"),
    );
    expect(await placesOf("error")).toContain("uncovered-scope secrets/dev/app.yaml:2");
    repository.git("reset", "--quiet", "--hard");
    for (const name of ["alice-example", "bob", "carol"])
      repository.write(`policies/members/${name}.pub`, `${(await otherRecipient()).text}\n`);
    expect(await placesOf("error")).toContain("unreadable-scope secrets/dev/app.yaml:4");
  });

  it("patterns that match nothing and roles that nobody has", async () => {
    edit(policyFile, (text) =>
      text
        .replace("members:\n", "members:\n  ci: { kind: machine, roles: [deployer] }\n")
        .replace(
          "roles:\n",
          'roles:\n  deployer:\n    grants:\n      - { scopes: ["dve/**", "dev/app"], allow: [read] }\n',
        ),
    );
    repository.write("policies/members/ci.pub", `${(await otherRecipient()).text}\n`);
    expect(await placesOf("warning")).toContain(`unmatched-pattern ${policyFile}:${lineOf(policyFile, "dve/**")}`);
    const notices = await placesOf("notice");
    expect(notices).toContain(`unused-role ${policyFile}:${lineOf(policyFile, "  analyst:")}`);
    expect(notices).toContain(`unmatched-pattern ${policyFile}:${lineOf(policyFile, '"!prod/**"')}`);
  });

  it("a machine that reads several environments", async () => {
    await repository.ok(["set", "prod/app/KEY", "--stdin"], { stdin: "test-value" });
    edit(policyFile, (text) =>
      text.replace("carol: { roles: [engineer] }", "carol: { kind: machine, roles: [senior-engineer] }"),
    );
    const [finding] = (await check()).filter(({ rule }) => rule === "machine-scope");
    expect(finding).toMatchObject({ severity: "warning", file: policyFile, line: lineOf(policyFile, "carol:") });
    expect(finding?.message).toBe("the machine carol reads several environments: dev, prod");
    repository.git("reset", "--quiet", "--hard", "HEAD~1");
  });
});
