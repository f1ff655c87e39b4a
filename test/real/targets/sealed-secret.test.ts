import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { sealedSecretTarget } from "../../../src/deploy/targets/sealed-secret.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { itemOf, recordProgress } from "../../support/target-contract.ts";
import { makeTestCertificate } from "../../support/test-certificate.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const run = promisify(execFile);
const certificate = makeTestCertificate();
const file = "sealed.yaml";

async function seal(scope: string, values: Readonly<Record<string, Buffer>>): Promise<string> {
  const root = makeThrowAway("sealtree-test-");
  const place = {
    file,
    namespace: "test-space",
    name: "test-secret",
    type: "test/kind",
    scope,
    certificate: certificate.pem,
  };
  const access = { ...providerAccess({}), directory: root };
  const target = await sealedSecretTarget.open(sealedSecretTarget.options.parse(place), access);
  const writes = Object.entries(values).map(([name, bytes]) => ({
    ...itemOf(name, name),
    value: Secret.fromBytes(bytes),
  }));
  await target.inspect([]);
  await target.apply({ writes, removes: [], wanted: writes }, recordProgress());
  writeFileSync(join(root, "test.key"), certificate.keyPem);
  return root;
}

async function unseal(root: string) {
  const args = ["--recovery-unseal", "--recovery-private-key", "test.key", "-f", file, "-o", "json"];
  const { stdout } = await run("kubeseal", args, { cwd: root, maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as {
    readonly kind: string;
    readonly type: string;
    readonly metadata: { readonly name: string; readonly namespace: string };
    /** Null for no bytes. */
    readonly data: Readonly<Record<string, string | null>>;
  };
}

describe("kubeseal", () => {
  for (const scope of ["strict", "namespace-wide", "cluster-wide"]) {
    it(`opens every value of a ${scope} SealedSecret, byte for byte`, async () => {
      const opened = await unseal(await seal(scope, nastyValues));
      expect([opened.kind, opened.type, opened.metadata.name, opened.metadata.namespace]).toEqual([
        "Secret",
        "test/kind",
        "test-secret",
        "test-space",
      ]);
      const values = Object.entries(opened.data).map(
        ([name, text]) => [name, Buffer.from(text ?? "", "base64")] as const,
      );
      expect(values.map(([name]) => name).toSorted()).toEqual(Object.keys(nastyValues).toSorted());
      expect(values.filter(([name, bytes]) => nastyValues[name]?.equals(bytes) !== true).map(([name]) => name)).toEqual(
        [],
      );
    });
  }

  it("has every key as it was written, whatever YAML would take it for", async () => {
    const keys = [
      "yes",
      "n",
      "0755",
      "1e3_",
      "1_000",
      "0x1F",
      "0b1",
      ".5",
      "1.5e3",
      "null",
      "2001-01-01",
      "_1",
      "-",
      "..a".slice(1),
    ];
    const opened = await unseal(await seal("strict", Object.fromEntries(keys.map((key) => [key, Buffer.from(key)]))));
    const found = Object.entries(opened.data).map(([key, text]) => [key, Buffer.from(text ?? "", "base64").toString()]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
  });

  it("does not open a strict one under another name", async () => {
    const root = await seal("strict", { ALPHA: Buffer.from("test-one") });
    const text = readFileSync(join(root, file), "utf8");
    writeFileSync(join(root, file), text.replaceAll("name: test-secret", "name: test-other"));
    await expect(unseal(root)).rejects.toThrow("no key could decrypt secret");
    writeFileSync(join(root, file), text);
    expect((await unseal(root)).data["ALPHA"]).toBe(Buffer.from("test-one").toString("base64"));
  });
});
