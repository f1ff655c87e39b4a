import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsSecretsManagerTarget } from "../../../src/deploy/targets/aws-secrets-manager.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { createAwsSecrets } from "../../../src/services/aws-secrets.ts";
import { fakeAwsKeys, fakeAwsRegion } from "../../support/fakes/aws-json.ts";
import { startFakeAwsSecrets, type FakeAwsSecrets } from "../../support/fakes/aws-secrets-manager.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
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

let amazon: FakeAwsSecrets;

beforeEach(async () => {
  amazon = await startFakeAwsSecrets();
});
afterEach(async () => await amazon.stop());

const one = { layout: "one" } as const;

describe("the target aws-secrets-manager", () => {
  describesTarget(async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: awsSecretsManagerTarget.facts(optionsOf()),
      open,
      putForeign: (name, value) => Promise.resolve(amazon.put(`test/api/${name}`, value)),
      peek: () =>
        Promise.resolve(
          Object.fromEntries(
            [...amazon.secrets.keys()].map((name) => [
              name.replace("test/api/", ""),
              amazon.current(name)?.SecretString ?? "",
            ]),
          ),
        ),
      unreachable: async () => await open({ endpoint }),
    };
  });
  describesHttpTarget(async () => {
    const api = await startFakeAwsSecrets();
    const at = (secret?: string, timeoutMs?: number) => open({ endpoint: api.url }, secret, timeoutMs);
    return { api, open: at, look: "DescribeSecret", write: "CreateSecret", rewrite: "UpdateSecretVersionStage" };
  });

  it("makes no version when nothing is new, and keeps tags of others", async () => {
    amazon.put("test/api/ALPHA", "test");
    const target = await open();
    await writeAll(target, { ALPHA: "test-new" });
    const calls = count("PutSecretValue");
    await writeAll(target, { ALPHA: "test-new" });
    expect(count("PutSecretValue")).toBe(calls);
    const held = amazon.secrets.get("test/api/ALPHA");
    expect(held?.versions.size).toBe(2);
    expect(Object.fromEntries(held?.tags ?? [])).toMatchObject({
      team: "test",
      "sealtree-address": "prod/api/ALPHA",
    });
  });

  it.each(["PutSecretValue", "UpdateSecretVersionStage", "TagResource"])(
    "makes one version, also when it is cut off after %s",
    async (action) => {
      const target = await open();
      await writeAll(target, { ALPHA: "test" });
      amazon.failNext(action, "lost answer");
      expect((await targetFailure(writeAll(target, { ALPHA: "test-new" }))).class).toBe("unknown");
      await writeAll(target, { ALPHA: "test-new" });
      expect(amazon.secrets.get("test/api/ALPHA")?.versions.size).toBe(2);
      expect(amazon.current("test/api/ALPHA")).toEqual({ SecretString: "test-new" });
      expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test-new").mark);
    },
  );

  it("makes an earlier version current again, instead of another of the same value", async () => {
    const target = await open();
    for (const text of ["test-one", "test-two", "test-one"]) await writeAll(target, { ALPHA: text });
    const held = amazon.secrets.get("test/api/ALPHA");
    expect(held?.versions.size).toBe(2);
    expect(amazon.current("test/api/ALPHA")).toEqual({ SecretString: "test-one" });
    const previous = [...(held?.versions.values() ?? [])].find(({ stages }) => stages.has("AWSPREVIOUS"));
    expect(previous?.value).toEqual({ SecretString: "test-two" });
  });

  it.each([{}, one])("does not write over what came in the meantime: %o", async (layout) => {
    const target = await open(layout);
    await writeAll(target, { ALPHA: "test" });
    const before = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    const name = "layout" in layout ? "test/api" : "test/api/ALPHA";
    amazon.put(name, '{"ALPHA":"test-of-somebody-else"}');
    const item = itemOf("ALPHA", "test-new", before);
    const write = target.apply({ writes: [item], removes: [], wanted: [item] }, recordProgress());
    expect((await targetFailure(write)).class).toBe("transient");
    expect(amazon.current(name)?.SecretString).toContain("test-of-somebody-else");
  });

  it("works without the right to read, and sees by versions that somebody wrote another value", async () => {
    amazon.denied.add("GetSecretValue");
    const target = await open();
    await writeAll(target, { ALPHA: "test" });
    const before = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(before?.mark).toEqual(itemOf("ALPHA", "test").mark);
    expect(before?.value).toBeUndefined();
    amazon.put("test/api/ALPHA", "test-of-somebody-else");
    const after = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(after?.mark).toEqual({ address: "prod/api/ALPHA", fingerprint: "0".repeat(16) });
    await writeAll(target, { ALPHA: "test" });
    expect(amazon.current("test/api/ALPHA")).toEqual({ SecretString: "test" });
  });

  it("says auth when it may not tag, list or make, and names the action alone", async () => {
    for (const action of ["ListSecrets", "CreateSecret"]) {
      amazon.denied.clear();
      amazon.denied.add(action);
      const failure = await targetFailure(writeAll(await open(), { ALPHA: "test" }));
      expect([failure.class, failure.message]).toEqual(["auth", `Amazon refused ${action} with AccessDeniedException`]);
    }
  });

  it.each([{}, one])("says how a scheduled deletion is taken back: %o", async (layout) => {
    const target = await open(layout);
    const name = "layout" in layout ? "test/api" : "test/api/ALPHA";
    amazon.put(name, "{}");
    const held = amazon.secrets.get(name);
    if (held === undefined) throw new Error("the fake has lost something");
    held.deletedAt = 1_769_817_600;
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.blocked).toBe(
      `its deletion is scheduled; to have it back: aws secretsmanager restore-secret --region eu-central-1 --secret-id ${name}`,
    );
  });

  it("repeats nothing of what the service says", async () => {
    const canary = "contract-canary-5v1t";
    const target = await open();
    amazon.failNext("CreateSecret", { status: 400, json: { __type: canary, message: canary } });
    const failure = (await writeAll(target, { ALPHA: canary })).failures.get("ALPHA");
    expect(failure?.class).toBe("rejected");
    expect(JSON.stringify([failure?.message, failure?.hints, String(failure?.stack)])).not.toContain(canary);
  });

  it("leaves what Amazon rotates to Amazon", async () => {
    amazon.put("test/api/ALPHA", "test");
    const held = amazon.secrets.get("test/api/ALPHA");
    if (held !== undefined) held.isRotated = true;
    expect((await inspectByName(await open(), ["ALPHA"])).get("ALPHA")?.blocked).toContain("it rotates it");
  });

  it("takes text and bytes up to the limit, and refuses more and nothing", async () => {
    const target = await open();
    const { maxValueBytes } = awsSecretsManagerTarget.facts(optionsOf());
    const bytes = { ...itemOf("BYTES", "b"), value: Secret.of(Buffer.from([0xff, 0, 0x80]), "binary") };
    await target.apply({ writes: [bytes], removes: [], wanted: [bytes] }, recordProgress());
    const texts = { QUOTES: "a\"b'c`$d\\", LINES: "one\r\ntwo\n", WIDE: "ä€𝕊", FULL: "x".repeat(maxValueBytes) };
    await writeAll(target, texts);
    const found = await inspectByName(target, ["BYTES", ...Object.keys(texts)]);
    expect(Buffer.from(found.get("BYTES")?.value?.reveal() ?? []).toString("hex")).toBe("ff0080");
    for (const [name, text] of Object.entries(texts)) expect(found.get(name)?.value?.revealText()).toBe(text);
    const { failures } = await writeAll(target, { OVER: "x".repeat(maxValueBytes + 1), NONE: "" });
    expect([...failures.values()].map(({ class: it }) => it)).toEqual(["rejected", "rejected"]);
  });

  it("gives a new secret the key of the policy, and refuses an address that no tag takes", async () => {
    const target = await open({ kms_key: "alias/test" });
    const long = { ...itemOf("BETA", "test"), mark: { address: `${"a".repeat(300)}/B`, fingerprint: "0".repeat(16) } };
    const progress = recordProgress();
    const writes = [itemOf("ALPHA", "test"), long];
    await target.apply({ writes, removes: [], wanted: writes }, progress);
    expect(amazon.secrets.get("test/api/ALPHA")?.kmsKey).toBe("alias/test");
    expect([...progress.failures.keys()]).toEqual(["BETA"]);
  });

  it("holds Amazon's rule of names, and refuses other hosts and values in place of references", () => {
    const { nameRule } = awsSecretsManagerTarget.facts(optionsOf());
    for (const name of ["a b", "ä", "a/b", "", "a:b", "a*"]) expect(nameRule.pattern.test(name)).toBe(false);
    expect(nameRule.maxLength + "test/api/".length).toBe(512);
    for (const wrong of [
      { region: "../x" },
      { endpoint: "https://secretsmanager.example.com" },
      { path: "a//b" },
      { path: "a/" },
      { credentials: { id: "AKIATESTTESTTESTTEST", secret: "test" } },
    ]) {
      expect(awsSecretsManagerTarget.options.safeParse({ ...writtenOf(), ...wrong }).success).toBe(false);
    }
  });

  it("is read by its small client", async () => {
    amazon.put("test/name", "test-value");
    const client = createAwsSecrets(optionsOf(), access());
    expect((await client.read("test/name"))?.revealText()).toBe("test-value");
    expect(await client.read("test/none")).toBeUndefined();
  });
});

describe("the target aws-secrets-manager with one secret for all values", () => {
  describesTarget(async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const peek = () => JSON.parse(amazon.current("test/api")?.SecretString ?? "{}") as Record<string, string>;
    return {
      facts: awsSecretsManagerTarget.facts(optionsOf(one)),
      open: async () => await open(one),
      putForeign: (name, value) =>
        Promise.resolve(amazon.put("test/api", JSON.stringify({ ...peek(), [name]: value }))),
      peek: () => Promise.resolve(peek()),
      unreachable: async () => await open({ ...one, endpoint }),
    };
  });
  describesHttpTarget(async () => {
    const api = await startFakeAwsSecrets();
    const at = (secret?: string, timeoutMs?: number) => open({ ...one, endpoint: api.url }, secret, timeoutMs);
    return { api, open: at, look: "DescribeSecret", write: "CreateSecret", rewrite: "UpdateSecretVersionStage" };
  });

  it("keeps keys of others to the letter, and writes all of a change as one version", async () => {
    const foreign = '"big":12345678901234567890,"nested":{"a": [1.0, "}"]}';
    amazon.put("test/api", `{ ${foreign} , "ALPHA":"test"}`);
    const target = await open(one);
    await writeAll(target, { ALPHA: "test-new", BETA: 'b"\\\n' });
    expect(amazon.current("test/api")?.SecretString).toBe(`{${foreign},"ALPHA":"test-new","BETA":"b\\"\\\\\\n"}`);
    expect(count("PutSecretValue")).toBe(1);
    await writeAll(target, { ALPHA: "test-new" });
    expect(count("PutSecretValue")).toBe(1);
  });

  it("loses nothing when two write at once: one is told to look again", async () => {
    await writeAll(await open(one), { ALPHA: "test" });
    const [first, second] = [await open(one), await open(one)];
    const change = async (target: typeof first, name: string) => {
      const items = [itemOf(name, `test-${name}`, (await inspectByName(target, [name])).get(name))];
      return { writes: items, removes: [], wanted: items };
    };
    const changes = [await change(first, "BETA"), await change(second, "GAMMA")] as const;
    const ends = await Promise.allSettled([
      first.apply(changes[0], recordProgress()),
      second.apply(changes[1], recordProgress()),
    ]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await writeAll(second, { BETA: "test-BETA", GAMMA: "test-GAMMA" });
    expect(JSON.parse(amazon.current("test/api")?.SecretString ?? "")).toEqual({
      ALPHA: "test",
      BETA: "test-BETA",
      GAMMA: "test-GAMMA",
    });
  });

  it("does not write over a secret that holds no object", async () => {
    amazon.put("test/api", "test-plain-text");
    const failure = await targetFailure((await open(one)).inspect(["ALPHA"]));
    expect(failure.class).toBe("rejected");
    expect(failure.message).not.toContain("test-plain-text");
  });

  it("says when all values together are more than one secret takes", async () => {
    const values = { ALPHA: "x".repeat(40_000), BETA: "x".repeat(30_000) };
    expect((await targetFailure(writeAll(await open(one), values))).class).toBe("limit");
    expect(amazon.secrets.size).toBe(0);
  });
});

function writtenOf(more: object = {}) {
  const credentials = { id: "${env:id}", secret: "${env:secret}" };
  return { region: fakeAwsRegion, endpoint: amazon.url, path: "test/api", credentials, ...more };
}

function optionsOf(more: object = {}) {
  return awsSecretsManagerTarget.options.parse(writtenOf(more));
}

function access(secret: string = fakeAwsKeys.secret, timeoutMs?: number) {
  return providerAccess({ id: fakeAwsKeys.id, secret }, timeoutMs);
}

async function open(more: object = {}, secret?: string, timeoutMs?: number) {
  return await awsSecretsManagerTarget.open(optionsOf(more), access(secret, timeoutMs));
}

function count(action: string): number {
  return amazon.requests.filter((it) => it === action).length;
}
