import { stringify } from "yaml";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openRuntime } from "../../src/runtime/open-repository.ts";
import { ManualClock } from "../runtime/fake-provider.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { startOpenBao, type TestOpenBao } from "../support/servers/openbao.ts";

let bao: TestOpenBao;
let repository: TestRepository;

beforeEach(async () => {
  const server = await startOpenBao();
  onTestFinished(async () => await server.stop());
  bao = server;
  repository = await createSealedRepository();
});

const layouts = {
  keys: {
    writer: `path "secret/data/apps/api" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/apps/api" { capabilities = ["patch"] }`,
    reader: 'path "secret/data/apps/api" { capabilities = ["read"] }',
  },
  each: {
    writer: `path "secret/data/apps/api/*" { capabilities = ["create", "read", "update", "patch", "delete"] }
path "secret/metadata/apps/api/*" { capabilities = ["read", "list", "patch"] }`,
    reader: 'path "secret/data/apps/api/*" { capabilities = ["read"] }',
  },
} as const;

describe.each(["keys", "each"] as const)("the library over an OpenBao that deploy wrote, layout %s", (layout) => {
  it("reads with the rights of a reader, sees a rotation, signs in anew, and outlasts the server", async () => {
    const { writer, reader } = layouts[layout];
    const target = {
      kind: "vault",
      address: bao.url,
      ca: bao.ca,
      path: "apps/api",
      layout,
      auth: { token: "${env:BAO_TOKEN}" },
    };
    const policy = {
      targets: { vault: { ...target, scopes: ["prod/api"] } },
      environments: { production: { sources: ["vault"], cache: "60s" } },
    };
    repository.write("policies/deploy.yaml", stringify(policy));
    await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "first" });
    await repository.ok(["set", "prod/api/mcp.key", "--stdin"], { stdin: "dotted\n" });
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "--message", "policy of the test");
    const writing = { BAO_TOKEN: await bao.createToken(writer) };
    const deploy = async () => await repository.ok(["deploy", "vault", "--yes"], { env: writing });
    await deploy();

    const readToken = await bao.createToken(reader);
    const env: Record<string, string> = { ...repository.env, BAO_TOKEN: readToken };
    const clock = new ManualClock();
    const runtime = await openRuntime({ directory: repository.root, environment: "production", env }, clock);
    onTestFinished(async () => await runtime.close());
    const secrets = await runtime.getSecrets("prod/api");
    expect([...secrets].map(([name, secret]) => [name, secret.revealText(), secret.source])).toEqual([
      ["KEY", "first", "vault"],
      ["mcp.key", "dotted\n", "vault"],
    ]);

    await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "second" });
    await deploy();
    expect(await runtime.refresh()).toEqual(["prod/api/KEY"]);

    await bao.admin("POST", "auth/token/revoke", { token: readToken });
    env["BAO_TOKEN"] = await bao.createToken(reader);
    runtime.invalidate();
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("second");
    expect(runtime.health().status).toBe("ok");

    await bao.stop();
    clock.advance(60_000);
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("second");
    expect(runtime.health()).toMatchObject({ status: "degraded", staleEntries: 1 });
    runtime.invalidate();
    await expect(runtime.getSecret("prod/api/KEY")).rejects.toMatchObject({ code: "E_PROVIDER" });
    expect(runtime.health().status).toBe("failing");
  });
});
