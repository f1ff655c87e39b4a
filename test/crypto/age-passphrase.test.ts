import { Decrypter, Encrypter, armor } from "age-encryption";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseArmor } from "../../src/crypto/age-armor.ts";
import { parseHeader } from "../../src/crypto/age-header.ts";
import { isForPassphrase, openWithPassphrase, sealWithPassphrase } from "../../src/crypto/age-passphrase.ts";
import { SealtreeError } from "../../src/errors.ts";
import { type AgeVector, ageVectors, hashOf } from "./age-cctv.ts";

const maxBytes = 64 * 1024 * 1024;
const cheap = 1;
const withPassphrase = ageVectors.filter(({ passphrases }) => passphrases.length > 0);

async function outcomeOf({ file, passphrases }: AgeVector): Promise<string> {
  try {
    for (const passphrase of passphrases) {
      const opened = await openWithPassphrase(file, passphrase, maxBytes);
      if (opened !== undefined) return hashOf(opened);
    }
    return "no match";
  } catch (error) {
    if (error instanceof SealtreeError) return error.code;
    throw error;
  }
}

function expected(vector: AgeVector): string {
  if (vector.expect === "success") return vector.payload ?? "";
  return vector.expect === "no match" ? "no match" : "E_AGE_MALFORMED";
}

describe("openWithPassphrase", () => {
  it("meets 26 vectors with a passphrase", () => {
    expect(withPassphrase.length).toBe(26);
  });

  it.each(withPassphrase)("gives the right verdict on $name", async (vector) => {
    expect(await outcomeOf(vector)).toBe(expected(vector));
  });

  it("gives nothing for a file that is for no passphrase", async () => {
    const vector = ageVectors.find(({ name }) => name === "x25519");
    expect(await openWithPassphrase(vector?.file ?? "", "password", maxBytes)).toBeUndefined();
    expect(isForPassphrase(vector?.file ?? "", maxBytes)).toBe(false);
  });

  it("opens what age-encryption seals", async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase("test passphrase");
    encrypter.setScryptWorkFactor(2);
    const file = await encrypter.encrypt("a page of test text");
    for (const form of [file, armor.encode(file)]) {
      expect(Buffer.from((await openWithPassphrase(form, "test passphrase", maxBytes)) ?? []).toString()).toBe(
        "a page of test text",
      );
      expect(await openWithPassphrase(form, "test passphrase ", maxBytes)).toBeUndefined();
    }
  });
});

describe("sealWithPassphrase", () => {
  it("makes what it opens, and what age-encryption opens, for any passphrase and text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: "grapheme" }), fc.uint8Array(), async (passphrase, bytes) => {
        const sealed = await sealWithPassphrase(bytes, passphrase, cheap);
        expect(isForPassphrase(sealed, maxBytes)).toBe(true);
        expect(Buffer.from((await openWithPassphrase(sealed, passphrase, maxBytes)) ?? [1, 2])).toEqual(
          Buffer.from(bytes),
        );
        const decrypter = new Decrypter();
        decrypter.addPassphrase(passphrase);
        expect(Buffer.from(await decrypter.decrypt(armor.decode(sealed)))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 20 },
    );
  });

  it("works as hard as age does, with another salt each time", async () => {
    const sealed = await Promise.all([sealWithPassphrase(Buffer.of(1), "a"), sealWithPassphrase(Buffer.of(1), "a")]);
    const stanzas = sealed.map((text) => parseHeader(parseArmor(text)).stanzas);
    expect(stanzas.map((list) => list.map(({ args }) => [args[0], args[2]]))).toEqual([
      [["scrypt", "18"]],
      [["scrypt", "18"]],
    ]);
    expect(stanzas[0]?.[0]?.args[1]).not.toBe(stanzas[1]?.[0]?.args[1]);
  });
});
