import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultTarget } from "../../../src/deploy/targets/vault.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { createSealedRepository } from "../../support/repository.ts";
import { startOpenBao, type TestOpenBao } from "../../support/servers/openbao.ts";
import { targetFailure, writeAll } from "../../support/target-contract.ts";
import { makeTestCertificate } from "../../support/test-certificate.ts";

const path = "test/login";
const policy = `
path "secret/data/${path}" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/${path}" { capabilities = ["patch"] }`;
let bao: TestOpenBao;
beforeAll(async () => {
  bao = await startOpenBao();
  await bao.admin("PUT", "sys/policies/acl/test-deploy", { policy });
});
afterAll(async () => await bao.stop());

async function open(auth: object, values: Readonly<Record<string, string>>) {
  const options = vaultTarget.options.parse({ address: bao.url, ca: bao.ca, path, auth });
  return await vaultTarget.open(options, providerAccess(values));
}

async function dataOf(at: string): Promise<unknown> {
  return ((await bao.admin("GET", `secret/data/${at}`))["data"] as { data: unknown }).data;
}

describe("signing in at a real OpenBao", () => {
  it("signs in by AppRole, and ends its token", async () => {
    await bao.admin("POST", "sys/auth/deployers", { type: "approle" });
    await bao.admin("POST", "auth/deployers/role/test-role", { token_policies: ["test-deploy"] });
    const role = (await bao.admin("GET", "auth/deployers/role/test-role/role-id"))["data"] as { role_id: string };
    const proof = (await bao.admin("POST", "auth/deployers/role/test-role/secret-id", {}))["data"] as {
      secret_id: string;
    };
    const auth = { method: "approle", mount: "deployers", role_id: role.role_id, secret_id: "${env:SECRET_ID}" };
    const accessors = async () =>
      (await bao.admin("GET", "auth/token/accessors?list=true"))["data"] as { keys: string[] };
    const before = (await accessors()).keys.length;
    const target = await open(auth, { SECRET_ID: proof.secret_id });
    await writeAll(target, { ALPHA: "test-one" });
    expect((await accessors()).keys.length).toBe(before + 1);
    await target.close();
    expect((await accessors()).keys.length).toBe(before);
    const failure = await targetFailure(open(auth, { SECRET_ID: "test-wrong" }));
    expect(failure.class).toBe("auth");
  });

  it("signs in with a JWT, as a workflow with OIDC does", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await bao.admin("POST", "sys/auth/jwt", { type: "jwt" });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    await bao.admin("POST", "auth/jwt/config", {
      jwt_validation_pubkeys: [pem],
      bound_issuer: "https://test.example.com",
    });
    await bao.admin("POST", "auth/jwt/role/deploy", {
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: ["https://bao.example.com"],
      bound_subject: "repo:acme/api:environment:production",
      token_policies: ["test-deploy"],
    });
    const auth = { method: "jwt", role: "deploy", jwt: "${env:JWT}" };
    const claims = { iss: "https://test.example.com", aud: "https://bao.example.com" };
    const good = printJwt({ ...claims, sub: "repo:acme/api:environment:production" }, privateKey);
    await writeAll(await open(auth, { JWT: good }), { ALPHA: "test-jwt" });
    expect(await dataOf(path)).toEqual({ ALPHA: "test-jwt" });
    const other = printJwt({ ...claims, sub: "repo:acme/other:environment:production" }, privateKey);
    expect((await targetFailure(open(auth, { JWT: other }))).class).toBe("auth");
  });
});

describe("sealtree deploy to a real OpenBao, with the manifests for it", () => {
  it("writes all in order, then nothing, follows a change, and leaves alone what somebody else did", async () => {
    const repository = await createSealedRepository();
    const values = { API_KEY: "test-deploy-api-key", DB_URL: "test-deploy-db-url" };
    await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: JSON.stringify(values) });
    const auth = '{token: "${env:BAO_TOKEN}"}';
    const where = "namespace: shop, name: api, scopes: [prod/api]";
    repository.write("deploy/cert.pem", makeTestCertificate().pem);
    repository.write(
      "policies/deploy.yaml",
      `targets:
  bao: {kind: vault, address: "${bao.url}", path: ${path}-cli, auth: ${auth}, ca: "\${env:BAO_CA}", scopes: [prod/api], required: true}
  external: {kind: external-secret, file: deploy/external.yaml, ${where}, after: [bao], store: {name: bao}, remote: {key: ${path}-cli, property: "{name}"}}
  sealed: {kind: sealed-secret, file: deploy/sealed.yaml, ${where}, certificate: deploy/cert.pem}
`,
    );
    repository.git("add", ".");
    repository.git("commit", "--quiet", "-m", "targets");
    const token = await bao.createToken(policy.replaceAll(path, `${path}-cli`));
    const env = { ...repository.env, BAO_TOKEN: token, BAO_CA: bao.ca };
    const deploy = async (...more: readonly string[]) => await repository.run(["deploy", "--yes", ...more], { env });

    const first = await deploy();
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining("bao: in order, 2 written")]);
    expect(await dataOf(`${path}-cli`)).toEqual(values);
    const manifests = () =>
      ["deploy/external.yaml", "deploy/sealed.yaml"].map((file) => readFileSync(join(repository.root, file), "utf8"));
    const before = manifests();
    expect([before[0]?.includes("secretKey: DB_URL"), before[1]?.includes("DB_URL: AQ")]).toEqual([true, true]);
    expect((await deploy()).stdout).toBe("");
    expect(manifests()).toEqual(before);

    await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-deploy-new-key" });
    expect((await deploy()).code).toBe(0);
    expect(await dataOf(`${path}-cli`)).toEqual({ ...values, API_KEY: "test-deploy-new-key" });
    const lines = (text = "") => text.split("\n").filter((line) => line.includes("DB_URL: "));
    expect(lines(manifests()[1])).toEqual(lines(before[1]));

    await bao.admin("PATCH", `secret/data/${path}-cli`, { data: { API_KEY: "test-by-hand", THEIRS: "test" } });
    const drift = await repository.run(["drift", "bao"], { env });
    expect([drift.code, `${drift.stdout}${drift.stderr}`]).toEqual([
      expect.any(Number),
      expect.stringContaining("API_KEY"),
    ]);
    expect((await deploy("bao")).code).toBe(0);
    expect(await dataOf(`${path}-cli`)).toEqual({ ...values, API_KEY: "test-deploy-new-key", THEIRS: "test" });
  });
});

function printJwt(claims: object, key: KeyObject): string {
  const now = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: "ES256", typ: "JWT" },
    { ...claims, iat: now, nbf: now - 5, exp: now + 300 },
  ];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
