import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { findRotationPolicy } from "../../src/rotation/policy.ts";
import { isPublicPath } from "../../src/rotation/public-path.ts";
import type { Tree } from "../../src/store/tree.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const policy = `secrets:
  prod/app/SSH_KEY: { rotator: generate, options: { kind: ssh, comment: deploy@test }, public: deploy/keys/app.pub }
  prod/app/SIGNING_KEY: { rotator: generate, options: { kind: ed25519 }, public: signing.pem }
  prod/app/TLS: { rotator: generate, options: { kind: certificate, cn: test, dns: [app.test] }, public: tls/app.crt }
  prod/app/PASSWORD: { rotator: generate, options: { kind: password } }
`;

let model: TestRepository;

beforeAll(async () => {
  model = await createSealedRepository();
  model.write("policies/rotation.yaml", policy);
  await model.ok(["set", "prod/app/SIGNING_KEY", "--generate", "ed25519"]);
});

function createRuled(): TestRepository {
  const repository = createRepository();
  cpSync(model.home, repository.home, { recursive: true });
  cpSync(model.root, repository.root, { recursive: true });
  return repository;
}

async function reveal(repository: TestRepository, address: string): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
}

function committed(repository: TestRepository): string[] {
  return repository.git("show", "--format=", "--name-only", "HEAD").trim().split("\n").sort();
}

function publicOf(pem: string): string {
  return createPublicKey(createPrivateKey(pem)).export({ format: "pem", type: "spki" }).toString();
}

describe("set --generate", () => {
  it("writes the public half where the rule says, in the commit of the value", async () => {
    const repository = createRuled();
    await repository.ok(["set", "prod/app/SSH_KEY", "--generate", "ssh:comment=deploy@test"]);
    expect(committed(repository)).toEqual(["deploy/keys/app.pub", "secrets/prod/app.yaml"]);
    expect(repository.read("deploy/keys/app.pub")).toMatch(/^ssh-ed25519 \S+ deploy@test\n$/);
    expect(repository.git("show", "HEAD:deploy/keys/app.pub")).toBe(repository.read("deploy/keys/app.pub"));
    expect(repository.git("status", "--porcelain", "deploy")).toBe("");
    expect(await reveal(repository, "prod/app/SSH_KEY")).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    expect(model.read("signing.pem")).toBe(publicOf(await reveal(model, "prod/app/SIGNING_KEY")));
  });

  it("leaves staged work of the user alone", async () => {
    const repository = createRuled();
    repository.write("notes.txt", "test notes");
    repository.git("add", "notes.txt");
    await repository.ok(["set", "prod/app/SIGNING_KEY", "--generate", "ed25519"]);
    expect(committed(repository)).toEqual(["secrets/prod/app.yaml", "signing.pem"]);
    expect(repository.git("diff", "--cached", "--name-only")).toBe("notes.txt\n");
  });

  it("writes the certificate that is in the value", async () => {
    const repository = createRuled();
    await repository.ok(["set", "prod/app/TLS", "--generate", "certificate:cn=test,dns=app.test"]);
    const value = await reveal(repository, "prod/app/TLS");
    expect(value.endsWith(repository.read("tls/app.crt"))).toBe(true);
    expect(new X509Certificate(repository.read("tls/app.crt")).checkPrivateKey(createPrivateKey(value))).toBe(true);
  });

  it("writes no other file without a rule, or with one that does not ask", async () => {
    const repository = createRuled();
    await repository.ok(["set", "prod/app/OTHER", "--generate", "ssh"]);
    expect(committed(repository)).toEqual(["secrets/prod/app.yaml"]);
    await repository.ok(["set", "prod/app/PASSWORD", "--generate", "password"]);
    expect(committed(repository)).toEqual(["secrets/prod/app.yaml"]);
  });

  it("does nothing when the rule asks for a public half and the value would have none", async () => {
    const repository = createRuled();
    const before = repository.git("rev-parse", "HEAD");
    const result = await repository.run(["set", "prod/app/SIGNING_KEY", "--generate", "hex"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("what the generator hex makes has no public half");
    expect(repository.git("rev-parse", "HEAD")).toBe(before);
    expect(repository.git("status", "--porcelain", "secrets")).toBe("");
  });

  it("writes nothing on a dry run", async () => {
    const repository = createRuled();
    await repository.ok(["set", "prod/app/SSH_KEY", "--generate", "ssh", "--dry-run"]);
    expect(existsSync(join(repository.root, "deploy"))).toBe(false);
  });

  it("does not follow a symbolic link, of a folder or of the file", async () => {
    for (const link of ["deploy", "deploy/keys", "deploy/keys/app.pub"]) {
      const repository = createRuled();
      const outside = join(repository.home, "outside");
      mkdirSync(outside);
      mkdirSync(join(repository.root, link, ".."), { recursive: true });
      symlinkSync(link.endsWith(".pub") ? join(outside, "app.pub") : outside, join(repository.root, link));
      const result = await repository.run(["set", "prod/app/SSH_KEY", "--generate", "ssh"]);
      expect(result.code).toBe(6);
      expect(result.stderr).toContain(`${link} is `);
      expect(existsSync(join(outside, "app.pub")) || existsSync(join(outside, "keys"))).toBe(false);
      expect(repository.read("secrets/prod/app.yaml")).not.toContain("SSH_KEY");
    }
  });

  it("does not write into another repository below", async () => {
    for (const make of ["folder", "file"]) {
      const repository = createRuled();
      repository.write(make === "folder" ? "deploy/.git/HEAD" : "deploy/.git", "ref: refs/heads/main\n");
      const result = await repository.run(["set", "prod/app/SSH_KEY", "--generate", "ssh"]);
      expect(result.code).toBe(6);
      expect(result.stderr).toContain("deploy is a repository of its own");
      expect(existsSync(join(repository.root, "deploy/keys"))).toBe(false);
      expect(repository.read("secrets/prod/app.yaml")).not.toContain("SSH_KEY");
    }
  });
});

describe("rotate", () => {
  it("writes the public half of the new value in the same commit", async () => {
    const repository = createRuled();
    const before = repository.read("signing.pem");
    await repository.ok(["rotate", "prod/app/SIGNING_KEY", "--yes"]);
    expect(committed(repository)).toEqual(["secrets/prod/app.yaml", "signing.pem"]);
    expect(repository.read("signing.pem")).not.toBe(before);
    expect(repository.read("signing.pem")).toBe(publicOf(await reveal(repository, "prod/app/SIGNING_KEY")));
  });

  it("takes the public half of what --generate makes", async () => {
    const repository = createRuled();
    await repository.ok(["rotate", "prod/app/SIGNING_KEY", "--generate", "ecdsa:curve=p384", "--yes"]);
    const publicKey = createPublicKey(repository.read("signing.pem"));
    expect(publicKey.asymmetricKeyDetails?.namedCurve).toBe("secp384r1");
    const before = readFileSync(join(repository.root, "secrets/prod/app.yaml"));
    const refused = await repository.run(["rotate", "prod/app/SIGNING_KEY", "--generate", "hex", "--yes"]);
    expect(refused.stderr).toContain("what the generator hex makes has no public half");
    expect(readFileSync(join(repository.root, "secrets/prod/app.yaml"))).toEqual(before);
  });
});

describe("public in the policy", () => {
  const treeOf = (text: string): Tree => ({
    label: "a test tree",
    read: (path) => Promise.resolve(path === "policies/rotation.yaml" ? Buffer.from(text) : undefined),
    list: () => Promise.resolve([]),
  });
  const errorsOf = async (text: string) =>
    (await findRotationPolicy(treeOf(text))).findings
      .filter(({ severity }) => severity === "error")
      .map(({ line, message }) => `${line ?? 0}: ${message}`);
  const rule = (rest: string) => `secrets:\n  prod/app/KEY:\n    ${rest}\n`;

  it("is right beside a generator that has a public half, also one that a type names", async () => {
    expect(await errorsOf(policy)).toEqual([]);
    const typed = `types:\n  keys: { rotator: generate, options: { kind: age } }\n${rule("type: keys\n    public: a.pub")}`;
    expect(await errorsOf(typed)).toEqual([]);
  });

  it.each([
    ["a manual rotator", rule("public: a.pub"), "3: prod/app/KEY has a public path, and its rotator is not generate"],
    [
      "a generator without a public half",
      rule("rotator: generate\n    options: { kind: hex }\n    public: a.pub"),
      "5: prod/app/KEY has a public path, and what the generator hex makes has no public half",
    ],
    [
      "the path of another secret, in any case of letters",
      `${policy}  prod/app/TWIN: { rotator: generate, options: { kind: ssh }, public: Deploy/keys/App.pub }\n`,
      "6: prod/app/TWIN has the public path of prod/app/SSH_KEY",
    ],
    [
      "a path out of bounds, which it does not repeat",
      rule("rotator: generate\n    options: { kind: ssh }\n    public: ../canary.pub"),
      expect.stringMatching(/^5: secrets.prod\/app\/KEY.public: not a path of a (?!.*canary)/),
    ],
    ["the defaults", "defaults: { public: a.pub }\n", "1: defaults: a field is not known"],
    ["a type", "types:\n  keys: { public: a.pub }\n", "2: types.keys: a field is not known"],
  ])("is an error with %s", async (_what, text, message) => {
    expect(await errorsOf(text)).toEqual([message]);
  });
});

describe("isPublicPath", () => {
  it.each([
    ["a.pub", "deploy/keys/app.pub", "tls/app.example.test.crt", "a_b/C-d/e.pem", "x.csr", "x.cer", "secrets-of/x.pub"],
  ])("takes %s", (...paths) => {
    for (const path of paths) expect([path, isPublicPath(path)]).toEqual([path, true]);
  });

  it.each([
    ["outside", ["../a.pub", "a/../b.pub", "/a.pub", "./a.pub", "a//b.pub", "a/./b.pub", "~/a.pub", "C:/a.pub"]],
    [
      "hidden, or where git and hosts look",
      [".git/a.pub", "a/.git/b.pub", ".github/workflows/a.pub", ".a.pub", ".GIT/a.pub"],
    ],
    ["ours", ["secrets/a.pub", "policies/members/alice.pub", "SECRETS/a.pub", "Policies/a.pub"]],
    [
      "what may run or is read as something else",
      ["a.sh", "a", "Makefile", "a.yml", "a.txt", "a.pub.js", "CMakeLists.txt", "A.PUB/b"],
    ],
    [
      "no plain names",
      ["a b.pub", "a\\b.pub", "a\nb.pub", "a.pub\n", "git~1/a.pub", "å.pub", "-rf.pub", "a:b.pub", "a./b.pub", ""],
    ],
    ["names of devices", ["con.pub", "aux/a.pub", "COM1.pem", "nul.crt"]],
    ["too long", [`${"a".repeat(200)}.pub`, `${"a/".repeat(100)}b.pub`]],
  ])("refuses paths that are %s", (_what, paths) => {
    for (const path of paths) expect([path, isPublicPath(path)]).toEqual([path, false]);
  });

  it("takes no path that leads out, is hidden, or is ours, whatever it is made of", () => {
    const part = fc.constantFrom(
      "a",
      "..",
      ".",
      "/",
      ".git",
      "secrets",
      "policies",
      ".pub",
      "\\",
      "~",
      " ",
      "-",
      "\u0000",
      "A",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = parts.join("");
        if (!isPublicPath(path)) return;
        const segments = path.split("/");
        expect(segments.every((segment) => /^[A-Za-z0-9_]/.test(segment))).toBe(true);
        expect(segments[0]).not.toMatch(/^(?:secrets|policies)$/i);
      }),
      { numRuns: 2000 },
    );
  });
});
