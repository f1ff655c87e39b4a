import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;
let env: Readonly<Record<string, string>>;
let identity: string;

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-one" });
  const file = join(repository.home, ".config/sealtree/identity.txt");
  identity = /^AGE-SECRET-KEY-\S+$/m.exec(readFileSync(file, "utf8"))?.[0] ?? "";
  rmSync(file);
  const path = process.env["PATH"] ?? "";
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeSpy("git", `exec '${real}' "$@"`);
  writeSpy("logger", "cat > /dev/null");
  writeSpy("editor", 'sed -i s/value-one/value-two/ "$1"');
  writeSpy("identity-command", `echo '${identity}'`);
  env = {
    PATH: `${join(repository.home, "bin")}${delimiter}${path}`,
    SEALTREE_IDENTITY: identity,
    SOPS_AGE_KEY: identity,
    EDITOR: join(repository.home, "bin/editor"),
    SEALTREE_AUDIT: "syslog",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://test.example.com/idtoken",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "test-request-bearer",
  };
});

describe("a program that sealtree starts", () => {
  it.each([
    ["git", ["get", "dev/app/API_KEY"], {}],
    ["git", ["set", "dev/app/API_KEY", "--stdin"], {}],
    ["git", ["log", "dev/app"], {}],
    ["git", ["rekey", "dev/app", "--yes"], {}],
    ["logger", ["get", "dev/app/API_KEY", "--reveal", "--yes"], {}],
    ["editor", ["edit", "dev/app"], {}],
    ["identity-command", ["get", "dev/app/API_KEY"], { SEALTREE_IDENTITY_CMD: "identity-command" }],
  ] as const)("as %s gets no identity from %j", async (program, argv, more) => {
    const seen = join(repository.home, `${program}.env`);
    rmSync(seen, { force: true });
    await repository.ok(argv, { stdin: "test-value-one", env: { ...env, ...more } });
    expect(existsSync(seen)).toBe(true);
    const environment = readFileSync(seen, "utf8");
    expect(environment).toContain("PATH=");
    expect(environment).not.toContain(identity);
    expect(environment).not.toMatch(/^SEALTREE_IDENTITY=|^SOPS_AGE_KEY=|AGE-SECRET-KEY/m);
    expect(environment).not.toContain("test-value");
    expect(environment).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
  });

  it("as the command of run gets its values and no identity", async () => {
    const result = await repository.ok(["run", "dev/app", "--no-mask", "--", "env"], { env });
    expect(result.stdout).toMatch(/^API_KEY=test-value/m);
    expect(result.stdout).not.toMatch(/^SEALTREE_|AGE-SECRET-KEY/m);
    expect(result.stdout).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
  });
});

/** A program that writes its environment and arguments down, and then does its work. */
function writeSpy(name: string, work: string): void {
  const path = join(repository.home, "bin", name);
  mkdirSync(join(repository.home, "bin"), { recursive: true });
  const seen = join(repository.home, `${name}.env`);
  writeFileSync(path, `#!/bin/sh\n{ env; printf 'ARG=%s\\n' "$@"; } >> '${seen}'\n${work}\n`);
  chmodSync(path, 0o755);
}
