import * as nodeCrypto from "node:crypto";
import { armor, Decrypter } from "age-encryption";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas } from "../../src/crypto/age.ts";
import { importHybridKey } from "../../src/crypto/age-hybrid.ts";
import { unwrapWithLibrary } from "../../src/crypto/age-library.ts";
import { type Identity, parseIdentities } from "../../src/crypto/identity.ts";
import { SealtreeError } from "../../src/errors.ts";
import { type AgeVector, ageVectors, hashOf } from "./age-cctv.ts";

const withIdentity = ageVectors.filter((vector) => vector.identities.length > 0);
const withPassphrase = ageVectors.filter((vector) => vector.passphrases.length > 0 && vector.identities.length === 0);
const withNeither = ageVectors.filter((vector) => vector.passphrases.length + vector.identities.length === 0);
const limits = { maxBytes: 64 * 1024 * 1024 };
/** Header failures outside the header's grammar: a share of small order, a missing nonce. */
const laterFailures = [
  "x25519_identity",
  "x25519_low_order",
  "hybrid_identity",
  "hybrid_low_order",
  "stream_no_nonce",
  "stream_short_nonce",
];

/** What opening came to: hash of the plaintext, `no match`, or the code of the failure. */
async function outcomeOf(file: string | Uint8Array, identities: readonly Identity[]): Promise<string> {
  try {
    const opened = await decryptWithIdentities(file, identities, limits);
    return opened === undefined ? "no match" : hashOf(opened.plaintext);
  } catch (error) {
    if (error instanceof SealtreeError) return error.code;
    throw error;
  }
}

function expected(vector: AgeVector): string {
  if (vector.expect === "success") return vector.payload ?? "";
  return vector.expect === "no match" ? "no match" : "E_AGE_MALFORMED";
}

/** Identities of a vector whose keys are unwrapped by age-encryption, as on a Node without ML-KEM. */
function libraryIdentities(vector: AgeVector): Identity[] {
  return vector.identities.map((text) => ({
    recipients: () => Promise.reject(new Error("not asked here")),
    unwrapFileKey: async (header) => {
      const fileKey = await unwrapWithLibrary(text, header);
      if (fileKey === "broken") throw new SealtreeError("E_AGE_MALFORMED", "broken");
      return fileKey === "foreign" ? undefined : { fileKey, stanza: undefined };
    },
  }));
}

describe("the CCTV vectors", () => {
  it("are 143: 116 with an identity, 25 with only a passphrase, 2 with neither", () => {
    expect([ageVectors, withIdentity, withPassphrase, withNeither].map((list) => list.length)).toEqual([
      143, 116, 25, 2,
    ]);
  });

  it("meet native ML-KEM exactly where Node has it", () => {
    expect(importHybridKey(Buffer.alloc(32, 7)) !== undefined).toBe("decapsulate" in nodeCrypto);
  });
});

describe("decryptWithIdentities", () => {
  it.each(withIdentity)("gives the right verdict on $name", async (vector) => {
    const identities = parseIdentities(vector.identities.join("\n"));
    expect(await outcomeOf(vector.file, identities)).toBe(expected(vector));
  });

  it.each(withIdentity.filter((vector) => vector.armored))("gives it on $name as text too", async (vector) => {
    const identities = parseIdentities(vector.identities.join("\n"));
    expect(await outcomeOf(vector.file.toString("latin1"), identities)).toBe(expected(vector));
  });

  it.each(withNeither)("gives the right verdict on $name", async (vector) => {
    expect(await outcomeOf(vector.file, [])).toBe(expected(vector));
  });

  it.each(withPassphrase)("opens nothing of $name, which is for a passphrase", async (vector) => {
    const identities = parseIdentities(withIdentity[0]?.identities.join("\n") ?? "");
    const outcome = await outcomeOf(vector.file, identities);
    expect(outcome === "no match" || (outcome === "E_AGE_MALFORMED" && vector.expect === "header failure")).toBe(true);
  });
});

describe("unwrapWithLibrary", () => {
  it.each(withIdentity)("gives the right verdict on $name", async (vector) => {
    expect(await outcomeOf(vector.file, libraryIdentities(vector))).toBe(expected(vector));
  });
});

describe("age-encryption alone", () => {
  it.each(ageVectors)("gives the right verdict on $name", async (vector) => {
    const decrypter = new Decrypter();
    for (const identity of vector.identities) decrypter.addIdentity(identity);
    for (const passphrase of vector.passphrases) decrypter.addPassphrase(passphrase);
    let outcome: string;
    try {
      const file = vector.armored ? armor.decode(vector.file.toString("latin1")) : vector.file;
      outcome = hashOf(await decrypter.decrypt(file));
    } catch (error) {
      outcome = String(error).includes("no identity matched") ? "no match" : "E_AGE_MALFORMED";
    }
    expect(outcome).toBe(expected(vector));
  });
});

describe("listStanzas", () => {
  const isWellFormed = ({ name, expect }: AgeVector) =>
    (expect !== "header failure" && expect !== "armor failure") || laterFailures.includes(name);
  const keyed = ageVectors.filter((vector) => vector.passphrases.length === 0);

  it.each(keyed.filter(isWellFormed))("reads the header of $name without a key", ({ file }) => {
    expect(listStanzas(file, limits).length).toBeGreaterThan(0);
  });

  it.each(keyed.filter((vector) => !isWellFormed(vector)))("refuses the header of $name", ({ file }) => {
    expect(() => listStanzas(file, limits)).toThrow("malformed");
  });
});
