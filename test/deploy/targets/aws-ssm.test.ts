import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsSsmTarget } from "../../../src/deploy/targets/aws-ssm.ts";
import { createAwsParameters } from "../../../src/services/aws-parameters.ts";
import { fakeAwsKeys, fakeAwsRegion, refuseAws } from "../../support/fakes/aws-json.ts";
import { startFakeSsm, type FakeSsm } from "../../support/fakes/aws-ssm.ts";
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

let amazon: FakeSsm;

beforeEach(async () => {
  amazon = await startFakeSsm();
});
afterEach(async () => await amazon.stop());

describe("the target aws-ssm", () => {
  describesTarget(async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: awsSsmTarget.facts(optionsOf()),
      open,
      putForeign: (name, value) => Promise.resolve(amazon.put(`/test/api/${name}`, value)),
      peek: () =>
        Promise.resolve(
          Object.fromEntries([...amazon.parameters].map(([name, it]) => [name.replace("/test/api/", ""), it.value])),
        ),
      unreachable: async () => await open({ endpoint }),
    };
  });
  describesHttpTarget(async () => {
    const api = await startFakeSsm();
    const at = (secret?: string, timeoutMs?: number) => open({ endpoint: api.url }, secret, timeoutMs);
    return { api, open: at, look: "GetParametersByPath", write: "PutParameter" };
  });

  it("keeps the key, the tier, the words and the tags of a parameter, and makes no version when nothing is new", async () => {
    const settings = {
      Type: "SecureString",
      Tier: "Advanced",
      KeyId: "alias/test",
      Description: "test",
      AllowedPattern: "^test",
      DataType: "text",
    };
    amazon.put("/test/api/ALPHA", "test", settings);
    const target = await open();
    await writeAll(target, { ALPHA: "test-new" });
    await writeAll(target, { ALPHA: "test-new" });
    const held = amazon.parameters.get("/test/api/ALPHA");
    expect(held).toMatchObject({ value: "test-new", version: 2, settings });
    expect(held?.tags.get("team")).toBe("test");
  });

  it("makes new ones encrypted, with the key and the tier of the policy, and raises a tier but never lowers one", async () => {
    amazon.put("/test/api/BETA", "test");
    const target = await open({ tier: "advanced", kms_key: "alias/test" });
    await writeAll(target, { ALPHA: "x".repeat(8192), BETA: "x".repeat(5000) });
    expect(amazon.parameters.get("/test/api/ALPHA")?.settings).toEqual({
      Type: "SecureString",
      Tier: "Advanced",
      KeyId: "alias/test",
    });
    expect(amazon.parameters.get("/test/api/BETA")?.settings["Tier"]).toBe("Advanced");
  });

  it("sets the mark where it was cut off between the value and the mark", async () => {
    const target = await open();
    await writeAll(target, { ALPHA: "test" });
    amazon.failNext("AddTagsToResource", { status: 500 });
    expect((await targetFailure(writeAll(target, { ALPHA: "test-new" }))).class).toBe("unknown");
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test").mark);
    await writeAll(target, { ALPHA: "test-new" });
    expect(amazon.parameters.get("/test/api/ALPHA")?.version).toBe(2);
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test-new").mark);
  });

  it("does not write over what came in the meantime", async () => {
    const target = await open();
    amazon.put("/test/api/ALPHA", "test-of-somebody-else");
    const item = itemOf("ALPHA", "test");
    const write = target.apply({ writes: [item], removes: [], wanted: [item] }, recordProgress());
    expect((await targetFailure(write)).class).toBe("transient");
    expect(amazon.parameters.get("/test/api/ALPHA")?.value).toBe("test-of-somebody-else");
  });

  it.each([
    ["ThrottlingException", "transient"],
    ["TooManyUpdates", "transient"],
    ["ParameterMaxVersionLimitExceeded", "limit"],
    ["ParameterLimitExceeded", "limit"],
    ["ExpiredTokenException", "auth"],
    ["com.amazonaws.ssm#AccessDeniedException", "auth"],
  ])("tells what %s means", async (code, wanted) => {
    const target = await open();
    amazon.failNext("PutParameter", refuseAws(code));
    expect((await targetFailure(writeAll(target, { ALPHA: "test" }))).class).toBe(wanted);
  });

  it("takes text up to the limit of its tier, and goes on after one that does not fit", async () => {
    const texts = { QUOTES: "a\"b'c`$d\\", LINES: "one\r\ntwo\n", WIDE: "ä€𝕊", FULL: "x".repeat(4096) };
    const target = await open();
    const { doneNames, failures } = await writeAll(target, { OVER: "x".repeat(4097), NONE: "", ...texts });
    expect(doneNames).toEqual(Object.keys(texts));
    expect([...failures.values()].map(({ class: it }) => it)).toEqual(["rejected", "rejected"]);
    const found = await inspectByName(target, Object.keys(texts));
    for (const [name, text] of Object.entries(texts)) expect(found.get(name)?.value?.revealText()).toBe(text);
    expect(awsSsmTarget.facts(optionsOf({ tier: "advanced" })).maxValueBytes).toBe(8192);
  });

  it("does not write a secret into a parameter that is not encrypted", async () => {
    amazon.put("/test/api/ALPHA", "test", { Type: "String", Tier: "Standard" });
    const found = (await inspectByName(await open(), ["ALPHA"])).get("ALPHA");
    expect(found?.blocked).toContain("aws ssm delete-parameter --region eu-central-1 --name /test/api/ALPHA");
  });

  it("repeats nothing of what the service says", async () => {
    const canary = "contract-canary-5v1t";
    const target = await open();
    amazon.failNext("PutParameter", { status: 400, json: { __type: canary, message: canary } });
    const failure = (await writeAll(target, { ALPHA: canary })).failures.get("ALPHA");
    expect(failure?.class).toBe("rejected");
    expect(JSON.stringify([failure?.message, failure?.hints, String(failure?.stack)])).not.toContain(canary);
  });

  it("looks directly below its path alone", async () => {
    amazon.put("/test/api/below/ALPHA", "test");
    amazon.put("/test/apix/ALPHA", "test");
    expect(await (await open()).inspect(["ALPHA", "below/ALPHA"])).toEqual([]);
  });

  it("holds Amazon's rule of names, and refuses paths of Amazon's own, other hosts and values", () => {
    const { nameRule } = awsSsmTarget.facts(optionsOf());
    for (const name of ["a b", "ä", "a/b", "", "a:b", "a@b"]) expect(nameRule.pattern.test(name)).toBe(false);
    for (const wrong of [
      { path: "/aws/x" },
      { path: "/SSMx" },
      { path: "test" },
      { path: "/test/" },
      { path: `${"/a".repeat(15)}` },
      { endpoint: "https://ssm.example.com" },
      { credentials: { id: "AKIATESTTESTTESTTEST", secret: "test" } },
    ]) {
      expect(awsSsmTarget.options.safeParse({ ...writtenOf(), ...wrong }).success).toBe(false);
    }
  });

  it("is read by its small client", async () => {
    amazon.put("/test/name", "test-value");
    const client = createAwsParameters(optionsOf(), access());
    expect((await client.read("/test/name"))?.revealText()).toBe("test-value");
    expect(await client.read("/test/none")).toBeUndefined();
  });
});

function writtenOf(more: object = {}) {
  const credentials = { id: "${env:id}", secret: "${env:secret}" };
  return { region: fakeAwsRegion, endpoint: amazon.url, path: "/test/api", credentials, ...more };
}

function optionsOf(more: object = {}) {
  return awsSsmTarget.options.parse(writtenOf(more));
}

function access(secret: string = fakeAwsKeys.secret, timeoutMs?: number) {
  return providerAccess({ id: fakeAwsKeys.id, secret }, timeoutMs);
}

async function open(more: object = {}, secret?: string, timeoutMs?: number) {
  return await awsSsmTarget.open(optionsOf(more), access(secret, timeoutMs));
}
