import { Secret } from "../../../src/secret/secret.ts";
import { createAwsQuery } from "../../../src/services/aws-query.ts";
import { providerAccess } from "../provider-access.ts";
import type { TestMoto } from "./moto.ts";

/** As the account's root, when moto checks nothing. */
export async function callIamAsRoot(moto: TestMoto, action: string, fields: Readonly<Record<string, string>>) {
  const service = {
    name: "iam",
    endpoint: moto.url,
    region: "us-east-1",
    version: "2010-05-08",
    page: "test",
  } as const;
  const keys = { id: "AKIATESTTESTTESTROOT", secret: Secret.text("test") };
  return await createAwsQuery(service, () => Promise.resolve(keys), providerAccess({}))(action, fields);
}

/** A user who may do `actions` and nothing else, when moto checks nothing. Gives the parts of its access key. */
export async function makeAwsUser(
  moto: TestMoto,
  name: string,
  actions: readonly string[],
): Promise<Record<string, string>> {
  await callIamAsRoot(moto, "CreateUser", { UserName: name });
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
  if (actions.length > 0) {
    const policy = { PolicyName: "test", PolicyDocument: JSON.stringify(document) };
    await callIamAsRoot(moto, "PutUserPolicy", { UserName: name, ...policy });
  }
  const answer = await callIamAsRoot(moto, "CreateAccessKey", { UserName: name });
  return { id: answer.texts("AccessKeyId")[0] ?? "", secret: answer.texts("SecretAccessKey")[0] ?? "" };
}
