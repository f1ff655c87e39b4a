import { expect, it } from "vitest";
import { crc32c } from "../../src/services/crc32c.ts";

it.each([
  // RFC 3720 section B.4, and the check value of the algorithm.
  ["32 zeros", new Uint8Array(32), 0x8a_91_36_aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62_a8_ab_43],
  ["32 rising bytes", Uint8Array.from({ length: 32 }, (_, index) => index), 0x46_dd_79_4e],
  ["the digits", Buffer.from("123456789"), 0xe3_06_92_83],
  ["nothing", new Uint8Array(0), 0],
])("crc32c gives the checksum of %s", (_, bytes, wanted) => {
  expect(crc32c(bytes)).toBe(wanted);
});
