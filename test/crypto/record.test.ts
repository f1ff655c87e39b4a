import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paddedLength } from "../../src/crypto/pad.ts";
import { maxValueBytes } from "../../src/crypto/frame.ts";
import {
  looksLikeRecord,
  maxRecordChars,
  openRecord,
  parseRecordHeader,
  sealRecord,
  type RecordPlace,
} from "../../src/crypto/record.ts";
import { isSealtreeError } from "../../src/errors.ts";
import { Secret } from "../../src/secret/secret.ts";
import { craftFrame, craftHeader, craftRecord, printRecord, recordBytes } from "../vectors/craft-record.ts";
import { firstDek, firstGeneration, fixedRandom, secondDek, testTime } from "../vectors/test-keys.ts";

const place: RecordPlace = { scope: "prod/api", name: "STRIPE_KEY", purpose: "value" };
const header = { generation: firstGeneration, valueId: "5445535456414c31", createdAt: testTime };
const stuck = () => Buffer.alloc(32, 7);
const kind = fc.constantFrom("text" as const, "binary" as const);
const value = fc.uint8Array({ maxLength: 300 });

function seal(bytes: Uint8Array, random = fixedRandom("record")): string {
  return sealRecord(firstDek, place, header, Secret.of(bytes, "binary"), random);
}

describe("a record", () => {
  it("gives any bytes and kind back", () => {
    fc.assert(
      fc.property(value, kind, (bytes, given) => {
        const secret = Secret.of(bytes, given);
        const record = sealRecord(firstDek, place, header, secret, fixedRandom("any"));
        expect(openRecord(firstDek, place, record).equals(secret)).toBe(true);
        expect(parseRecordHeader(record)).toEqual(header);
      }),
    );
  });

  it("gives values at every border of the padding back", () => {
    for (const size of [0, 58, 59, 60, 1018, 1019, 1020, 65_531, maxValueBytes - 1, maxValueBytes]) {
      const bytes = fixedRandom(`size ${size}`)(size);
      expect(Buffer.compare(openRecord(firstDek, place, seal(bytes)).reveal(), bytes)).toBe(0);
    }
  });

  it("is as long as the padded frame says, whatever the value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const recordLength = 33 + 24 + 32 + paddedLength(5 + bytes.length) + 16;
        expect(seal(bytes)).toHaveLength(4 + Math.ceil((recordLength * 4) / 3));
      }),
    );
  });

  it("is never longer than maxRecordChars", () => {
    expect(seal(Buffer.alloc(maxValueBytes))).toHaveLength(maxRecordChars);
  });

  it("is not made of a value over 1 MiB", () => {
    expect(() => seal(Buffer.alloc(maxValueBytes + 1))).toThrow(expect.objectContaining({ code: "E_VALUE_TOO_LARGE" }));
  });

  it("does not open to a value over 1 MiB, also when it is well sealed", () => {
    const size = maxValueBytes + 1;
    const frame = craftFrame(paddedLength(5 + size), 1, size, Buffer.alloc(size, 0x61));
    const crafted = craftHeader({ ...header, createdAt: BigInt(header.createdAt) });
    expect(codeOf(() => openRecord(firstDek, place, craftRecord(firstDek, place, crafted, frame)))).toBe(
      "E_RECORD_INTEGRITY",
    );
  });

  it("looks like a record", () => {
    expect(looksLikeRecord(seal(Buffer.of(1)))).toBe(true);
    expect(looksLikeRecord("hunter2-test")).toBe(false);
  });
});

describe("a changed record", () => {
  const good = seal(Buffer.from("canary-value"));
  const bytes = recordBytes(good);

  it("fails at every byte, for every single bit", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(codeOf(() => openRecord(firstDek, place, printRecord([changed])))).toMatch(
        /^E_RECORD_(?:INTEGRITY|MALFORMED)$/,
      );
    }
  });

  it("fails with any byte replaced, in records of any size", () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, mask) => {
        const changed = recordBytes(seal(given));
        changed.writeUInt8(changed.readUInt8(at % changed.length) ^ mask, at % changed.length);
        expect(codeOf(() => openRecord(firstDek, place, printRecord([changed])))).toMatch(/^E_RECORD_/);
      }),
    );
  });

  it("fails at every shorter length", () => {
    for (let size = 0; size < good.length; size++) {
      expect(codeOf(() => openRecord(firstDek, place, good.slice(0, size)))).toMatch(/^E_RECORD_/);
    }
  });

  it("fails with anything put in or after it", () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length }), fc.string({ minLength: 1, maxLength: 5 }), (at, extra) => {
        const changed = good.slice(0, at) + extra + good.slice(at);
        expect(codeOf(() => openRecord(firstDek, place, changed))).toMatch(/^E_RECORD_/);
      }),
    );
  });
});

describe("a record in another place", () => {
  const scope = fc.stringMatching(/^[a-z]{1,4}(?:\/[a-z]{1,4}){0,2}$/);
  const name = fc.stringMatching(/^[A-Z_][A-Za-z0-9_.-]{0,5}$/);
  const purpose = fc.constantFrom("value" as const, "pending" as const, "previous" as const);
  const anyPlace = fc.record({ scope, name, purpose });

  it("does not open", () => {
    fc.assert(
      fc.property(anyPlace, anyPlace, (from, to) => {
        fc.pre(JSON.stringify(from) !== JSON.stringify(to));
        const record = sealRecord(firstDek, from, header, Secret.text("canary-value"), fixedRandom("place"));
        expect(openRecord(firstDek, from, record).revealText()).toBe("canary-value");
        expect(codeOf(() => openRecord(firstDek, to, record))).toBe("E_RECORD_INTEGRITY");
      }),
    );
  });

  it("does not open with another key", () => {
    expect(codeOf(() => openRecord(secondDek, place, seal(Buffer.of(1))))).toBe("E_RECORD_INTEGRITY");
  });
});

describe("the salt", () => {
  const saltOf = (record: string) => recordBytes(record).toString("hex", 33, 57);

  it("differs for different values, also when the random source is stuck", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(saltOf(seal(a, stuck)) === saltOf(seal(b, stuck))).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it("differs for two seals of one value", () => {
    const random = fixedRandom("one source");
    expect(saltOf(seal(Buffer.of(1), random))).not.toBe(saltOf(seal(Buffer.of(1), random)));
  });

  it("differs for two kinds, places, times and value ids when the random source is stuck", () => {
    const text = Secret.of(Buffer.of(1), "text");
    const records = [
      seal(Buffer.of(1), stuck),
      sealRecord(firstDek, place, header, text, stuck),
      sealRecord(firstDek, { ...place, name: "OTHER" }, header, text, stuck),
      sealRecord(firstDek, place, { ...header, createdAt: testTime + 1 }, text, stuck),
      sealRecord(firstDek, place, { ...header, valueId: "5445535456414c32" }, text, stuck),
    ];
    expect(new Set(records.map(saltOf)).size).toBe(records.length);
  });
});

describe("a failure to open", () => {
  it("holds no byte of the value, the key or the record", () => {
    const canary = "canary-5d41402abc4b2a76";
    const record = seal(Buffer.from(canary));
    const changed = `${record.slice(0, -2)}AA`;
    for (const open of [() => openRecord(firstDek, place, changed), () => openRecord(firstDek, place, `${record}=`)]) {
      const text = textOf(failureOf(open));
      for (const hidden of [
        canary,
        Buffer.from(canary).toString("hex"),
        firstDek.toString("latin1"),
        record.slice(80, 96),
      ]) {
        expect(text).not.toContain(hidden);
      }
    }
  });

  it("names the secret and has a hint", () => {
    const error = failureOf(() => openRecord(secondDek, place, seal(Buffer.of(1))));
    expect(error.message).toContain("prod/api/STRIPE_KEY");
    expect(error.hints).not.toHaveLength(0);
  });
});

function failureOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (isSealtreeError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function codeOf(run: () => unknown): string {
  return failureOf(run).code;
}

function textOf(error: Error): string {
  return [error.message, error.stack, JSON.stringify(error), String(error.cause)].join("\n");
}
