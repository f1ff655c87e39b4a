import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { externalSecretTarget } from "../../../src/deploy/targets/external-secret.ts";
import { providerAccess } from "../../support/provider-access.ts";
import {
  describesTarget,
  inspectByName,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const file = "deploy/external.yaml";
const place = { file, namespace: "test-space", name: "test-secret", store: { name: "test-store" } };

function begin(more: Readonly<Record<string, unknown>> = {}) {
  const root = makeThrowAway("sealtree-test-");
  const path = join(root, file);
  const parsed = (changes: object = {}) => externalSecretTarget.options.parse({ ...place, ...more, ...changes });
  return {
    facts: externalSecretTarget.facts(parsed()),
    open: async (changes: object = {}) =>
      await externalSecretTarget.open(parsed(changes), { ...providerAccess({}), directory: root }),
    isThere: () => existsSync(path),
    text: () => readFileSync(path, "utf8"),
    write: (text: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
  };
}

describe("the external-secret target", () => {
  describesTarget(async () => {
    const { facts, open, write } = begin();
    return await Promise.resolve({
      facts,
      open: async () => await open(),
      putForeign(name: string) {
        const held = { apiVersion: "external-secrets.io/v1", kind: "ExternalSecret" };
        const metadata = { annotations: { "sealtree/marks": "" } };
        const data = [{ secretKey: name, remoteRef: { key: "test-foreign", version: "2" } }];
        return Promise.resolve(write(stringify({ ...held, metadata, spec: { data } })));
      },
    });
  });

  it("maps each key to the store, holds no value, and is the same bytes for the same secrets", async () => {
    const remote = { key: "apps/{scope}", property: "{name}" };
    const { open, text } = begin({ store: { name: "vault", kind: "ClusterSecretStore" }, refresh: "15m", remote });
    await writeAll(await open(), { BETA: "contract-canary-5v1t", ALPHA: "test-one" });
    const first = text();
    expect(parse(first)).toEqual({
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      metadata: {
        name: "test-secret",
        namespace: "test-space",
        annotations: expect.objectContaining({
          "sealtree/marks": expect.stringMatching(/^ALPHA:[0-9a-f]{16}:prod\/api\/ BETA:/),
        }),
      },
      spec: {
        refreshInterval: "15m",
        secretStoreRef: { name: "vault", kind: "ClusterSecretStore" },
        target: { name: "test-secret" },
        data: [
          { secretKey: "ALPHA", remoteRef: { key: "apps/prod/api", property: "ALPHA" } },
          { secretKey: "BETA", remoteRef: { key: "apps/prod/api", property: "BETA" } },
        ],
      },
    });
    expect(first).not.toContain("contract-canary-5v1t");
    const other = begin({ store: { name: "vault", kind: "ClusterSecretStore" }, refresh: "15m", remote });
    await writeAll(await other.open(), { ALPHA: "test-one" });
    await writeAll(await other.open(), { BETA: "contract-canary-5v1t" });
    expect(other.text()).toBe(first);
  });

  it("is what the operator's resource definition allows", async () => {
    const description = new URL("../../support/descriptions/external-secret.json", import.meta.url);
    const { schema } = JSON.parse(readFileSync(description, "utf8")) as { schema: object };
    const validate = new Ajv().compile(schema);
    for (const more of [{}, { refresh: "0" }, { remote: { key: "apps/{scope}", property: "{name}" } }]) {
      const { open, text } = begin(more);
      await writeAll(await open(), { ALPHA: "test-one", "tls.crt": "test-two" });
      const written: unknown = parse(text());
      expect([validate(written), validate.errors]).toEqual([true, null]);
      expect(validate(parse(text().replace("secretKey: ALPHA", "secret_key: ALPHA")))).toBe(false);
    }
  });

  it("keeps what others wrote into the manifest, and follows when the mapping changes", async () => {
    const { open, text, write } = begin();
    await writeAll(await open(), { ALPHA: "test-one" });
    const row = "\n    - secretKey: ADDED\n      remoteRef:\n        key: other\n";
    write(text().trimEnd().replace("  target:\n", "  target:\n    creationPolicy: Merge\n") + row);
    await writeAll(await open(), { BETA: "test-two" });
    const { spec } = parse(text()) as { spec: { target: unknown; data: { secretKey: string }[] } };
    expect(spec.target).toEqual({ creationPolicy: "Merge", name: "test-secret" });
    expect(spec.data.map(({ secretKey }) => secretKey)).toEqual(["ADDED", "ALPHA", "BETA"]);
    const moved = await inspectByName(await open({ remote: { key: "new/{name}" } }), ["ALPHA", "ADDED"]);
    expect([moved.get("ALPHA")?.mark?.fingerprint, moved.get("ADDED")?.mark]).toEqual(["0".repeat(16), undefined]);
  });

  it("makes no file to look, and writes over none of others", async () => {
    const { open, isThere, write } = begin();
    await (await open()).inspect(["ALPHA"]);
    expect(isThere()).toBe(false);
    write("kind: ExternalSecret\n");
    const target = await open();
    expect((await targetFailure(target.inspect([]))).class).toBe("rejected");
    const change = { writes: [], removes: [], wanted: [] };
    expect((await targetFailure(target.apply(change, recordProgress()))).class).toBe("rejected");
  });

  it("takes only options of the right form", () => {
    const takes = (more: object) => externalSecretTarget.options.safeParse({ ...place, ...more }).success;
    expect(takes({ remote: { key: "apps/{scope}/{name}" } })).toBe(true);
    for (const bad of [
      { remote: { key: "{other}" } },
      { remote: { key: "a b" } },
      { refresh: "soon" },
      { store: { name: "x", kind: "Vault" } },
    ])
      expect(takes(bad)).toBe(false);
  });
});
