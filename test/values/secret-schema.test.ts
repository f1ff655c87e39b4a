import { describe, expect, it } from "vitest";
import { parseScopePath } from "../../src/secret/address.ts";
import type { Tree } from "../../src/store/tree.ts";
import { findSecretSchema, listRequired } from "../../src/values/secret-schema.ts";

async function read(text: string | undefined) {
  const bytes = text === undefined ? undefined : Buffer.from(text);
  const tree: Tree = { label: "a test", read: () => Promise.resolve(bytes), list: () => Promise.resolve([]) };
  return await findSecretSchema(tree);
}

describe("findSecretSchema", () => {
  it("gives the names that the rules of a scope require, each once, sorted", async () => {
    const { schema, findings } = await read(
      'version: 1\nrules:\n  - scopes: ["prod/**", "!prod/old"]\n    required: [B, A]\n  - scopes: ["*/web"]\n    required: [A, C]\n',
    );
    expect(findings).toEqual([]);
    if (schema === undefined) throw new Error("no schema");
    const requiredOf = (scope: string) => listRequired(schema, parseScopePath(scope));
    expect(requiredOf("prod/web")).toEqual(["A", "B", "C"]);
    expect(requiredOf("dev/web")).toEqual(["A", "C"]);
    expect(requiredOf("prod/old")).toEqual([]);
    expect(schema.rules.map(({ line }) => line)).toEqual([3, 5]);
  });

  it("is nothing where there is no file", async () => {
    expect(await read(undefined)).toEqual({ schema: undefined, findings: [] });
  });

  it.each([
    ["version: 2\nrules: []\n", 1],
    ["rules: []\n", 1],
    ["version: 1\nrules: []\nmore: 1\n", 3],
    ['version: 1\nrules:\n  - scopes: ["prod/**"]\n    required: [A]\n    format: url\n', 5],
    ['version: 1\nrules:\n  - scopes: ["user/${member}/**"]\n    required: [A]\n', 3],
    ['version: 1\nrules:\n  - scopes: ["prod/**"]\n    required: ["no name"]\n', 4],
    ["version: 1\nrules:\n  - scopes: []\n    required: [A]\n", 3],
  ])("finds a mistake in %j on line %d, and does not repeat it", async (text, line) => {
    const { schema, findings } = await read(text);
    expect(schema).toBeUndefined();
    expect(findings).toMatchObject([{ rule: "schema", severity: "error", file: "policies/schema.yaml", line }]);
    expect(JSON.stringify(findings)).not.toContain("no name");
  });
});
