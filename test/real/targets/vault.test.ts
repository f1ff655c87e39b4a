import { z } from "zod";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { vaultTarget } from "../../../src/deploy/targets/vault.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { openVaultClient } from "../../../src/services/vault-client.ts";
import { vaultConnectionOptions } from "../../../src/services/vault-connection.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { startOpenBao, type TestOpenBao } from "../../support/servers/openbao.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { makeTestCertificate } from "../../support/test-certificate.ts";

let bao: TestOpenBao;
let places = 0;
beforeAll(async () => {
  bao = await startOpenBao();
});
afterAll(async () => await bao.stop());

/** The policies of docs/targets/vault.md, for a place. */
const policies = {
  keys: (path: string) => `
path "secret/data/${path}" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/${path}" { capabilities = ["patch"] }`,
  each: (path: string) => `
path "secret/data/${path}/*" { capabilities = ["create", "read", "update", "patch", "delete"] }
path "secret/metadata/${path}/*" { capabilities = ["read", "list", "patch"] }`,
};

interface Begun {
  readonly path: string;
  readonly layout: "keys" | "each";
  readonly options: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, string>>;
}

async function begin(layout: "keys" | "each", policy = policies[layout]): Promise<Begun> {
  const path = `test/place-${++places}`;
  const token = await bao.createToken(policy(path));
  const options = { address: bao.url, ca: bao.ca, auth: { token: "${env:TOKEN}" }, path, layout };
  return { path, layout, options, values: { TOKEN: `${token}\n` } };
}

async function open({ options, values }: Begun, more: object = {}) {
  return await vaultTarget.open(vaultTarget.options.parse({ ...options, ...more }), providerAccess(values));
}

async function dataOf(path: string): Promise<Record<string, string>> {
  const answer = await bao.admin("GET", `secret/data/${path}`, undefined, [404]);
  return (answer as { data?: { data?: Record<string, string> | null } }).data?.data ?? {};
}

async function metadataOf(path: string) {
  const answer = await bao.admin("GET", `secret/metadata/${path}`);
  return answer["data"] as { current_version: number; custom_metadata: Record<string, string> | null };
}

describe("the vault target at a real OpenBao", () => {
  for (const layout of ["keys", "each"] as const) {
    describe(`with the layout ${layout}`, () => {
      describesTarget(async () => {
        const begun = await begin(layout);
        return {
          facts: vaultTarget.facts(vaultTarget.options.parse(begun.options)),
          open: async () => await open(begun),
          async putForeign(name, value) {
            const [at, key] = layout === "keys" ? [begun.path, name] : [`${begun.path}/${name}`, "value"];
            await bao.admin("POST", `secret/data/${at}`, { data: { ...(await dataOf(at)), [key]: value } });
          },
          async peek() {
            if (layout === "keys") return await dataOf(begun.path);
            const listed = await bao.admin("GET", `secret/metadata/${begun.path}?list=true`, undefined, [404]);
            const { keys = [] } = (listed["data"] ?? {}) as { keys?: string[] };
            const values = keys.map(async (key) => [key, (await dataOf(`${begun.path}/${key}`))["value"]] as const);
            return Object.fromEntries(await Promise.all(values)) as Record<string, string>;
          },
          unreachable: async () => await open(begun, { address: `https://127.0.0.1:${await findFreePort()}` }),
        };
      });
    });
  }

  it("keeps keys, custom metadata and settings of others, and makes one version a change and none for marks", async () => {
    const begun = await begin("keys");
    await bao.admin("POST", `secret/data/${begun.path}`, { data: { theirs: "test", nested: { a: [1] } } });
    await bao.admin("POST", `secret/metadata/${begun.path}`, {
      max_versions: 7,
      custom_metadata: { owner: "somebody" },
    });
    const target = await open(begun);
    await writeAll(target, { ALPHA: "test-one", BETA: "test-two" });
    expect(await dataOf(begun.path)).toEqual({
      theirs: "test",
      nested: { a: [1] },
      ALPHA: "test-one",
      BETA: "test-two",
    });
    const found = await inspectByName(target, ["ALPHA", "BETA", "theirs", "nested"]);
    expect([...found].flatMap(([name, { mark }]) => (mark === undefined ? [name] : []))).toEqual(["theirs", "nested"]);
    const removes = [...found.values()].filter(({ name }) => name === "BETA");
    await target.apply({ writes: [], removes, wanted: [] }, recordProgress());
    const { custom_metadata: metadata, ...rest } = await metadataOf(begun.path);
    expect(metadata).toEqual({
      owner: "somebody",
      "sealtree.0": expect.stringMatching(/^ALPHA:[0-9a-f]{16}:prod\/api\/$/),
    });
    expect(rest).toMatchObject({ current_version: 3, max_versions: 7 });
  });

  it("loses no race: a write over a version that it did not see is refused, and nothing is changed", async () => {
    const begun = await begin("keys");
    const [one, other] = [await open(begun), await open(begun)];
    await one.inspect(["ALPHA"]);
    await other.inspect(["ALPHA"]);
    const change = (text: string) => ({ writes: [itemOf("ALPHA", text)], removes: [], wanted: [] });
    await one.apply(change("test-first"), recordProgress());
    expect((await targetFailure(other.apply(change("test-second"), recordProgress()))).class).toBe("transient");
    expect(await dataOf(begun.path)).toEqual({ ALPHA: "test-first" });
    await other.inspect(["ALPHA"]);
    await other.apply(change("test-second"), recordProgress());
    expect(await dataOf(begun.path)).toEqual({ ALPHA: "test-second" });
    expect((await targetFailure(one.apply(change("test-third"), recordProgress()))).class).toBe("transient");
  });

  for (const layout of ["keys", "each"] as const) {
    it(`writes anew what was deleted, destroyed or removed with all its versions: layout ${layout}`, async () => {
      const begun = await begin(layout);
      const at = layout === "keys" ? begun.path : `${begun.path}/ALPHA`;
      const target = await open(begun);
      await writeAll(target, { ALPHA: "test-one" });
      const ends = [
        async () => await bao.admin("DELETE", `secret/data/${at}`),
        async () =>
          await bao.admin("PUT", `secret/destroy/${at}`, { versions: [(await metadataOf(at)).current_version] }),
        async () => await bao.admin("DELETE", `secret/metadata/${at}`),
      ];
      for (const end of ends) {
        await end();
        expect(await target.inspect(["ALPHA"])).toEqual([]);
        await writeAll(target, { ALPHA: "test-again" });
        const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
        expect([found?.value?.revealText(), found?.mark?.address]).toEqual(["test-again", "prod/api/ALPHA"]);
      }
      await bao.admin("DELETE", `secret/data/${at}`);
      await target.inspect(["ALPHA"]);
      await bao.admin("POST", `secret/undelete/${at}`, { versions: [(await metadataOf(at)).current_version] });
      const writes = [itemOf("ALPHA", "test-over")];
      const progress = recordProgress();
      // The version is the one that was seen, deleted then and not now: written on top of, not over.
      await target.apply({ writes, removes: [], wanted: writes }, progress);
      expect(progress.doneNames).toEqual(["ALPHA"]);
    });
  }

  it("carries every text byte for byte", async () => {
    const begun = await begin("keys");
    const texts = Object.entries(nastyValues).filter(
      ([name, bytes]) => name !== "MIB" && Buffer.from(bytes.toString()).equals(bytes),
    );
    const writes = texts.map(([name, bytes]) => ({ ...itemOf(name, name), value: Secret.text(bytes.toString()) }));
    const target = await open(begun);
    await target.inspect([]);
    await target.apply({ writes, removes: [], wanted: writes }, recordProgress());
    const found = await inspectByName(
      target,
      texts.map(([name]) => name),
    );
    expect(texts.filter(([name, bytes]) => found.get(name)?.value?.revealText() !== bytes.toString())).toEqual([]);
  });

  it("has room for the marks of 600 secrets in one entry, and says so when there is none", async () => {
    const begun = await begin("keys");
    const target = await open(begun);
    const values = Object.fromEntries(
      Array.from({ length: 600 }, (_, index) => [`SERVICE_${index}_TOKEN`, `test-${index}`]),
    );
    await writeAll(target, values);
    const found = await inspectByName(target, []);
    expect(found.size).toBe(600);
    // A server takes so many at a time and no more.
    expect((await metadataOf(begun.path)).current_version).toBe(2);
    const more = Object.fromEntries(
      Array.from({ length: 900 }, (_, index) => [`ANOTHER_SERVICE_${index}_TOKEN`, "test"]),
    );
    expect((await targetFailure(writeAll(target, more))).class).toBe("limit");
    expect((await metadataOf(begun.path)).current_version).toBe(2);
  });

  it("takes the largest value that it says it takes", async () => {
    const begun = await begin("keys");
    const target = await open(begun);
    const size = vaultTarget.facts(vaultTarget.options.parse(begun.options)).maxValueBytes;
    await writeAll(target, { BIG: "\n".repeat(1000) + "x".repeat(size - 1000) });
    expect((await inspectByName(target, ["BIG"])).get("BIG")?.value?.reveal().length).toBe(size);
  });

  it("says who may not what before anything is written, and classes tokens that are not good", async () => {
    const weak = await begin(
      "keys",
      (path) => `path "secret/data/${path}" { capabilities = ["create", "read", "update"] }`,
    );
    const failure = await targetFailure((await open(weak)).inspect(["ALPHA"]));
    expect([failure.class, failure.message]).toEqual(["auth", `the token may not patch at secret/data/${weak.path}`]);
    const begun = await begin("keys");
    const bad = { ...begun, values: { TOKEN: "test-no-token" } };
    expect((await targetFailure((await open(bad)).inspect(["ALPHA"]))).class).toBe("auth");
    expect((await targetFailure(writeAll(await open(weak, { path: "elsewhere" }), { ALPHA: "test" }))).class).toBe(
      "auth",
    );
    await bao.admin("POST", "sys/mounts/old-kv", { type: "kv", options: { version: "1" } });
    const root = { ...begun, values: { TOKEN: bao.rootToken } };
    expect((await targetFailure((await open(root, { mount: "old-kv" })).inspect(["ALPHA"]))).class).toBe("rejected");
    expect((await targetFailure((await open(root, { mount: "none" })).inspect(["ALPHA"]))).class).toBe("auth");
    const silent = await targetFailure((await open(begun, { ca: otherAuthority() })).inspect(["ALPHA"]));
    expect([silent.class, silent.message]).toEqual(["transient", expect.stringContaining("certificate")]);
  });

  it("works in a namespace, and sees nothing of others", async () => {
    await bao.admin("POST", "sys/namespaces/team", {});
    await bao.admin("POST", "team/sys/mounts/kv", { type: "kv", options: { version: "2" } });
    const begun = await begin("keys");
    const inside = { ...begun, values: { TOKEN: bao.rootToken } };
    const target = await open(inside, { namespace: "team", mount: "kv" });
    await writeAll(target, { ALPHA: "test-team" });
    expect((await bao.admin("GET", `team/kv/data/${begun.path}`))["data"]).toMatchObject({
      data: { ALPHA: "test-team" },
    });
    expect(await (await open(begun)).inspect(["ALPHA"])).toEqual([]);
  });

  it("is read by the client alone: a value, a deleted entry, and none", async () => {
    const connection = z
      .object(vaultConnectionOptions)
      .parse({ address: bao.url, ca: bao.ca, auth: { token: "${env:TOKEN}" } });
    const client = await openVaultClient(connection, "secret", providerAccess({ TOKEN: bao.rootToken }));
    onTestFinished(async () => await client.close());
    await bao.admin("POST", "secret/data/read/one", { data: { text: "test ä", count: 7, list: ["a"] } });
    const entry = await client.read("read/one");
    const values = [...(entry?.data ?? [])].map(([key, value]) => [key, value.revealText()]);
    expect(Object.fromEntries(values)).toEqual({ text: "test ä", count: "7", list: '["a"]' });
    expect(Math.abs((entry?.changedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    await bao.admin("DELETE", "secret/data/read/one");
    expect(await client.read("read/one")).toMatchObject({ version: 1, data: undefined });
    expect(await client.read("read/none")).toBeUndefined();
  });
});

function otherAuthority(): string {
  return makeTestCertificate({ type: "ec" }).pem;
}
