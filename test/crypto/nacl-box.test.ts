import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { beforeAll, expect, it } from "vitest";
import { importX25519Key } from "../../src/crypto/age-x25519.ts";
import { openBox } from "../../src/crypto/nacl-box.ts";

const scalar = Buffer.from("sealtree test identity 1, public", "ascii");
const sender = Buffer.from("sealtree test identity 2, public", "ascii");
const nonce = Buffer.alloc(24, 7);

beforeAll(async () => await sodium.ready);

it("opens what libsodium boxed for the key, and nothing that was changed or is for another", () => {
  const key = importX25519Key(scalar);
  const from = importX25519Key(sender);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(), (message, place) => {
      const box = sodium.crypto_box_easy(message, nonce, key.publicKey, sender);
      expect(Buffer.from(openBox(key, from.publicKey, nonce, box) ?? "none")).toEqual(Buffer.from(message));
      expect(openBox(from, from.publicKey, nonce, box)).toBeUndefined();
      expect(openBox(key, from.publicKey, Buffer.alloc(24, 8), box)).toBeUndefined();
      box[place % box.length] = (box[place % box.length] ?? 0) ^ 1;
      expect(openBox(key, from.publicKey, nonce, box)).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

it("opens nothing with a sender or a nonce of the wrong length, or a sender of small order", () => {
  const key = importX25519Key(scalar);
  const box = new Uint8Array(40);
  expect(openBox(key, new Uint8Array(31), nonce, box)).toBeUndefined();
  expect(openBox(key, new Uint8Array(32), nonce, box)).toBeUndefined();
  expect(openBox(key, importX25519Key(sender).publicKey, new Uint8Array(12), box)).toBeUndefined();
  expect(openBox(key, importX25519Key(sender).publicKey, nonce, new Uint8Array(3))).toBeUndefined();
});
