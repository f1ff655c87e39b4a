import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSshPublicKey, printRsaKey, rsaNumbersOf } from "../../src/crypto/ssh-public-key.ts";
import { findSshFlaw } from "../../src/crypto/ssh-strength.ts";
import { printPositive, printWire } from "../../src/crypto/ssh-wire.ts";
import { ed25519TestKey, rsaTestKey } from "./ssh-keys.ts";

const ed25519 = ed25519TestKey("public").publicKey;
const rsa = rsaTestKey().publicKey;
const point = ed25519.blob.subarray(-32);
const curvePoint = (bytes: number) => Buffer.concat([Buffer.of(4), Buffer.alloc(2 * bytes, 7)]);
const signingOnly: readonly (readonly [string, ...(string | Uint8Array)[]])[] = [
  ["ecdsa-sha2-nistp256", "nistp256", curvePoint(32)],
  ["ecdsa-sha2-nistp384", "nistp384", curvePoint(48)],
  ["ecdsa-sha2-nistp521", "nistp521", curvePoint(66)],
  ["sk-ssh-ed25519@openssh.com", point, "ssh:"],
  ["sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", curvePoint(32), "ssh:"],
];

function lineOf(fields: readonly (string | Uint8Array)[], type = String(fields[0])): string {
  return `${type} ${Buffer.from(printWire(fields)).toString("base64")}`;
}

/** Base64 that decodes to the same bytes: only bits that are cut off differ. */
function nextCharacter(_: string, character: string): string {
  return `${String.fromCharCode(character.charCodeAt(0) + 1)}=`;
}

describe("findSshPublicKey", () => {
  it.each([ed25519, rsa])("reads a key and drops its comment", (key) => {
    expect(findSshPublicKey(key.text)).toEqual(key);
    expect(findSshPublicKey(`${key.text} alice@test host`)?.text).toBe(key.text);
    expect(findSshPublicKey(`${key.text} `)?.text).toBe(key.text);
  });

  it.each(signingOnly.map((fields) => ({ type: fields[0], fields })))("reads a key of type $type", ({ fields }) => {
    expect(findSshPublicKey(lineOf(fields))?.text).toBe(lineOf(fields));
  });

  it.each(signingOnly.map((fields) => ({ type: fields[0], fields })))(
    "refuses one of type $type with more behind it, and every shorter one",
    ({ type, fields }) => {
      expect(findSshPublicKey(lineOf([...fields, "more"]))).toBeUndefined();
      const blob = printWire(fields);
      for (let length = 0; length < blob.length; length++) {
        const base64 = Buffer.from(blob.subarray(0, length)).toString("base64");
        expect(findSshPublicKey(`${type} ${base64}`)).toBeUndefined();
      }
    },
  );

  it.each([
    ["another type than the blob", `ssh-rsa ${ed25519.text.split(" ")[1] ?? ""}`],
    ["an unknown type", lineOf(["ssh-dss", "x"])],
    ["a name that every object has", lineOf(["constructor", "x"])],
    ["a certificate", lineOf(["ssh-ed25519-cert-v01@openssh.com", point])],
    ["31 bytes", lineOf(["ssh-ed25519", point.subarray(1)])],
    ["33 bytes", lineOf(["ssh-ed25519", Buffer.concat([point, Buffer.of(0)])])],
    ["a third field", lineOf(["ssh-ed25519", point, ""])],
    ["a compressed point", lineOf(["ecdsa-sha2-nistp256", "nistp256", Buffer.concat([Buffer.of(2), point])])],
    ["another curve than the type", lineOf(["ecdsa-sha2-nistp256", "nistp384", curvePoint(48)])],
    ["no application", lineOf(["sk-ssh-ed25519@openssh.com", point, ""])],
    ["a leading zero that is not needed", lineOf(["ssh-rsa", Buffer.of(0, 3), printPositive(2n ** 2048n - 1n)])],
    ["a negative number", lineOf(["ssh-rsa", Buffer.of(3), Buffer.alloc(256, 0xff)])],
    ["no number", lineOf(["ssh-rsa", "", printPositive(2n ** 2048n - 1n)])],
    ["zero", lineOf(["ssh-rsa", Buffer.of(0), printPositive(2n ** 2048n - 1n)])],
    [
      "base64 with other bits at its end",
      lineOf(["ecdsa-sha2-nistp256", "nistp256", curvePoint(32)]).replace(/(.)=$/, nextCharacter),
    ],
    ["base64 that is padded too much", `${ed25519.text}=`],
    ["two spaces", ed25519.text.replace(" ", "  ")],
    ["options before the key", `no-pty ${ed25519.text}`],
    ["a line break before the comment", `${ed25519.text}\nmore`],
    ["nothing", ""],
    ["only a type", "ssh-ed25519 "],
  ])("refuses %s", (_, line) => {
    expect(findSshPublicKey(line)).toBeUndefined();
  });

  it("finds in any text nothing, or a key whose text reads the same", () => {
    const bytes = fc.uint8Array({ maxLength: 80 });
    const field = fc.oneof(bytes, fc.constantFrom("ssh-ed25519", "ssh-rsa", "nistp256", Buffer.alloc(32, 1)));
    const blobs = fc.oneof(bytes, fc.array(field, { maxLength: 4 }).map(printWire));
    const types = fc.constantFrom("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com");
    fc.assert(
      fc.property(types, blobs, fc.string(), (type, blob, rest) => {
        const found = findSshPublicKey(`${type} ${Buffer.from(blob).toString("base64")}${rest}`);
        if (found !== undefined) expect(findSshPublicKey(found.text)).toEqual(found);
      }),
    );
  });
});

describe("findSshFlaw", () => {
  const modulus = rsaNumbersOf(rsa)?.modulus ?? 0n;
  const flawOf = (numbers: { modulus?: bigint; exponent?: bigint }) =>
    findSshFlaw(printRsaKey({ modulus, exponent: 65_537n, ...numbers }));

  it("finds none in real keys", () => {
    expect([ed25519, rsa].map(findSshFlaw)).toEqual([undefined, undefined]);
    expect([3n, 17n, 2n ** 24n - 1n].map((exponent) => flawOf({ exponent }))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("finds short and long RSA keys", () => {
    expect(findSshFlaw(rsaTestKey(1024).publicKey)).toBe("has 1024 bits, fewer than 2048");
    expect(flawOf({ modulus: modulus >> 1n })).toBe("has 2047 bits, fewer than 2048");
    expect(flawOf({ modulus: 2n ** 16_384n + 1n })).toBe("has 16385 bits, more than 16384");
  });

  it("finds numbers that no key has", () => {
    for (const exponent of [1n, 2n, 65_536n, 2n ** 24n + 1n]) {
      expect(flawOf({ exponent })).toBe("has an exponent that no key has");
    }
    const multipleOf = (factor: bigint) => modulus + factor - (modulus % factor);
    for (const factor of [2n, 3n, 5n, 7n, 743n, 751n]) {
      expect(flawOf({ modulus: multipleOf(factor) })).toBe("has a modulus that no key has");
    }
  });

  it("finds types that only sign, and bytes that are no point", () => {
    const key = findSshPublicKey(lineOf(["sk-ssh-ed25519@openssh.com", point, "ssh:"]));
    expect(key && findSshFlaw(key)).toBe("is of a type that only signs");
    const none = findSshPublicKey(lineOf(["ssh-ed25519", Buffer.alloc(32, 0)]));
    expect(none && findSshFlaw(none)).toBe("is no point that a key can have");
  });
});
