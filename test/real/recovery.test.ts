import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "../support/repository.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/recovery.md", import.meta.url)), "utf8");
const script = /^```python\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
const text = "test-value with lines\nand \u00e9\r\n";
const binary = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

describe.each([
  { kind: "X25519", flags: ["--x25519"] },
  { kind: "hybrid", flags: [] },
])("docs/recovery.md with a $kind identity", ({ flags }) => {
  it("opens every value of a scope, old generations included", async () => {
    const repository = await createScope(flags);
    await repository.ok(["rekey", "prod/api", "--yes"]);
    await repository.ok(["set", "prod/api/LATER", "--stdin"], { stdin: "test-value-2" });
    const { status, stdout, stderr } = recover(repository, "prod/api");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      API_KEY: text,
      EMPTY: "",
      LATER: "test-value-2",
      "tls.key": { $binary: binary.toString("base64") },
      yes: "test-value-3",
    });
  });

  it("opens drops, of a scope without a keyring too, and refuses one that was moved", async () => {
    const repository = await createScope(flags);
    const env = await addWriter(repository, flags);
    await repository.ok(["set", "prod/web/API_KEY", "--stdin"], { stdin: text, env });
    await repository.ok(["set", "prod/web/tls.key", "--stdin"], { stdin: binary, env });
    const file = repository.read("secrets/prod/web.yaml");
    expect(file).toMatch(/^API_KEY: st1d\./m);
    const { status, stdout, stderr } = recover(repository, "prod/web");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ API_KEY: text, "tls.key": { $binary: binary.toString("base64") } });
    repository.write("secrets/prod/web.yaml", file.replace("API_KEY:", "API_KEZ:"));
    expect(recover(repository, "prod/web")).toEqual({
      status: 1,
      stdout: "",
      stderr: "API_KEZ: the drop was changed\n",
    });
  });

  it("opens the keys with sed and age alone", async () => {
    const repository = await createScope(flags);
    const line = /^sed .* age -d -i identity\.txt/m.exec(page)?.[0] ?? "";
    expect(line).toContain("secrets/prod/api.keys");
    const payload = shell(repository, line).stdout;
    expect(payload.subarray(0, 1)).toEqual(Buffer.from([1]));
    expect(payload.subarray(91).toString()).toBe("prod/api");
  });

  it("refuses a record that was changed, and prints no value", async () => {
    const repository = await createScope(flags);
    const file = repository.read("secrets/prod/api.yaml");
    repository.write("secrets/prod/api.yaml", file.replace("API_KEY:", "API_KEZ:"));
    const { status, stdout, stderr } = recover(repository, "prod/api");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe("API_KEZ: the record was changed\n");
  });
});

async function createScope(flags: readonly string[]): Promise<TestRepository> {
  const repository = createRepository();
  const identity = join(repository.root, "identity.txt");
  await repository.ok(["keygen", "-o", identity, ...flags]);
  const env = { SEALTREE_IDENTITY_FILE: identity };
  await repository.ok(["init", "--yes"], { env });
  Object.assign(repository.env, env);
  await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: text });
  await repository.ok(["set", "prod/api/EMPTY", "--stdin"], { stdin: "" });
  await repository.ok(["set", "prod/api/tls.key", "--stdin"], { stdin: binary });
  await repository.ok(["set", "prod/api/yes", "--stdin"], { stdin: "test-value-3" });
  repository.write("recover.py", script);
  return repository;
}

/** A member who may write and not read; gives the environment with that member's key. */
async function addWriter(
  repository: TestRepository,
  flags: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const key = join(repository.home, "writer.txt");
  const { stdout } = await repository.ok(["keygen", "-o", key, ...flags]);
  const policy = repository.read("policies/access.yaml");
  repository.write("policies/members/wendy.pub", stdout);
  repository.write(
    "policies/access.yaml",
    policy
      .replace("version: 1", "version: 2")
      .replace("members:\n", "members:\n  wendy: { roles: [contributor] }\n")
      .replace("roles:\n", `roles:\n  contributor:\n    grants: [{ scopes: ["**"], allow: [write] }]\n`),
  );
  return { SEALTREE_IDENTITY_FILE: key };
}

function recover(repository: TestRepository, scope: string) {
  const { status, stdout, stderr } = shell(repository, `python3 recover.py identity.txt ${scope}`);
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function shell(repository: TestRepository, line: string) {
  return spawnSync("sh", ["-c", line], { cwd: repository.root });
}
