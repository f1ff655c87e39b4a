import sodium from "libsodium-wrappers";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { sealBox, sealedBoxOverhead } from "../../src/crypto/sealed-box.ts";

beforeAll(async () => await sodium.ready);

describe("a sealed box", () => {
  it("is opened by libsodium, whatever is in it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (message) => {
        const { publicKey, privateKey } = sodium.crypto_box_keypair();
        const box = sealBox(publicKey, message) ?? new Uint8Array();
        expect(box.length).toBe(message.length + sealedBoxOverhead);
        expect(Buffer.from(sodium.crypto_box_seal_open(box, publicKey, privateKey))).toEqual(Buffer.from(message));
      }),
      { numRuns: 50 },
    );
  });

  it("is another each time, and opens for one key alone", () => {
    const [ours, theirs] = [sodium.crypto_box_keypair(), sodium.crypto_box_keypair()];
    const message = Buffer.from("test value");
    const [one = message, other = message] = [sealBox(ours.publicKey, message), sealBox(ours.publicKey, message)];
    expect(Buffer.compare(one, other)).not.toBe(0);
    expect(() => sodium.crypto_box_seal_open(one, theirs.publicKey, theirs.privateKey)).toThrow("incorrect key pair");
  });

  it("is not made for bytes that are no key, or one that anybody could open", () => {
    for (const key of [
      new Uint8Array(31),
      new Uint8Array(33),
      new Uint8Array(32),
      Uint8Array.from([1, ...new Uint8Array(31)]),
    ]) {
      expect(sealBox(key, Buffer.from("test value"))).toBeUndefined();
    }
  });
});
