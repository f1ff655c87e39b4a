import type { RecordPlace } from "../../src/crypto/record.ts";
import { collidingRecord } from "./colliding-record.ts";
import {
  craftContext,
  craftFrame,
  craftHeader,
  craftKeys,
  craftRecord,
  printRecord,
  recordBytes,
} from "./craft-record.ts";
import { firstDek, firstGeneration, secondDek, testScope, testTime } from "./test-keys.ts";
import { hex, type Fields, type Vector, type Verdict } from "./vector.ts";

const place: RecordPlace = { scope: testScope, name: "STRIPE_KEY", purpose: "value" };
const header = craftHeader({ generation: firstGeneration, valueId: "5445535456414c31", createdAt: BigInt(testTime) });
const value = Buffer.from("test value");
const good = craftRecord(firstDek, place, header, craftFrame(64, 1, value.length, value));
const long = craftRecord(firstDek, place, header, craftFrame(128, 1, 100, Buffer.alloc(100, 0x61)));

/** Records that open, and records that are wrong in exactly one way. */
export function openVectors(): Vector[] {
  return [
    opens("unchanged", "the record that the cases below change", good),
    opens("largest time", "the last second of the year 9999", sealedAt(253_402_300_799n)),
    ...changedByteVectors(),
    ...otherPlaceVectors(),
    ...textVectors(),
    ...lengthVectors(),
    ...frameVectors(),
    ...collisionVectors(),
  ];
}

function changedByteVectors(): Vector[] {
  const cases: readonly [string, number, number, Verdict][] = [
    ["version", 0, 0x03, "malformed"],
    ["generation", 1, 0x01, "integrity"],
    ["last byte of the generation", 16, 0x80, "integrity"],
    ["value id", 17, 0x01, "integrity"],
    ["last byte of the value id", 24, 0x80, "integrity"],
    ["created, lowest byte", 32, 0x01, "integrity"],
    ["created, to a time far beyond the year 9999", 25, 0x80, "malformed"],
    ["salt", 33, 0x01, "integrity"],
    ["last byte of the salt", 56, 0x80, "integrity"],
    ["commitment", 57, 0x01, "integrity"],
    ["last byte of the commitment", 88, 0x80, "integrity"],
    ["ciphertext, kind", 89, 0x03, "integrity"],
    ["ciphertext, value", 94, 0x01, "integrity"],
    ["ciphertext, last byte of padding", 152, 0x80, "integrity"],
    ["tag", 153, 0x01, "integrity"],
    ["last byte of the tag", 168, 0x80, "integrity"],
  ];
  return cases.map(([field, offset, mask, verdict]) =>
    fails(`changed ${field}`, `byte ${offset} xor ${mask}`, changeByte(good, offset, mask), verdict),
  );
}

function otherPlaceVectors(): Vector[] {
  return [
    fails("other scope", "moved to another scope", good, "integrity", { scope: "prod/web" }),
    fails("scope and name joined otherwise", "the same text with the border moved", good, "integrity", {
      scope: "prod",
      name: "api_STRIPE_KEY",
    }),
    fails("other name", "moved to another secret", good, "integrity", { name: "PAYPAL_KEY" }),
    fails("name in lower case", "names are exact", good, "integrity", { name: "stripe_key" }),
    fails("purpose pending", "a live value in the place of a pending one", good, "integrity", { purpose: "pending" }),
    fails("purpose previous", "a live value in the place of a previous one", good, "integrity", {
      purpose: "previous",
    }),
    fails("another generation's key", "the key does not belong to the record", good, "integrity", {
      dek: hex(secondDek),
    }),
  ];
}

function textVectors(): Vector[] {
  return [
    fails("empty", "no character", "", "malformed"),
    fails("prefix alone", "nothing after st1.", "st1.", "malformed"),
    fails("no prefix", "st1. is missing", good.slice(4), "malformed"),
    fails("prefix in upper case", "ST1. is another text", `ST1.${good.slice(4)}`, "malformed"),
    fails("unknown version", "st2. is not defined", `st2.${good.slice(4)}`, "malformed"),
    fails("padded base64url", "two = at the end", `${good}==`, "malformed"),
    fails("standard base64", "the last characters in the other alphabet", `${good.slice(0, -4)}+/AA`, "malformed"),
    fails("not canonical", "a spare bit of the last character is set", setSpareBit(good), "malformed"),
    fails("trailing line feed", "one more character", `${good}\n`, "malformed"),
    fails("leading space", "one more character", ` ${good}`, "malformed"),
    fails("two records", "a record after the record", `${good}.${good}`, "malformed"),
  ];
}

function lengthVectors(): Vector[] {
  const bytes = recordBytes(good);
  const longBytes = recordBytes(long);
  return [
    ...[4, 8, 12].map((size) =>
      fails(
        `tag of ${size} bytes`,
        "GCM allows short tags, records do not",
        printRecord([bytes.subarray(0, 153 + size)]),
        "malformed",
      ),
    ),
    fails("tag missing", "ends with the ciphertext", printRecord([bytes.subarray(0, 153)]), "malformed"),
    fails("tag of 17 bytes", "one byte after the tag", printRecord([bytes, Buffer.of(0)]), "malformed"),
    fails("header alone", "33 bytes", printRecord([bytes.subarray(0, 33)]), "malformed"),
    fails(
      "no ciphertext",
      "salt, commitment and tag without a frame",
      printRecord([bytes.subarray(0, 89), bytes.subarray(153)]),
      "malformed",
    ),
    fails(
      "64 bytes cut out",
      "the length is one that a record may have",
      printRecord([longBytes.subarray(0, 153), longBytes.subarray(217)]),
      "integrity",
    ),
    fails(
      "64 bytes put in",
      "the length is one that a record may have",
      printRecord([bytes.subarray(0, 153), Buffer.alloc(64), bytes.subarray(153)]),
      "integrity",
    ),
    fails(
      "frame of 48 bytes",
      "well sealed; no frame is shorter than 64",
      sealedFrame(craftFrame(48, 1, 10, value)),
      "malformed",
    ),
    fails(
      "frame of 80 bytes",
      "well sealed; not a padded length",
      sealedFrame(craftFrame(80, 1, 10, value)),
      "malformed",
    ),
    fails(
      "frame of 1040 bytes",
      "well sealed; not a padded length",
      sealedFrame(craftFrame(1040, 1, 10, value)),
      "malformed",
    ),
  ];
}

function frameVectors(): Vector[] {
  const size = value.length;
  const marked = craftFrame(64, 1, size, value);
  marked[63] = 1;
  return [
    fails(
      "padding of ones",
      "well sealed; every padding byte is 0x01",
      sealedFrame(craftFrame(64, 1, size, value, 1)),
      "integrity",
    ),
    fails("last padding byte set", "well sealed; only the last byte is not zero", sealedFrame(marked), "integrity"),
    fails(
      "length too short",
      "well sealed; the rest of the value stands in the padding",
      sealedFrame(craftFrame(64, 1, size - 1, value)),
      "integrity",
    ),
    fails(
      "frame too large",
      "well sealed; 10 bytes belong in a frame of 64",
      sealedFrame(craftFrame(128, 1, size, value)),
      "integrity",
    ),
    fails(
      "length over the frame",
      "well sealed; 60 bytes do not fit in 64",
      sealedFrame(craftFrame(64, 1, 60, value)),
      "integrity",
    ),
    fails(
      "largest length",
      "well sealed; 2^32 - 1 bytes",
      sealedFrame(craftFrame(64, 1, 0xffffffff, value)),
      "integrity",
    ),
    fails("kind 0", "well sealed; no such kind", sealedFrame(craftFrame(64, 0, size, value)), "integrity"),
    fails("kind 3", "well sealed; no such kind", sealedFrame(craftFrame(64, 3, size, value)), "integrity"),
    fails(
      "impossible time",
      "well sealed; created is the first second of the year 10000",
      sealedAt(253_402_300_800n),
      "malformed",
    ),
    fails("swapped header", "the header of another record, whose salt and rest stay", swapHeader(), "integrity"),
    fails(
      "commitment of another key",
      "tag and frame are right, the commitment is not",
      foreignCommitment(),
      "integrity",
    ),
  ];
}

function collisionVectors(): Vector[] {
  const { record, context, committed, other } = collidingRecord(firstDek, secondDek, place, header);
  const gcm = [committed, other].map(({ key, nonce }) => ({ key: hex(key), nonce: hex(nonce), context: hex(context) }));
  return [
    fails(
      "colliding ciphertext, other key",
      "one ciphertext and tag, valid under both keys of gcm; a good frame under this dek; the commitment is the other dek's",
      record,
      "integrity",
      { dek: hex(secondDek), gcm },
    ),
    fails(
      "colliding ciphertext, committed key",
      "the commitment and the tag are right, the frame is not",
      record,
      "integrity",
      { gcm },
    ),
  ];
}

function opens(name: string, comment: string, record: string): Vector {
  return { name, comment, input: inputOf(record), expect: "ok", output: { kind: "text", value: hex(value) } };
}

function fails(name: string, comment: string, record: string, expect: Verdict, change: Fields = {}): Vector {
  return { name, comment, input: { ...inputOf(record), ...change }, expect };
}

function inputOf(record: string): Fields {
  return { dek: hex(firstDek), ...place, record };
}

function sealedFrame(frame: Uint8Array): string {
  return craftRecord(firstDek, place, header, frame);
}

function sealedAt(createdAt: bigint): string {
  const late = craftHeader({ generation: firstGeneration, valueId: "5445535456414c31", createdAt });
  return craftRecord(firstDek, place, late, craftFrame(64, 1, value.length, value));
}

function swapHeader(): string {
  const other = craftHeader({ generation: firstGeneration, valueId: "5445535456414c32", createdAt: BigInt(testTime) });
  return printRecord([other, recordBytes(good).subarray(33)]);
}

function foreignCommitment(): string {
  const bytes = recordBytes(good);
  const { commitment } = craftKeys(secondDek, bytes.subarray(33, 57), craftContext(place, header));
  return printRecord([bytes.subarray(0, 57), commitment, bytes.subarray(89)]);
}

function changeByte(record: string, offset: number, mask: number): string {
  const bytes = recordBytes(record);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ mask, offset);
  return printRecord([bytes]);
}

function setSpareBit(record: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(record.slice(-1));
  return record.slice(0, -1) + alphabet.charAt(last ^ 1);
}
