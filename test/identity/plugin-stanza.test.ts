import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Stanza } from "../../src/crypto/age-header.ts";
import { SealtreeError } from "../../src/errors.ts";
import { plainText } from "../../src/identity/plugin-failure.ts";
import { createFrameReader, findFileIndex, printFrame } from "../../src/identity/plugin-stanza.ts";

const limits = { maxStanzaBytes: 10_000, maxTotalBytes: 1_000_000 };
const arg = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  minLength: 1,
});
const stanza = fc.record({
  args: fc.array(arg, { minLength: 1, maxLength: 5 }),
  // The lengths around 48 bytes are those that fill a line.
  body: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 0, max: 4 }).map((n) => new Uint8Array(n * 48)),
  ),
});

/** What a reader makes of bytes that come in pieces cut at `cuts`. */
function readAll(bytes: Uint8Array, cuts: readonly number[], reader = createFrameReader("test", limits)): Stanza[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.flatMap((start, index) => reader.push(bytes.subarray(start, places[index + 1] ?? bytes.length)));
}

describe("a frame reader", () => {
  it("gives back the stanzas that were printed, however the bytes come", () => {
    fc.assert(
      fc.property(fc.array(stanza, { maxLength: 6 }), fc.array(fc.nat()), (stanzas, cuts) => {
        const bytes = Buffer.from(stanzas.map(({ args, body }) => printFrame(args, body)).join(""));
        const plain = ({ args, body }: Stanza) => ({ args, body: Buffer.from(body).toString("hex") });
        expect(readAll(bytes, cuts).map(plain)).toEqual(stanzas.map(plain));
      }),
    );
  });

  it("takes any bytes without another failure than E_PLUGIN_FAILED, the same however they come", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(stanza, fc.nat(), fc.nat({ max: 255 })).map(([{ args, body }, at, byte]) => {
        const bytes = Buffer.from(printFrame(args, body));
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    const outcomeOf = (bytes: Uint8Array, cuts: readonly number[]) => {
      try {
        return JSON.stringify(readAll(bytes, cuts));
      } catch (error) {
        if (error instanceof SealtreeError) return error.code;
        throw error;
      }
    };
    fc.assert(
      fc.property(noise, fc.array(fc.nat()), (bytes, cuts) => {
        const outcome = outcomeOf(bytes, []);
        expect(outcomeOf(bytes, cuts)).toBe(outcome);
        if (!outcome.startsWith("[")) expect(outcome).toBe("E_PLUGIN_FAILED");
      }),
    );
  });

  it.each([
    ["a stanza that is too long", printFrame(["test"], new Uint8Array(10_000))],
    ["a line without end", "-> ".padEnd(10_001, "x")],
    ["too much in all", printFrame(["test"]).repeat(120_000)],
    ["a body line that is too long", `-> test\n${"A".repeat(65)}\n`],
    ["a line that begins no stanza", "ok\n"],
    ["padding", "-> test\nAA==\n"],
    ["an empty argument", "-> test  x\n\n"],
    ["a carriage return", "-> test\r\n\r\n"],
  ])("refuses %s", (_, text) => {
    expect(() => readAll(Buffer.from(text), [])).toThrow(expect.objectContaining({ code: "E_PLUGIN_FAILED" }));
  });
});

describe("findFileIndex", () => {
  it("takes the numbers below the limit, written one way", () => {
    expect(["0", "1", "2"].map((text) => findFileIndex(text, 2))).toEqual([0, 1, undefined]);
    expect(["", "00", "01", "-1", "1e0", " 1", undefined].map((text) => findFileIndex(text, 2))).toEqual(
      Array<undefined>(7).fill(undefined),
    );
  });
});

describe("plainText", () => {
  it("is one line without control characters and private keys, whatever it is made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const text = plainText(bytes);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(text.length).toBeLessThan(310);
      }),
    );
    expect(plainText(Buffer.from("no AGE-SECRET-KEY-1TEST\r\n and age-plugin-x-1test"))).toBe(
      "no [redacted] and [redacted]",
    );
  });
});
