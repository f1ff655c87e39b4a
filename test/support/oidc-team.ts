import { fakeAwsRegion } from "./fakes/aws-json.ts";
import { startFakeSsm, type FakeSsm } from "./fakes/aws-ssm.ts";
import { startFakeSts, type FakeSts } from "./fakes/aws-sts.ts";
import { startFakeIdentity, type FakeIdentity } from "./fakes/github-identity.ts";
import { createSealedRepository, type TestRepository } from "./repository.ts";

/** GitHub's identity tokens, a role that trusts them, and the parameters that the role may write. */
export interface OidcServices {
  readonly github: FakeIdentity;
  readonly sts: FakeSts;
  readonly ssm: FakeSsm;
  readonly stop: () => Promise<void>;
}

export async function startOidcServices(): Promise<OidcServices> {
  const github = await startFakeIdentity();
  const [sts, ssm] = await Promise.all([startFakeSts(github), startFakeSsm()]);
  const stop = async () => {
    for (const fake of [github, sts, ssm]) await fake.stop();
  };
  return { github, sts, ssm, stop };
}

/** A repository with prod/api/API_KEY and a target that is signed in at with the identity of the job. */
export async function createOidcTeam({ sts, ssm }: OidcServices): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: "test-value-one" });
  const credentials = { role: sts.role, web_identity: "${oidc:sts.amazonaws.com}", sts_endpoint: sts.url };
  const parameters = { kind: "aws-ssm", scopes: ["prod/api"], region: fakeAwsRegion, path: "/test/api" };
  const targets = { parameters: { ...parameters, endpoint: ssm.url, credentials } };
  repository.write("policies/deploy.yaml", JSON.stringify({ targets }));
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}
