import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSealedRepository } from "../../support/repository.ts";
import { makeThrowAway } from "../../support/throw-away.ts";
import { flatten, readScopeBytes } from "./flat-values.ts";

function makeFile(data: Readonly<Record<string, unknown>>) {
  const folder = makeThrowAway("sealtree-ejson-");
  const keys = join(folder, "keys");
  mkdirSync(keys);
  const ejson = (...args: string[]) =>
    execFileSync("ejson", ["-keydir", keys, ...args], { cwd: folder, encoding: "utf8" });
  const publicKey = ejson("keygen", "-w").trim();
  const file = join(folder, "secrets.ejson");
  writeFileSync(file, JSON.stringify({ _public_key: publicKey, ...data }, null, 2));
  ejson("encrypt", file);
  const { _public_key: _, ...opened } = JSON.parse(ejson("decrypt", file)) as Record<string, unknown>;
  return { keys, publicKey, file, opened };
}

const value = fc.oneof(
  fc.string({ unit: "grapheme-composite", maxLength: 30 }).filter((it) => !/\p{Surrogate}|\0/u.test(it)),
  fc.integer(),
  fc.boolean(),
);
const branch = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,9}$/), value, {
  minKeys: 1,
  maxKeys: 5,
  noNullPrototype: true,
});

test("generated values that ejson sealed are imported value by value", async () => {
  const [made = {}] = fc.sample(
    fc.dictionary(
      fc.stringMatching(/^[A-Za-z][a-z]{2,9}$/),
      fc.oneof(value, branch, fc.array(value, { minLength: 1, maxLength: 3 })),
      { minKeys: 20, maxKeys: 30, noNullPrototype: true },
    ),
    { seed: 20_260_103, numRuns: 1 },
  );
  const { keys, file, opened } = makeFile({
    ...made,
    _open: "in the open",
    environment: { PASSWORD: "p$w\n'\"", _note: "open too" },
  });
  expect(readFileSync(file, "utf8")).toContain("EJ[1:");
  const repository = await createSealedRepository();
  await repository.ok(["import", "dev/app", file, "--from", "ejson", "--keys", keys, "--yes"]);
  const read = await readScopeBytes(repository, "dev/app");
  const check = ["import", "dev/app", "--from", "json", "--dry-run", "--json"];
  expect((await repository.ok(check, { stdin: JSON.stringify(opened) })).json()).toMatchObject({
    added: [],
    changed: [],
  });
  const wanted = [...flatten(opened)].map(([path, it]) => [path, String(it)] as const);
  expect(Object.fromEntries([...read].map(([name, bytes]) => [name, bytes.toString("utf8")]))).toEqual(
    Object.fromEntries(wanted),
  );
});

test("the private key comes from EJSON_KEYDIR or from stdin, and must be the file's", async () => {
  const { keys, publicKey, file } = makeFile({ A: "one" });
  const repository = await createSealedRepository();
  const argv = ["import", "dev/app", file, "--from", "ejson", "--yes"];
  await repository.ok(argv, { env: { EJSON_KEYDIR: keys } });
  await repository.ok([...argv, "--keys", "-"], { stdin: readFileSync(join(keys, publicKey)) });
  expect(await repository.run([...argv, "--keys", "-"], { stdin: "07".repeat(32) })).toMatchObject({ code: 5 });
  expect(await repository.run(argv, { env: { EJSON_KEYDIR: "/nonexistent" } })).toMatchObject({ code: 5 });
});
