import { createHash } from "node:crypto";
import { generationId } from "../../src/crypto/generation.ts";
import { sealRecord, type RecordPlace } from "../../src/crypto/record.ts";
import { Secret, type ValueKind } from "../../src/secret/secret.ts";
import { craftContext, craftKeys, recordBytes } from "./craft-record.ts";
import { firstDek, fixedRandom, testScope, testTime } from "./test-keys.ts";
import { hex, type Vector } from "./vector.ts";

interface Case {
  readonly name: string;
  readonly comment: string;
  readonly value: Uint8Array;
  readonly kind?: ValueKind;
  readonly place?: Partial<RecordPlace>;
}

const longName = `_${"Long.name-".repeat(12)}1234567`;
const longSegment = `a${"-0_z".repeat(15)}b9`;
const deepScope = Array.from({ length: 8 }, () => longSegment).join("/");

const cases: readonly Case[] = [
  { name: "empty", comment: "an empty text", value: Buffer.alloc(0) },
  { name: "short", comment: "a short text", value: Buffer.from("correct horse") },
  {
    name: "short as binary",
    comment: "the same bytes, another kind",
    value: Buffer.from("correct horse"),
    kind: "binary",
  },
  { name: "59 bytes", comment: "fills the smallest frame", value: Buffer.alloc(59, 0x61) },
  { name: "60 bytes", comment: "one byte more than the smallest frame holds", value: Buffer.alloc(60, 0x61) },
  { name: "nul", comment: "NUL bytes are kept, also at the end", value: Buffer.from("a\0b\0\0"), kind: "binary" },
  { name: "line breaks", comment: "LF, CR LF and a final LF are kept", value: Buffer.from("a\nb\r\nc\n") },
  { name: "unicode", comment: "UTF-8, not normalised", value: Buffer.from("p\u00e4ssw\u00f6rd \u{1f511} e\u0301") },
  {
    name: "1020 bytes binary",
    comment: "a frame of 1025 bytes, the first that Padm\u00e9 pads",
    value: fixedRandom("1020 bytes binary")(1020),
    kind: "binary",
  },
  { name: "1019 bytes", comment: "a frame of 1024 bytes, the last in steps of 64", value: Buffer.alloc(1019, 0x62) },
  {
    name: "pending",
    comment: "the new value in a rotation journal",
    value: Buffer.from("correct horse"),
    place: { purpose: "pending" },
  },
  {
    name: "previous",
    comment: "the old value in a rotation journal",
    value: Buffer.from("correct horse"),
    place: { purpose: "previous" },
  },
  { name: "longest name", comment: "128 characters", value: Buffer.from("x"), place: { name: longName } },
  {
    name: "longest scope",
    comment: "8 segments of 63 characters",
    value: Buffer.from("x"),
    place: { scope: deepScope },
  },
];

/** Values sealed with fixed random bytes, with every intermediate. */
export function sealVectors(): Vector[] {
  return [...cases.map(sealVector), largeVector()];
}

function sealVector({ name, comment, value, kind = "text", place: part }: Case): Vector {
  const place: RecordPlace = { scope: testScope, name: "STRIPE_KEY", purpose: "value", ...part };
  const { header, input, record } = seal(name, place, value, kind);
  const bytes = recordBytes(record);
  const context = craftContext(place, bytes.subarray(0, 33));
  const salt = bytes.subarray(33, 57);
  const { key, commitment, nonce } = craftKeys(firstDek, salt, context);
  return {
    name,
    comment,
    input: { ...input, ...header, value: hex(value) },
    expect: "ok",
    output: {
      context: hex(context),
      salt: hex(salt),
      key: hex(key),
      commitment: hex(commitment),
      nonce: hex(nonce),
      record,
    },
  };
}

function largeVector(): Vector {
  const count = 1024 * 1024;
  const place: RecordPlace = { scope: testScope, name: "STRIPE_KEY", purpose: "value" };
  const { header, input, record } = seal("1 MiB", place, Buffer.alloc(count, 0x61), "text");
  return {
    name: "1 MiB",
    comment: "the longest value; value_repeated is one byte and how often it stands there",
    input: { ...input, ...header, value_repeated: { byte: "61", count } },
    expect: "ok",
    output: { record_characters: record.length, record_sha256: createHash("sha256").update(record).digest("hex") },
  };
}

function seal(label: string, place: RecordPlace, value: Uint8Array, kind: ValueKind) {
  const generation = generationId(firstDek, place.scope);
  const valueId = hex(fixedRandom(`${label} value id`)(8));
  const random = fixedRandom(label)(32);
  const parsed = { generation, valueId, createdAt: testTime };
  return {
    record: sealRecord(firstDek, place, parsed, Secret.of(value, kind), () => random),
    header: { generation, value_id: valueId, created: testTime },
    input: { dek: hex(firstDek), ...place, kind, random: hex(random) },
  };
}
