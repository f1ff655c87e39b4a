import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRepository, createSealedRepository } from "../support/repository.ts";
import { installTestPlugin, testPluginKey } from "../support/test-plugin.ts";

const key = testPluginKey("alice");
const identity = `#       Serial: 1, a test\n#    Recipient: ${key.recipient}\n${key.identity}\n`;

describe("a member whose key is in a plugin", () => {
  it("makes a repository, writes and reads", async () => {
    const repository = createRepository();
    const plugin = installTestPlugin();
    const env = { ...plugin.env, SEALTREE_IDENTITY: identity };
    await repository.ok(["init", "--yes"], { env });
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { env, stdin: "a test value" });
    const read = await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"], { env });
    expect(read.stdout.trim()).toBe("a test value");
    expect(plugin.starts().map(({ own }) => own)).toEqual(plugin.starts().map(() => []));
  });

  it("rekeys many scopes in few sessions", async () => {
    const repository = createRepository();
    const plugin = installTestPlugin();
    const env = { ...plugin.env, SEALTREE_IDENTITY: identity };
    await repository.ok(["init", "--yes"], { env });
    const scopes = ["dev/a", "dev/b", "dev/c", "dev/d"];
    for (const scope of scopes) {
      await repository.ok(["set", `${scope}/KEY`, "--stdin"], { env, stdin: "a test value" });
    }
    const before = plugin.starts().length;
    await repository.ok(["rekey", "--all", "--yes"], { env });
    const starts = plugin.starts().slice(before);
    // Two, unless the machine is so busy that the scopes are read far apart.
    expect(starts.length).toBeLessThan(scopes.length);
    const filesOf = (name: string) =>
      starts.reduce((total, { machine, files }) => total + (machine === name ? files : 0), 0);
    expect([filesOf("identity-v1"), filesOf("recipient-v1")]).toEqual([scopes.length, scopes.length]);
  });

  it("hears from the plugin on stderr", async () => {
    const repository = createRepository();
    const env = { ...installTestPlugin().env, SEALTREE_IDENTITY: identity };
    await repository.ok(["init", "--yes"], { env });
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { env, stdin: "a test value" });
    const talking = { ...env, AGE_TEST_PLUGIN_MODE: "message" };
    const read = await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"], { env: talking });
    expect(read.stdout.trim()).toBe("a test value");
    expect(read.stderr).toContain("age-plugin-sealtreetest: touch the test key\n");
    const broken = await repository.run(["get", "dev/app/API_KEY", "--reveal", "--yes"], {
      env: { ...env, AGE_TEST_PLUGIN_MODE: "secret" },
    });
    expect(broken.code).toBe(9);
    expect(broken.stderr).toContain("age-plugin-sealtreetest: the answer was fail");
    expect(broken.stderr).not.toContain(key.identity.slice(12));
  });
});

describe("a plugin that only the repository names", () => {
  it("is started for nobody who did not allow it", async () => {
    const repository = await createSealedRepository();
    const plugin = installTestPlugin();
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "a test value" });
    const policy = repository.read("policies/access.yaml");
    const edited = policy
      .replace("version: 1", "version: 2")
      .replace("\nmembers:\n", "\nmembers:\n  bob: { roles: [engineer] }\n");
    repository.write("policies/access.yaml", edited);
    repository.write("policies/members/bob.pub", `${key.recipient}\n`);
    const head = repository.git("rev-parse", "HEAD");
    const refused = await repository.run(["rekey", "--yes"], { env: plugin.env });
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain("SEALTREE_PLUGINS=sealtreetest allows it");
    expect(plugin.starts()).toEqual([]);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
    await repository.ok(["rekey", "--yes"], { env: { ...plugin.env, SEALTREE_PLUGINS: "sealtreetest" } });
    const file = join(dirname(plugin.folder), "bob");
    writeFileSync(file, `${key.identity}\n`, { mode: 0o600 });
    const read = await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"], {
      env: { ...plugin.env, SEALTREE_IDENTITY_FILE: file, HOME: dirname(plugin.folder) },
    });
    expect(read.stdout.trim()).toBe("a test value");
  });
});
