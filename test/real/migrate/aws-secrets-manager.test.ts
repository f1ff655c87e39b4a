import { afterAll, beforeAll, expect, test } from "vitest";
import { Secret } from "../../../src/secret/secret.ts";
import { createAwsSecrets } from "../../../src/services/aws-secrets.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { createSealedRepository } from "../../support/repository.ts";
import { startMoto, type TestMoto } from "../../support/servers/moto.ts";
import { readScopeBytes } from "./flat-values.ts";

let moto: TestMoto;
beforeAll(async () => {
  moto = await startMoto();
});
afterAll(async () => await moto.stop());

const keys = { AWS_ACCESS_KEY_ID: "test-key-id", AWS_SECRET_ACCESS_KEY: "test-secret-key", AWS_REGION: "eu-central-1" };

async function create(name: string, value: Secret): Promise<void> {
  const where = {
    region: keys.AWS_REGION,
    endpoint: moto.url,
    credentials: {
      id: { kind: "environment", name: "AWS_ACCESS_KEY_ID" },
      secret: { kind: "environment", name: "AWS_SECRET_ACCESS_KEY" },
    },
  } as const;
  const client = createAwsSecrets(where, {
    read: (reference) =>
      Secret.text(reference.kind === "environment" ? (keys[reference.name as keyof typeof keys] ?? "") : ""),
    random: () => Buffer.alloc(0),
    now: () => new Date(),
    timeoutMs: 10_000,
  });
  await client.create(name, value, "test-token-0123456789-0123456789-01", { tags: {}, kmsKey: undefined });
}

async function importFrom(name: string) {
  const repository = await createSealedRepository();
  const argv = ["import", "prod/api", name, "--from", "aws-secrets-manager", "--yes", "--json"];
  const result = await repository.run(argv, { env: { ...keys, AWS_ENDPOINT_URL: moto.url } });
  return { result, repository };
}

test("the members of a JSON secret are imported value by value, nested ones too", async () => {
  const texts = Object.fromEntries(
    Object.entries(nastyValues).flatMap(([name, bytes]) =>
      name === "NOT_UTF8" || name === "MIB" ? [] : [[name, bytes.toString("utf8")]],
    ),
  );
  await create("prod/api", Secret.text(JSON.stringify({ ...texts, port: 5432, db: { user: "joe", gone: null } })));
  const { result, repository } = await importFrom("prod/api");
  expect(result.code).toBe(0);
  const read = await readScopeBytes(repository, "prod/api");
  expect(Object.fromEntries([...read].map(([name, bytes]) => [name, bytes.toString("utf8")]))).toEqual({
    ...texts,
    port: "5432",
    "db.user": "joe",
  });
});

test("a secret that is text or bytes is one value that goes by the end of its name", async () => {
  await create("prod/plain_token", Secret.text("not json {"));
  const text = await importFrom("prod/plain_token");
  expect(await readScopeBytes(text.repository, "prod/api")).toEqual(
    new Map([["plain_token", Buffer.from("not json {")]]),
  );
  await create("prod/bytes", Secret.of(Buffer.from([0, 255, 1]), "binary"));
  const binary = await importFrom("prod/bytes");
  expect(await readScopeBytes(binary.repository, "prod/api")).toEqual(new Map([["bytes", Buffer.from([0, 255, 1])]]));
});

test("a secret that is not there writes nothing", async () => {
  const { result } = await importFrom("prod/none");
  expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining("no value for that secret") });
});
