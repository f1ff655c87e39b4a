import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { kubernetesTarget } from "../../../src/deploy/targets/kubernetes.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { createRepository } from "../../support/repository.ts";
import { describesTarget, targetFailure, writeAll } from "../../support/target-contract.ts";

const manifest = "deploy/secret.yaml";

function begin() {
  const repository = createRepository();
  repository.write(".gitignore", "deploy/secret.yaml\n");
  const options = kubernetesTarget.options.parse({ manifest, namespace: "test-space", name: "test-secret" });
  const access = { ...providerAccess({}), directory: repository.root, environment: process.env };
  return {
    repository,
    facts: kubernetesTarget.facts(options),
    open: async () => await kubernetesTarget.open(options, access),
  };
}

describe("the kubernetes target with a manifest", () => {
  describesTarget(async () => {
    const { repository, facts, open } = begin();
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    return await Promise.resolve({
      facts,
      open,
      putForeign(name: string, value: string) {
        const metadata = { annotations: { "sealtree/marks": "" } };
        const held = { apiVersion: "v1", kind: "Secret", metadata, data: { [name]: base64(value) } };
        return Promise.resolve(repository.write(manifest, stringify(held)));
      },
      peek() {
        const { data } = parse(repository.read(manifest)) as { data: Record<string, string> };
        const values = Object.entries(data).map(([name, text]) => [name, Buffer.from(text, "base64").toString()]);
        return Promise.resolve(Object.fromEntries(values) as Record<string, string>);
      },
    });
  });

  it("is a Secret as kubectl takes it, for its owner's eyes", async () => {
    const { repository, open } = begin();
    await writeAll(await open(), { BETA: "test-two", ALPHA: "yes" });
    const path = join(repository.root, manifest);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(parse(readFileSync(path, "utf8"))).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "test-secret",
        namespace: "test-space",
        annotations: { "sealtree/marks": expect.any(String) as string },
      },
      type: "Opaque",
      data: { ALPHA: "eWVz", BETA: "dGVzdC10d28=" },
    });
  });

  it("is not written where git would take it", async () => {
    const { repository, open } = begin();
    repository.write(".gitignore", "");
    expect((await targetFailure((await open()).inspect(["ALPHA"]))).class).toBe("rejected");
    expect(existsSync(join(repository.root, manifest))).toBe(false);
    repository.write(".gitignore", "*.yaml\n");
    await writeAll(await open(), { ALPHA: "test-one" });
    repository.git("add", "--force", manifest);
    expect((await targetFailure((await open()).inspect(["ALPHA"]))).class).toBe("rejected");
  });
});
