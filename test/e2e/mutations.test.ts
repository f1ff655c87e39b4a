import { readdirSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { errorCatalogue, isSealtreeError } from "../../src/errors.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { loadIdentities } from "../../src/identity/load.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import type { Tree } from "../../src/store/tree.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { openScope } from "../../src/values/open-scope.ts";
import { findCanaries, findCanaryFiles, findCanaryObjects } from "../support/canary.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

/** Every value begins with it, so that one search finds them all. */
const canary = "test-canary-of-mutations-";
const scopes = Array.from({ length: 10 }, (_, index) => `team-${index}/app`);
/** Names that a YAML reader could take for something else, then plain ones. */
const names = ["y", "No", "on", "NULL", "e5", "_1", "true", "web.api.key"];
while (names.length < 100) names.push(`SECRET_${names.length}`);

let repository: TestRepository;
let identities: readonly Identity[];

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  for (const scope of scopes) await importScope(scope, names);
  await importScope("mutated/app", names.slice(0, 12));
  await repository.ok(["rekey", "mutated/app", "--yes"]);
  const path = "secrets/mutated/app.yaml";
  repository.write(
    path,
    repository.read(path).replace("\nSECRET_9:", "\n# rotate with care\n# and tell alice\nSECRET_9:"),
  );
  repository.git("commit", "--quiet", "--all", "-m", "a comment");
  identities = (await loadIdentities({ env: repository.env })).identities;
});

describe("a repository of a thousand secrets", () => {
  it("has every name to read in its files", () => {
    for (const scope of scopes) {
      const text = repository.read(`secrets/${scope}.yaml`);
      for (const name of names) expect(text).toMatch(new RegExp(`^"?${name.replaceAll(".", "\\.")}"?: st1\\.`, "m"));
    }
  });

  it("has no value in any file, object of git, log or audit record", async () => {
    const value = (await repository.ok(["get", "team-0/app/y", "--reveal", "--yes"])).stdout;
    expect(value.startsWith(canary)).toBe(true);
    expect(findCanaryFiles([repository.root, repository.home], [canary])).toEqual([]);
    expect(findCanaryObjects(repository.root, [canary])).toEqual([]);
    expect(findCanaries(repository.git("log", "--all", "-p", "--stat"), [canary])).toEqual([]);
  });

  it.each(["1.1", "1.2"] as const)("has only files that YAML %s reads as we do", (version) => {
    for (const path of yamlFiles()) {
      const document = parseDocument(repository.read(path), { version, strict: true, uniqueKeys: true });
      expect({ path, wrong: [...document.errors, ...document.warnings] }).toEqual({ path, wrong: [] });
      const scope = /^secrets\/(.*)\.yaml$/.exec(path)?.[1] ?? "";
      if (!scopes.includes(scope)) continue;
      const { $sealtree, $scope, ...records } = document.toJS() as Record<string, unknown>;
      expect({ $sealtree, $scope }).toEqual({ $sealtree: 1, $scope: scope });
      expect(Object.keys(records).toSorted()).toEqual(names.toSorted());
      expect(Object.values(records).every((record) => typeof record === "string")).toBe(true);
    }
  });
});

describe("a scope of which one byte is changed", () => {
  const scope = parseScopePath("mutated/app");

  it("is refused, or gives the values that were set", async () => {
    const tree = openWorkTree(repository.root);
    const files = yamlFiles().filter((path) => path.startsWith("secrets/mutated/"));
    const contents = files.map((path) => readFileSync(join(repository.root, path)));
    const original = await readAll(tree);
    expect([files.length, original.size]).toEqual([3, 12]);
    let refused = 0;
    const change = fc.record({
      file: fc.nat({ max: files.length - 1 }),
      place: fc.noBias(fc.nat()),
      // Any byte, and more often those that mean something to a parser.
      byte: fc.oneof(fc.noBias(fc.nat({ max: 255 })), fc.constantFrom(...Buffer.from("\n\r\t #:<=>-_aA0\"'&*!|{}[]"))),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ file, place, byte }) => {
        const bytes = Buffer.from(contents[file] ?? "");
        const offset = place % bytes.length;
        fc.pre(bytes[offset] !== byte);
        bytes[offset] = byte;
        try {
          expect(await readAll(withFile(tree, files[file] ?? "", bytes))).toEqual(original);
        } catch (error) {
          if (!isSealtreeError(error)) throw error;
          const exitClass = error.code === "E_CONFLICT_MARKERS" ? "integrity" : errorCatalogue[error.code];
          expect([error.code, exitClass]).toEqual([error.code, "integrity"]);
          expect(findCanaries(inspect(error, { depth: 10, showHidden: true }), [canary])).toEqual([]);
          refused += 1;
        }
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  /** Every value with its kind, by name, in hex so that a difference shows no value. */
  async function readAll(tree: Tree): Promise<Map<string, string>> {
    const values = await (await openScope(tree, scope, identities)).openAll();
    return new Map(
      [...values].map(([name, secret]) => [name, `${secret.kind} ${Buffer.from(secret.reveal()).toString("hex")}`]),
    );
  }
});

async function importScope(scope: string, wanted: readonly string[]): Promise<void> {
  const entries = wanted.map((name, index) => [name, `${canary}${scope}-${index}`] as const);
  await repository.ok(["import", scope, "--format", "json", "--yes"], {
    stdin: JSON.stringify(Object.fromEntries(entries)),
  });
}

function yamlFiles(): string[] {
  return ["secrets", "policies"].flatMap((directory) =>
    readdirSync(join(repository.root, directory), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".yaml"))
      .map((path) => `${directory}/${path}`),
  );
}

/** `tree`, but for one file. */
function withFile(tree: Tree, path: string, bytes: Uint8Array): Tree {
  return { ...tree, read: async (asked) => (asked === path ? bytes : await tree.read(asked)) };
}
