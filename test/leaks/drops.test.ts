import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findCanaries, findCanaryFiles, findCanaryObjects } from "../support/canary.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { canaries, stored } from "./command-lines.ts";

let repository: TestRepository;
let writer: Readonly<Record<string, string>>;

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  const file = join(repository.home, "wendy.key");
  const { stdout } = await repository.ok(["keygen", "--x25519", "-o", file]);
  writer = { SEALTREE_IDENTITY_FILE: file, XDG_CONFIG_HOME: join(repository.home, "wendy") };
  const policy = repository.read("policies/access.yaml");
  repository.write("policies/members/wendy.pub", stdout);
  repository.write(
    "policies/access.yaml",
    policy
      .replace("version: 1", "version: 2")
      .replace("members:\n", "members:\n  wendy: { roles: [contributor] }\n")
      .replace("roles:\n", `roles:\n  contributor:\n    grants: [{ scopes: ["**"], allow: [write, rotate] }]\n`),
  );
});

describe("a value that is set as a drop", () => {
  it("is shown by no command of its writer, and by none of a reader but a door", async () => {
    const json = JSON.stringify({ API_KEY: stored[0], ODD: stored[1] });
    const lines: readonly (readonly [argv: readonly string[], stdin: string, env: typeof writer])[] = [
      [["set", "dev/app/API_KEY", "--stdin"], stored[0], writer],
      [["set", "dev/app/API_KEY", "--stdin", "--dry-run"], stored[1], writer],
      [["import", "dev/web", "--format", "json", "--yes"], json, writer],
      [["get", "dev/app/API_KEY", "--reveal", "--yes"], "", writer],
      [["edit", "dev/app"], "", { ...writer, EDITOR: "cat" }],
      [["decrypt", "dev/app", "--yes"], "", writer],
      [["run", "dev/app", "--", "printenv", "API_KEY"], "", {}],
      [["get", "dev/app/API_KEY"], "", {}],
      [["list", "dev/app"], "", {}],
      [["log", "dev/app/API_KEY"], "", {}],
      [["cp", "dev/app", "dev/copy", "--yes"], "", {}],
      [["adopt", "--yes", "--dry-run"], "", {}],
      [["adopt", "dev/app", "--yes"], "", {}],
      [["adopt", "--yes"], "", {}],
    ];
    const leaks: string[] = [];
    for (const [argv, stdin, env] of lines)
      for (const words of [argv, ["--json", ...argv]]) {
        const { stdout, stderr, code } = await repository.run(words, { stdin, env });
        expect(code, `${words.join(" ")}\n${stderr}`).not.toBe(70);
        leaks.push(...findCanaries(stdout + stderr, canaries).map((what) => `${words.join(" ")}: ${what}`));
      }
    expect(leaks).toEqual([]);
    expect((await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"])).stdout).toBe(stored[0]);
  });

  it("is in no file and no object of git", () => {
    expect(findCanaryFiles([repository.root, repository.home], canaries)).toEqual([]);
    expect(findCanaryObjects(repository.root, canaries)).toEqual([]);
  });
});
