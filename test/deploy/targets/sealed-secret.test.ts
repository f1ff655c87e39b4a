import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { sealedSecretTarget } from "../../../src/deploy/targets/sealed-secret.ts";
import { Secret } from "../../../src/secret/secret.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { openSealedValue } from "../../support/open-sealed-secret.ts";
import { providerAccess } from "../../support/provider-access.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";
import { makeTestCertificate } from "../../support/test-certificate.ts";
import { makeThrowAway } from "../../support/throw-away.ts";

const first = makeTestCertificate();
const file = "deploy/sealed.yaml";
const place = { file, namespace: "test-space", name: "test-secret", certificate: first.pem };

interface Sealed {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly encryptedData: Readonly<Record<string, string>>;
    readonly template: { readonly type: string; readonly metadata: Readonly<Record<string, unknown>> };
  };
}

function begin(more: Readonly<Record<string, unknown>> = {}, root = makeThrowAway("sealtree-test-")) {
  const options = (changes: Readonly<Record<string, unknown>> = {}) =>
    sealedSecretTarget.options.parse({ ...place, ...more, ...changes });
  const path = join(root, file);
  return {
    root,
    facts: sealedSecretTarget.facts(options()),
    open: async (changes = {}) =>
      await sealedSecretTarget.open(options(changes), { ...providerAccess({}), directory: root }),
    text: () => readFileSync(path, "utf8"),
    held: () => parse(readFileSync(path, "utf8")) as Sealed,
    write: (text: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
  };
}

describe("the sealed-secret target", () => {
  describesTarget(async () => {
    const { facts, open, write, text } = begin();
    return await Promise.resolve({
      facts,
      open: async () => await open(),
      putForeign(name: string, value: string) {
        const annotations = { "sealtree/marks": "" };
        const held = { apiVersion: "bitnami.com/v1alpha1", kind: "SealedSecret", metadata: { annotations } };
        write(stringify({ ...held, spec: { encryptedData: { [name]: Buffer.from(value).toString("base64") } } }));
        return Promise.resolve();
      },
      peek() {
        const { encryptedData } = (parse(text()) as Sealed).spec;
        const opened = Object.entries(encryptedData).map(([name, sealed]) => [name, openOrKeep(sealed)]);
        return Promise.resolve(Object.fromEntries(opened) as Record<string, string>);
      },
    });
  });

  it("seals every value so that the controller's key opens it, under its own label alone", async () => {
    const labels = { strict: "test-space/test-secret", "namespace-wide": "test-space", "cluster-wide": "" };
    for (const [scope, label] of Object.entries(labels)) {
      const { open, held } = begin({ scope });
      const { EMPTY = Buffer.alloc(0), EMOJI = EMPTY } = nastyValues;
      const values = Object.entries(scope === "strict" ? nastyValues : { EMPTY, EMOJI });
      const writes = values.map(([name, bytes]) => ({
        ...itemOf(name, name),
        value: Secret.fromBytes(bytes),
      }));
      await (await open()).apply({ writes, removes: [], wanted: writes }, recordProgress());
      for (const [name, bytes] of values) {
        const sealed = held().spec.encryptedData[name] ?? "";
        expect(openSealedValue(sealed, first.key, label).equals(bytes)).toBe(true);
        expect(() => openSealedValue(sealed, first.key, `${label}x`)).toThrow(/./);
      }
      const annotation = scope === "strict" ? [] : [`sealedsecrets.bitnami.com/${scope}`];
      const isScope = (key: string) => key.startsWith("sealedsecrets.");
      expect(Object.keys(held().metadata.annotations).filter(isScope)).toEqual(annotation);
      expect(held().spec.template.metadata["annotations"]).toEqual(
        scope === "strict" ? undefined : { [annotation[0] ?? ""]: "true" },
      );
    }
  });

  it("leaves the file as it is, byte for byte, when nothing changed, and seals only what did", async () => {
    const { open, text, held, write } = begin();
    await writeAll(await open(), { BETA: "test-two", ALPHA: "test-one" });
    const before = held().spec.encryptedData;
    expect(Object.keys(before)).toEqual(["ALPHA", "BETA"]);
    write(text().replace("kind: SealedSecret", "kind: SealedSecret # a note of ours"));
    const noted = text();
    const target = await open();
    await target.inspect(["ALPHA", "BETA"]);
    await target.apply({ writes: [], removes: [], wanted: [] }, recordProgress());
    expect(text()).toBe(noted);
    await writeAll(await open(), { ALPHA: "test-new" });
    expect(text()).toContain("# a note of ours");
    expect(held().spec.encryptedData["BETA"]).toBe(before["BETA"]);
    expect(held().spec.encryptedData["ALPHA"]).not.toBe(before["ALPHA"]);
  });

  it("seals all again for another certificate, another scope or another name, also when only some come at a time", async () => {
    const { open, held } = begin();
    await writeAll(await open(), { ALPHA: "test-one", BETA: "test-two" });
    const second = makeTestCertificate();
    for (const change of [{ certificate: second.pem }, { scope: "cluster-wide" }, { name: "test-other" }]) {
      const found = await inspectByName(await open(change), ["ALPHA", "BETA"]);
      expect([...found.values()].map(({ mark }) => mark?.fingerprint)).toEqual(["0".repeat(16), "0".repeat(16)]);
    }
    const change = { certificate: second.pem };
    await writeAll(await open(change), { ALPHA: "test-one" });
    const found = await inspectByName(await open(change), ["ALPHA", "BETA"]);
    expect(found.get("ALPHA")?.mark).toEqual(itemOf("ALPHA", "test-one").mark);
    expect(found.get("BETA")?.mark?.fingerprint).toBe("0".repeat(16));
    await writeAll(await open(change), { BETA: "test-two" });
    expect((await inspectByName(await open(change), ["BETA"])).get("BETA")?.mark).toEqual(
      itemOf("BETA", "test-two").mark,
    );
    expect(held().metadata.annotations["sealtree/stale"]).toBeUndefined();
    expect(
      openSealedValue(held().spec.encryptedData["BETA"] ?? "", second.key, "test-space/test-secret").toString(),
    ).toBe("test-two");
  });

  it("does not write over a file that sealtree did not write, and shows nothing of it", async () => {
    const foreign = [
      "contract-canary-5v1t",
      "a: [contract-canary-5v1t",
      "apiVersion: v1\nkind: Secret\nmetadata: {annotations: {sealtree/marks: contract-canary-5v1t}}\n",
      "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {A: contract-canary-5v1t}}\n",
      "a: 1\n---\nb: contract-canary-5v1t\n",
      "\u0000\u0001",
      "",
    ];
    for (const text of foreign) {
      const { open, write, text: now } = begin();
      write(text);
      const target = await open();
      expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
      expect((await targetFailure(writeAll(target, { ALPHA: "test" }))).class).toBe("rejected");
      expect(now()).toBe(text);
    }
  });

  it("follows no symbolic link, and writes nothing over a file that changed since it was looked at", async () => {
    const { root, open, write, text } = begin();
    const target = await open();
    await target.inspect(["ALPHA"]);
    write("test: other\n");
    const writes = [itemOf("ALPHA", "test-one")];
    expect((await targetFailure(target.apply({ writes, removes: [], wanted: writes }, recordProgress()))).class).toBe(
      "transient",
    );
    expect(text()).toBe("test: other\n");
    rmSync(join(root, "deploy"), { recursive: true });
    symlinkSync(makeThrowAway("sealtree-test-"), join(root, "deploy"));
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("rejected");
  });

  it("reads the certificate from the repository, and takes none that is not RSA or has expired", async () => {
    const { root, open, facts } = begin({ certificate: "deploy/cert.pem" });
    expect(facts.readsBack).toBe(false);
    expect((await targetFailure(open())).class).toBe("rejected");
    mkdirSync(join(root, "deploy"));
    const put = (pem: string) => writeFileSync(join(root, "deploy/cert.pem"), pem);
    put(first.pem);
    await writeAll(await open(), { ALPHA: "test-one" });
    expect(statSync(join(root, file)).mode & 0o777).toBe(0o644 & ~process.umask());
    for (const pem of [
      makeTestCertificate({ type: "ec" }).pem,
      makeTestCertificate({ at: new Date("2020-01-01") }).pem,
      "no certificate",
    ]) {
      put(pem);
      expect((await targetFailure(open())).class).toBe("rejected");
    }
  });

  it("takes only options of the right form", () => {
    const takes = (more: object) => sealedSecretTarget.options.safeParse({ ...place, ...more }).success;
    expect(takes({})).toBe(true);
    for (const bad of [
      { file: "../x.yaml" },
      { scope: "all" },
      { certificate: "../cert.pem" },
      { certificate: first.keyPem },
      { token: "x" },
    ])
      expect(takes(bad)).toBe(false);
  });
});

function openOrKeep(sealed: string): string {
  try {
    return openSealedValue(sealed, first.key, "test-space/test-secret").toString();
  } catch {
    return Buffer.from(sealed, "base64").toString();
  }
}
