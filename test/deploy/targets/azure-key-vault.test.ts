import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { azureKeyVaultTarget } from "../../../src/deploy/targets/azure-key-vault.ts";
import { parseSecretName } from "../../../src/secret/address.ts";
import { createAzureSecrets } from "../../../src/services/azure-secrets.ts";
import { startFakeAzure, type FakeAzure } from "../../support/fakes/azure.ts";
import { startFakeKeyVault, type FakeKeyVault } from "../../support/fakes/key-vault.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import { describesTarget, inspectByName, itemOf, targetFailure, writeAll } from "../../support/target-contract.ts";

let vault: FakeKeyVault;
let azure: FakeAzure;

beforeEach(async () => {
  vault = await startFakeKeyVault();
  azure = await startFakeAzure();
});
afterEach(async () => {
  await azure.stop();
  await vault.stop();
});

const put = "PUT /secrets/{secret-name}";
const patch = "PATCH /secrets/{secret-name}/{secret-version}";

describe("the target azure-key-vault", () => {
  describesTarget(async () => {
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: azureKeyVaultTarget.facts(optionsOf()),
      open,
      putForeign: (name, value) => Promise.resolve(vault.put(name, value)),
      peek: () =>
        Promise.resolve(
          Object.fromEntries([...vault.secrets.values()].map((it) => [it.name, it.versions.at(-1)?.value ?? ""])),
        ),
      unreachable: async () => await open({ vault: away }),
    };
  });
  describesHttpTarget(async () => {
    const api = await startFakeKeyVault();
    const at = (secret = "test-admin-secret", timeoutMs?: number) => open({ vault: api.url }, secret, timeoutMs);
    return { api, open: at, look: "GET /secrets", write: put };
  });

  it("keeps tags, content type and times of others, and makes no version when nothing is new", async () => {
    vault.put("ALPHA", "test");
    const target = await open();
    await writeAll(target, { ALPHA: "test-new" });
    await writeAll(target, { ALPHA: "test-new" });
    const held = vault.secrets.get("alpha");
    expect(held?.versions.length).toBe(2);
    expect(held?.versions.at(-1)).toMatchObject({ tags: { team: "test" }, contentType: "text/test" });
    expect(held?.attributes).toMatchObject({ nbf: 1, exp: 2_000_000_000 });
  });

  it("marks what has the value already, without a version", async () => {
    vault.put("ALPHA", "test-same");
    const target = await open();
    await writeAll(target, { ALPHA: "test-same" });
    expect(vault.secrets.get("alpha")?.versions.length).toBe(1);
    expect(vault.requests).toContain(patch);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test-same").mark);
  });

  it("does not write over what came in the meantime", async () => {
    const target = await open();
    const [before] = await target.inspect(["ALPHA"]);
    vault.put("ALPHA", "test-of-somebody-else");
    const item = itemOf("ALPHA", "test", before);
    const write = target.apply({ writes: [item], removes: [], wanted: [item] }, { done: () => {}, failed: () => {} });
    expect((await targetFailure(write)).class).toBe("transient");
    expect(vault.secrets.get("alpha")?.versions.at(-1)?.value).toBe("test-of-somebody-else");
  });

  it("says how a deleted name, a disabled one and one of a certificate are freed", async () => {
    const target = await open();
    vault.deleted.add("alpha");
    vault.put("BETA", "test");
    vault.put("GAMMA", "test");
    const [beta, gamma] = [vault.secrets.get("beta"), vault.secrets.get("gamma")];
    if (beta === undefined || gamma === undefined) throw new Error("the fake has lost something");
    beta.attributes.enabled = false;
    gamma.isManaged = true;
    const found = await inspectByName(target, ["ALPHA", "BETA", "GAMMA"]);
    expect(found.get("ALPHA")?.blocked).toMatch(/az keyvault secret recover --vault-name \S+ --name ALPHA/);
    expect(found.get("ALPHA")?.blocked).toMatch(/az keyvault secret purge --vault-name \S+ --name ALPHA/);
    expect(found.get("BETA")?.blocked).toMatch(/set-attributes .*--name BETA --enabled true/);
    expect(found.get("GAMMA")?.blocked).toBe("it belongs to a certificate of the vault");
  });

  it("repeats nothing of what the service says", async () => {
    const canary = "contract-canary-5v1t";
    const target = await open();
    vault.failNext("PUT /secrets/{secret-name}", {
      status: 400,
      json: { error: { code: canary, status: canary, message: canary } },
    });
    const failure = (await writeAll(target, { ALPHA: canary })).failures.get("ALPHA");
    expect(failure?.class).toBe("rejected");
    expect(JSON.stringify([failure?.message, failure?.hints, String(failure?.stack)])).not.toContain(canary);
  });

  it("works without the right to read: marks are seen, values not", async () => {
    vault.state.mayRead = false;
    const target = await open();
    await writeAll(target, { ALPHA: "test" });
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(found?.mark).toEqual(itemOf("ALPHA", "test").mark);
    expect(found?.value).toBeUndefined();
    expect(found?.changedAtMs).toBeGreaterThan(0);
  });

  it("takes text byte by byte up to the limit, and refuses more, bytes, and a sixteenth tag", async () => {
    const target = await open();
    const { maxValueBytes } = azureKeyVaultTarget.facts(optionsOf());
    const texts = { QUOTES: "a\"b'c`$d\\", LINES: "one\r\ntwo\n", WIDE: "ä€𝕊", FULL: "x".repeat(maxValueBytes) };
    expect((await writeAll(target, texts)).failures.size).toBe(0);
    for (const [name, text] of Object.entries(texts)) {
      expect(vault.secrets.get(name.toLowerCase())?.versions.at(-1)?.value).toBe(text);
    }
    vault.put("TAGGED", "test");
    const tagged = vault.secrets.get("tagged")?.versions.at(-1);
    for (let count = 0; count < 14; count++) if (tagged !== undefined) tagged.tags[`tag${count}`] = "test";
    const { failures } = await writeAll(target, { FULL: "x".repeat(maxValueBytes + 1), TAGGED: "test-more" });
    expect([...failures].map(([name, { class: it }]) => [name, it])).toEqual([
      ["FULL", "rejected"],
      ["TAGGED", "rejected"],
    ]);
  });

  it("maps names, of which Key Vault knows no case, and holds its rule", () => {
    const { nameRule } = azureKeyVaultTarget.facts(optionsOf());
    expect(azureKeyVaultTarget.toName(parseSecretName("DB_URL.main"), optionsOf())).toBe("DB-URL-main");
    expect(nameRule.ignoresCase).toBe(true);
    for (const name of ["A_B", "a b", "ä", "a/b", "", "a.b"]) expect(nameRule.pattern.test(name)).toBe(false);
  });

  it("logs in with an assertion, and says auth for one that is wrong and for a token that has ended", async () => {
    const { client } = optionsOf().credentials;
    const byAssertion = { tenant: "test.example", client, assertion: "${env:assertion}" };
    const target = await open({ credentials: byAssertion });
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    vault.state.token = "test-another";
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("auth");
  });

  it("refuses vaults of strangers, other versions of the API than such, and values in place of references", () => {
    const right = { vault: "https://test.vault.azure.net", credentials: credentials() };
    expect(azureKeyVaultTarget.options.safeParse(right).success).toBe(true);
    for (const wrong of [
      { vault: "https://vault.azure.net.example.com" },
      { vault: "http://test.vault.azure.net" },
      { api_version: "latest" },
      { credentials: { ...credentials(), secret: "test-value" } },
      { strange: true },
    ]) {
      expect(azureKeyVaultTarget.options.safeParse({ ...right, ...wrong }).success).toBe(false);
    }
  });

  it("is read by its small client", async () => {
    vault.put("ALPHA", "test-value");
    const client = createAzureSecrets(optionsOf(), access());
    expect((await client.read("ALPHA"))?.revealText()).toBe("test-value");
    expect(await client.read("BETA")).toBeUndefined();
  });
});

function credentials() {
  return { tenant: "test.example", client: azure.admin, secret: "${env:secret}" };
}

function optionsOf(more: object = {}) {
  return azureKeyVaultTarget.options.parse({
    vault: vault.url,
    login: azure.login.url,
    credentials: credentials(),
    ...more,
  });
}

function access(secret = "test-admin-secret", timeoutMs?: number) {
  return providerAccess({ secret, assertion: "test-admin-assertion" }, timeoutMs);
}

async function open(more: object = {}, secret?: string, timeoutMs?: number) {
  return await azureKeyVaultTarget.open(optionsOf(more), access(secret, timeoutMs));
}
