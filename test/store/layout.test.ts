import { describe, expect, it } from "vitest";
import { parseScopePath, parseSecretName } from "../../src/secret/address.ts";
import { generationPath, parseSecretsPath, scopeFilePath } from "../../src/store/layout.ts";

describe("parseSecretsPath", () => {
  const scope = parseScopePath("prod/api");
  const generation = "0123456789abcdef0123456789abcdef";

  it("is the reverse of the path makers", () => {
    expect(parseSecretsPath(scopeFilePath(scope))).toEqual({ kind: "scope", scope });
    expect(parseSecretsPath(generationPath(scope, generation))).toEqual({ kind: "generation", scope, generation });
    expect(parseSecretsPath("secrets/prod/api.rotation/mcp.key.yaml")).toEqual({
      kind: "journal",
      scope,
      name: parseSecretName("mcp.key"),
    });
  });

  it.each([
    "secrets/Prod/api.yaml",
    "secrets/prod/api.yml",
    "secrets/prod/../api.yaml",
    "secrets//api.yaml",
    "secrets/con.yaml",
    "secrets/prod/api.keys/short.yaml",
    `secrets/prod/api.keys/${"A".repeat(32)}.yaml`,
    "secrets/prod/api.other/x.yaml",
    "secrets/a/b/c/d/e/f/g/h/i.yaml",
    "policies/access.yaml",
    "secrets/prod/api.yaml/x",
  ])("takes %s for nothing of ours", (path) => {
    expect(parseSecretsPath(path)).toBeUndefined();
  });
});
