import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { gcpSecretManagerTarget } from "../../../src/deploy/targets/gcp-secret-manager.ts";
import { parseSecretName } from "../../../src/secret/address.ts";
import { createGcpSecrets } from "../../../src/services/gcp-secrets.ts";
import { startFakeGoogle } from "../../support/fakes/google.ts";
import { startFakeSecretManager, type FakeSecretManager } from "../../support/fakes/secret-manager.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { Secret } from "../../../src/secret/secret.ts";

let google: FakeSecretManager;

beforeEach(async () => {
  google = await startFakeSecretManager();
});
afterEach(async () => await google.stop());

const secretPath = "/v1/projects/{projectsId}/secrets/{secretsId}";
const create = "POST /v1/projects/{projectsId}/secrets";
const addVersion = `POST ${secretPath}:addVersion`;
const patch = `PATCH ${secretPath}`;

describe("the target gcp-secret-manager", () => {
  describesTarget(async () => {
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: gcpSecretManagerTarget.facts(optionsOf()),
      open,
      putForeign: (name, value) => Promise.resolve(google.put(name, value)),
      peek: () =>
        Promise.resolve(
          Object.fromEntries(
            [...google.secrets].map(([name, { versions }]) => [
              name,
              Buffer.from(versions.at(-1)?.data ?? "", "base64").toString(),
            ]),
          ),
        ),
      unreachable: async () => await open({ endpoint: away }),
    };
  });
  describesHttpTarget(async () => {
    const api = await startFakeSecretManager();
    const at = (token = "test-gcp-token", timeoutMs?: number) => open({ endpoint: api.url }, token, timeoutMs);
    return { api, open: at, look: `GET ${secretPath}`, write: create, rewrite: addVersion };
  });

  it("keeps labels and annotations of others, and makes no version when nothing is new", async () => {
    google.put("ALPHA", "test");
    const target = await open();
    await writeAll(target, { ALPHA: "test-new" });
    await writeAll(target, { ALPHA: "test-new" });
    const held = google.secrets.get("ALPHA");
    expect(held?.versions.length).toBe(2);
    expect(held?.labels).toMatchObject({ team: "test", sealtree: "managed" });
    expect(held?.annotations).toMatchObject({ note: "test", "sealtree-version": "2" });
    expect(count(patch)).toBe(1);
  });

  it.each([addVersion, patch])("goes on where it was cut off: %s", async (operation) => {
    const target = await open();
    google.failNext(operation, "lost answer");
    expect((await targetFailure(writeAll(target, { ALPHA: "test" }))).class).toBe("unknown");
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(found?.mark?.address).toBe("prod/api/ALPHA");
    await writeAll(target, { ALPHA: "test" });
    expect(google.secrets.get("ALPHA")?.versions.length).toBe(1);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test").mark);
  });

  it("does not write over what came in the meantime, nor over what was changed beside it", async () => {
    const target = await open();
    const item = itemOf("ALPHA", "test");
    google.put("ALPHA", "test-of-somebody-else");
    const write = target.apply({ writes: [item], removes: [], wanted: [item] }, recordProgress());
    expect((await targetFailure(write)).class).toBe("transient");
    expect(google.secrets.get("ALPHA")?.versions.length).toBe(1);

    await writeAll(target, { BETA: "test" });
    const beta = (await inspectByName(target, ["BETA"])).get("BETA");
    const held = google.secrets.get("BETA");
    if (beta === undefined || held === undefined) throw new Error("the fake has lost something");
    held.revision++;
    const removal = target.apply({ writes: [], removes: [beta], wanted: [] }, recordProgress());
    expect((await targetFailure(removal)).class).toBe("transient");
    expect(google.secrets.has("BETA")).toBe(true);
  });

  it("repeats nothing of what the service says", async () => {
    const canary = "contract-canary-5v1t";
    const target = await open();
    google.failNext(addVersion, { status: 400, json: { error: { code: canary, status: canary, message: canary } } });
    const failure = (await writeAll(target, { ALPHA: canary })).failures.get("ALPHA");
    expect(failure?.class).toBe("rejected");
    expect(JSON.stringify([failure?.message, failure?.hints, String(failure?.stack)])).not.toContain(canary);
  });

  it("works without the right to read, and sees by versions that somebody wrote another value", async () => {
    google.state.mayRead = false;
    const target = await open();
    await writeAll(target, { ALPHA: "test" });
    await writeAll(target, { ALPHA: "test" });
    expect(google.secrets.get("ALPHA")?.versions.length).toBe(1);
    const before = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(before?.mark).toEqual(itemOf("ALPHA", "test").mark);
    expect(before?.value).toBeUndefined();
    google.put("ALPHA", "test-of-somebody-else");
    const after = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(after?.mark).toEqual({ address: "prod/api/ALPHA", fingerprint: "0".repeat(16) });
    await writeAll(target, { ALPHA: "test" });
    expect(google.secrets.get("ALPHA")?.versions.length).toBe(3);
  });

  it("does not hide that somebody disabled the newest version, and writes over a destroyed one", async () => {
    const target = await open();
    await writeAll(target, { ALPHA: "test", BETA: "test" });
    const [alpha] = google.secrets.get("ALPHA")?.versions ?? [];
    const [beta] = google.secrets.get("BETA")?.versions ?? [];
    if (alpha === undefined || beta === undefined) throw new Error("the fake has lost something");
    alpha.state = "DISABLED";
    beta.state = "DESTROYED";
    const found = await inspectByName(target, ["ALPHA", "BETA"]);
    expect(found.get("ALPHA")?.blocked).toContain(
      "gcloud secrets versions enable 1 --secret=ALPHA --project=test-project",
    );
    expect([found.get("BETA")?.blocked, found.get("BETA")?.value]).toEqual([undefined, undefined]);
    expect(found.get("BETA")?.mark?.fingerprint).toBe("0".repeat(16));
    await writeAll(target, { BETA: "test" });
    expect(google.secrets.get("BETA")?.versions.length).toBe(2);
  });

  it("takes all bytes up to the limit with their checksum, and refuses more and nothing", async () => {
    const target = await open();
    const { maxValueBytes } = gcpSecretManagerTarget.facts(optionsOf());
    const values = Object.entries({ ...nastyValues, FULL: Buffer.alloc(maxValueBytes, 0xff) });
    const fit = values.filter(([, bytes]) => bytes.length > 0 && bytes.length <= maxValueBytes);
    const writes = fit.map(([name, bytes]) => ({ ...itemOf(name, ""), value: Secret.fromBytes(bytes) }));
    const progress = recordProgress();
    await target.apply({ writes, removes: [], wanted: writes }, progress);
    expect(progress.doneNames.length).toBe(fit.length);
    const found = await inspectByName(
      target,
      fit.map(([name]) => name),
    );
    for (const [name, bytes] of fit) expect(Buffer.from(found.get(name)?.value?.reveal() ?? [])).toEqual(bytes);
    const { failures } = await writeAll(target, { OVER: "x".repeat(maxValueBytes + 1), NONE: "" });
    expect([...failures.values()].map(({ class: it }) => it)).toEqual(["rejected", "rejected"]);
  });

  it("keeps new secrets in the places of the policy, or anywhere", async () => {
    await writeAll(await open(), { ALPHA: "test" });
    await writeAll(await open({ locations: ["europe-west3", "europe-west4"] }), { BETA: "test" });
    expect(google.secrets.get("ALPHA")?.replication).toEqual({ automatic: {} });
    expect(google.secrets.get("BETA")?.replication).toEqual({
      userManaged: { replicas: [{ location: "europe-west3" }, { location: "europe-west4" }] },
    });
  });

  it("logs in with the key file of a service account, and says auth for what is none", async () => {
    const login = await startFakeGoogle();
    onTestFinished(login.stop);
    const byKey = { credentials: { key: "${env:key}" }, oauth: login.oauth.url };
    const target = await gcpSecretManagerTarget.open(optionsOf(byKey), providerAccess({ key: login.adminKey }));
    expect((await writeAll(target, { ALPHA: "test" })).doneNames).toEqual(["ALPHA"]);
    expect(login.oauth.requests.length).toBe(1);
    const wrong = await gcpSecretManagerTarget.open(optionsOf(byKey), providerAccess({ key: "{}" }));
    expect((await targetFailure(wrong.inspect(["ALPHA"]))).class).toBe("auth");
  });

  it("maps names and holds Google's rule, and refuses projects and endpoints that are none", () => {
    const { nameRule } = gcpSecretManagerTarget.facts(optionsOf());
    expect(gcpSecretManagerTarget.toName(parseSecretName("DB_URL.main-2"), optionsOf())).toBe("DB_URL_main-2");
    for (const name of ["a b", "ä", "a/b", "", "a.b", "a:b"]) expect(nameRule.pattern.test(name)).toBe(false);
    for (const wrong of [
      { project: "../x" },
      { endpoint: "https://example.com" },
      { locations: [] },
      { credentials: { access_token: "test-value" } },
    ]) {
      const options = { project: "test-project", credentials: { access_token: "${env:token}" }, ...wrong };
      expect(gcpSecretManagerTarget.options.safeParse(options).success).toBe(false);
    }
  });

  it("is read by its small client", async () => {
    google.put("ALPHA", "test-value");
    const client = createGcpSecrets(optionsOf(), access());
    expect((await client.read("ALPHA"))?.revealText()).toBe("test-value");
    expect(await client.read("BETA")).toBeUndefined();
    const [version] = google.secrets.get("ALPHA")?.versions ?? [];
    if (version !== undefined) version.state = "DISABLED";
    expect(await client.read("ALPHA")).toBeUndefined();
  });
});

function optionsOf(more: object = {}) {
  return gcpSecretManagerTarget.options.parse({
    project: "test-project",
    endpoint: google.url,
    credentials: { access_token: "${env:token}" },
    ...more,
  });
}

function access(token = "test-gcp-token", timeoutMs?: number) {
  return providerAccess({ token }, timeoutMs);
}

async function open(more: object = {}, token?: string, timeoutMs?: number) {
  return await gcpSecretManagerTarget.open(optionsOf(more), access(token, timeoutMs));
}

function count(operation: string): number {
  return google.requests.filter((it) => it === operation).length;
}
