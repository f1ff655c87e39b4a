import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsSecretsManagerTarget } from "../../../src/deploy/targets/aws-secrets-manager.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { createAwsJson } from "../../../src/services/aws-json.ts";
import { createAwsSecrets } from "../../../src/services/aws-secrets.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { makeAwsUser } from "../../support/servers/moto-user.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import { startMoto, type TestMoto } from "../../support/servers/moto.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

/** As docs/targets/aws-secrets-manager.md lists them. */
const rights = [
  "secretsmanager:CreateSecret",
  "secretsmanager:DeleteSecret",
  "secretsmanager:DescribeSecret",
  "secretsmanager:GetSecretValue",
  "secretsmanager:ListSecrets",
  "secretsmanager:PutSecretValue",
  "secretsmanager:TagResource",
  "secretsmanager:UpdateSecretVersionStage",
];
const region = "eu-central-1";

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

describe.each([
  ["each", "test/api/", (value: string) => value],
  ["one", "test/api", (value: string, name: string) => JSON.stringify({ [name]: value })],
] as const)("the target aws-secrets-manager against moto, layout %s", (layout, prefix, print) => {
  describesTarget(async () => {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const root = createAwsSecrets(optionsOf(), providerAccess(keys));
    return {
      facts: awsSecretsManagerTarget.facts(optionsOf({ layout })),
      open: async () => await open({ layout }),
      async putForeign(name, value) {
        const token = "test-version-of-somebody-else-000001";
        const more = { tags: { team: "test" }, kmsKey: undefined };
        const at = layout === "each" ? `${prefix}${name}` : prefix;
        await root.create(at, Secret.text(print(value, name)), token, more);
      },
      unreachable: async () => await open({ layout, endpoint }),
    };
  });
});

describe("the target aws-secrets-manager against moto", () => {
  it("makes an earlier version current again, and keeps tags of others", async () => {
    const target = await open();
    for (const text of ["test-one", "test-two", "test-one"]) await writeAll(target, { ALPHA: text });
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(found?.value?.revealText()).toBe("test-one");
    expect(found?.mark).toEqual(itemOf("ALPHA", "test-one").mark);
    const { answer } = await callAsUser("ListSecretVersionIds", { SecretId: "test/api/ALPHA" });
    expect(answer.json).toMatchObject({ Versions: [{}, {}] });
  });

  it("says that a removed secret is to be deleted, and takes the name again when it is restored", async () => {
    const target = await open();
    await writeAll(target, { ALPHA: "test" });
    const found = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    if (found === undefined) throw new Error("it was not written");
    await target.apply({ writes: [], removes: [found], wanted: [] }, recordProgress());
    const removed = (await inspectByName(target, ["ALPHA"])).get("ALPHA");
    expect(removed?.blocked).toContain(
      "aws secretsmanager restore-secret --region eu-central-1 --secret-id test/api/ALPHA",
    );
    await callAsUser("RestoreSecret", { SecretId: "test/api/ALPHA" });
    await writeAll(target, { ALPHA: "test-new" });
    expect((await inspectByName(target, ["ALPHA"])).get("ALPHA")?.value?.revealText()).toBe("test-new");
  });

  it("is not let in with wrong keys or without rights, and shows no key", async () => {
    const wrong = await open({}, { ...keys, secret: "test-wrong-canary" });
    expect((await targetFailure(wrong.inspect(["ALPHA"]))).class).toBe("auth");
    await moto.checkAccess(false);
    const weak = await makeAwsUser(moto, "test-weak", ["secretsmanager:DescribeSecret", "secretsmanager:ListSecrets"]);
    await moto.checkAccess(true);
    const target = await open({}, weak);
    expect(await target.inspect(["ALPHA"])).toEqual([]);
    const failure = await targetFailure(writeAll(target, { ALPHA: "contract-canary-5v1t" }));
    // Amazon names the code; moto answers in another form.
    expect([failure.class, failure.message]).toEqual(["auth", expect.stringContaining("refused CreateSecret")]);
    expect(moto.logText()).not.toContain("contract-canary-5v1t");
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
  return awsSecretsManagerTarget.options.parse({
    region,
    endpoint: moto.url,
    path: "test/api",
    credentials,
    ...more,
  });
}

async function open(more: object = {}, as = keys) {
  return await awsSecretsManagerTarget.open(optionsOf(more), providerAccess(as));
}

/** Actions that the target never calls, when moto checks nothing. */
async function callAsUser(action: string, fields: Record<string, string>) {
  await moto.checkAccess(false);
  const service = {
    name: "secretsmanager",
    target: "secretsmanager",
    endpoint: moto.url,
    region,
    page: "test",
  } as const;
  const as = { id: keys["id"] ?? "", secret: Secret.text(keys["secret"] ?? "") };
  const answer = await createAwsJson(service, () => Promise.resolve(as), providerAccess({}))(action, fields);
  await moto.checkAccess(true);
  return answer;
}
