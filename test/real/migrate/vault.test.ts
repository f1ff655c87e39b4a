import { afterAll, beforeAll, expect, test } from "vitest";
import { nastyValues } from "../../support/nasty-values.ts";
import { createSealedRepository } from "../../support/repository.ts";
import { startOpenBao, type TestOpenBao } from "../../support/servers/openbao.ts";
import { readScopeBytes } from "./flat-values.ts";

let bao: TestOpenBao;
beforeAll(async () => {
  bao = await startOpenBao();
});
afterAll(async () => await bao.stop());

const texts = Object.fromEntries(
  Object.entries(nastyValues).flatMap(([name, bytes]) =>
    name === "NOT_UTF8" || name === "MIB" ? [] : [[name, bytes.toString("utf8")]],
  ),
);

test("an entry of a KV engine is imported value by value with a token that may only read it", async () => {
  await bao.admin("POST", "secret/data/apps/api", { data: { OLD: "1" } });
  await bao.admin("POST", "secret/data/apps/api", {
    data: { ...texts, "odd key/é": "x", NUMBER: 5432, LIST: [1, "two"] },
  });
  const token = await bao.createToken('path "secret/data/apps/api" { capabilities = ["read"] }');
  const env = { VAULT_ADDR: bao.url, VAULT_TOKEN: token, VAULT_CACERT_BYTES: bao.ca };
  const repository = await createSealedRepository();
  const result = await repository.ok(["import", "prod/api", "secret/apps/api", "--from", "vault", "--yes", "--json"], {
    env,
  });
  expect(result.json()).toMatchObject({
    verified: Object.keys(texts).length + 3,
    left_out: [{ reason: "1 versions before this one" }],
    values: expect.arrayContaining([
      expect.objectContaining({ name: "odd_key__", source: "odd key/é", renamed: true }),
    ]),
  });
  const read = await readScopeBytes(repository, "prod/api");
  expect(Object.fromEntries([...read].map(([name, bytes]) => [name, bytes.toString("utf8")]))).toEqual({
    ...texts,
    odd_key__: "x",
    NUMBER: "5432",
    LIST: '[1,"two"]',
  });
});

test("a path that is not there, a token that may not read and a wrong address write nothing", async () => {
  const repository = await createSealedRepository();
  const token = await bao.createToken('path "secret/data/none" { capabilities = ["read"] }');
  const env = { VAULT_ADDR: bao.url, VAULT_TOKEN: token, VAULT_CACERT_BYTES: bao.ca };
  const run = async (path: string, more = {}) =>
    await repository.run(["import", "prod/api", path, "--from", "vault", "--yes"], { env: { ...env, ...more } });
  expect(await run("secret/none")).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing at that path") });
  expect(await run("secret/apps/other")).toMatchObject({ code: 9 });
  expect(await run("secret/none", { VAULT_ADDR: "https://127.0.0.1:1" })).toMatchObject({ code: 9 });
  expect(await run("secret/none", { VAULT_CACERT_BYTES: "" })).toMatchObject({ code: 9 });
  expect(await run("secret")).toMatchObject({ code: 2 });
});
