import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsSsmTarget } from "../../../src/deploy/targets/aws-ssm.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { createAwsParameters } from "../../../src/services/aws-parameters.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { makeAwsUser } from "../../support/servers/moto-user.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import { startMoto, type TestMoto } from "../../support/servers/moto.ts";
import { describesTarget, inspectByName, targetFailure, writeAll } from "../../support/target-contract.ts";

/** As docs/targets/aws-ssm.md lists them. */
const rights = [
  "ssm:AddTagsToResource",
  "ssm:DeleteParameter",
  "ssm:DescribeParameters",
  "ssm:GetParametersByPath",
  "ssm:ListTagsForResource",
  "ssm:PutParameter",
];

let moto: TestMoto;
let keys: Record<string, string>;

beforeAll(async () => {
  moto = await startMoto();
});
afterAll(async () => await moto.stop());
beforeEach(async () => {
  await moto.checkAccess(false);
  await fetch(`${moto.url}/moto-api/reset`, { method: "POST" });
  keys = await makeAwsUser(moto, "test-deploy", rights);
  await moto.checkAccess(true);
});

describe("the target aws-ssm against moto", () => {
  describesTarget(async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const client = createAwsParameters(optionsOf(), providerAccess(keys));
    return {
      facts: awsSsmTarget.facts(optionsOf()),
      open,
      async putForeign(name, value) {
        await client.create(`/test/api/${name}`, Secret.text(value), { Type: "SecureString" }, { team: "test" });
      },
      unreachable: async () => await open({ endpoint }),
    };
  });

  it("holds moto's own limit of the tiers, and reads all pages", async () => {
    const target = await open({ tier: "advanced" });
    const names = Array.from({ length: 23 }, (_, index) => `NAME_${index}`);
    await writeAll(target, Object.fromEntries(names.map((name) => [name, `test-${name}`])));
    expect((await inspectByName(target, names)).size).toBe(23);
    await writeAll(target, { FULL: "x".repeat(8192) });
    expect((await inspectByName(target, ["FULL"])).get("FULL")?.value?.reveal().length).toBe(8192);
  });

  it("keeps the words and the key of a parameter", async () => {
    const client = createAwsParameters(optionsOf(), providerAccess(keys));
    const settings = { Type: "SecureString", KeyId: "alias/aws/ssm", Description: "test", Tier: "Advanced" };
    await client.create("/test/api/ALPHA", Secret.text("test"), settings, { team: "test" });
    await writeAll(await open(), { ALPHA: "test-new" });
    expect(await client.readSettings("/test/api/ALPHA")).toMatchObject(settings);
    expect((await client.readTags("/test/api/ALPHA")).get("team")).toBe("test");
  });

  it("is not let in with wrong keys", async () => {
    const wrong = await open({}, { ...keys, secret: "test-wrong" });
    expect((await targetFailure(wrong.inspect(["ALPHA"]))).class).toBe("auth");
    expect(moto.logText()).not.toContain(keys["secret"] ?? "none");
  });

  it("refuses keys of another account than the policy names, before it asks for anything", async () => {
    const of = (account: string) => open({ account, sts_endpoint: moto.url });
    expect(await (await of("123456789012")).inspect(["ALPHA"])).toEqual([]);
    const failure = await targetFailure(of("111122223333"));
    expect([failure.class, failure.message]).toEqual([
      "auth",
      "the keys belong to another account of Amazon than the target names",
    ]);
  });
});

function optionsOf(more: object = {}) {
  const credentials = { id: "${env:id}", secret: "${env:secret}" };
  return awsSsmTarget.options.parse({
    region: "eu-central-1",
    endpoint: moto.url,
    path: "/test/api",
    credentials,
    ...more,
  });
}

async function open(more: object = {}, as = keys) {
  return await awsSsmTarget.open(optionsOf(more), providerAccess(as));
}
