import { encodeParts } from "../../src/crypto/pae.ts";
import { craftAgeFile } from "./craft-age-file.ts";
import { craftDrop, craftDropHeader, dropBytes, dropName, dropValue, printDrop, type DropParts } from "./craft-drop.ts";
import { craftFrame } from "./craft-record.ts";
import { flip } from "./edit-text.ts";
import { otherScalar, testIdentity, testScalar, testScope, testTime } from "./test-keys.ts";
import { hex, type Fields, type Vector, type Verdict } from "./vector.ts";

const good = craftDrop();
const headerBytes = 17;
const lastTime = 253_402_300_799n;

/** Drops that open, and drops that are wrong in exactly one way. */
export function dropVectors(): Vector[] {
  return [
    ...goodVectors(),
    ...placeVectors(),
    ...headerVectors(),
    ...payloadVectors(),
    ...ageVectors(),
    ...textVectors(),
  ];
}

function goodVectors(): Vector[] {
  const bytes = Buffer.from([0, 255, 10, 0]);
  const filled = Buffer.alloc(59, 0x61);
  const longer = Buffer.alloc(60, 0x61);
  const long = Buffer.alloc(2000, 0x62);
  return [
    opens("unchanged", "the drop that the cases below change", {}),
    opens("binary", "kind 2, with zeros at its end", { frame: craftFrame(64, 2, bytes.length, bytes) }, bytes, {
      kind: "binary",
    }),
    opens("text that is not UTF-8", "bytes are exact in both kinds", { frame: craftFrame(64, 1, 4, bytes) }, bytes),
    opens("empty", "a value of no bytes", { frame: craftFrame(64, 1, 0, Buffer.alloc(0)) }, Buffer.alloc(0)),
    opens("59 bytes", "the frame of 64 is full", { frame: craftFrame(64, 1, 59, filled) }, filled),
    opens("60 bytes", "a frame of 128", { frame: craftFrame(128, 1, 60, longer) }, longer),
    opens("2000 bytes", "a frame of 2048", { frame: craftFrame(2048, 1, 2000, long) }, long),
    opens("two recipients", "ours is the second", { scalars: [otherScalar, testScalar] }, dropValue, { stanzas: 2 }),
    opens(
      "largest time",
      "the last second of the year 9999",
      { header: craftDropHeader(undefined, lastTime) },
      dropValue,
      { created: Number(lastTime) },
    ),
  ];
}

function placeVectors(): Vector[] {
  return [
    fails("other scope", "moved to another scope", good, "integrity", { scope: "prod/web" }),
    fails("other name", "moved to another secret", good, "integrity", { name: "PAYPAL_KEY" }),
    fails("name in lower case", "names are exact", good, "integrity", { name: "stripe_key" }),
    fails(
      "scope and name joined otherwise",
      "the same text with the border moved",
      craftDrop({ scope: "prod", name: "api/STRIPE_KEY" }),
      "integrity",
    ),
  ];
}

function headerVectors(): Vector[] {
  const other = craftDropHeader("5445535456414c32");
  const later = craftDropHeader(undefined, BigInt(testTime) + 1n);
  return [
    fails("value id in the clear", "it is not the one inside", changeByte(1, 0x01), "integrity"),
    fails("created in the clear", "it is not the one inside", changeByte(16, 0x01), "integrity"),
    fails("value id inside", "well sealed", craftDrop({ sealedHeader: other }), "integrity"),
    fails("created inside", "well sealed", craftDrop({ sealedHeader: later }), "integrity"),
    fails(
      "header inside with one byte more",
      "well sealed",
      craftDrop({ sealedHeader: Buffer.concat([craftDropHeader(), Buffer.of(0)]) }),
      "integrity",
    ),
    fails(
      "version 2",
      "inside and in the clear",
      craftDrop({ header: craftDropHeader(undefined, undefined, 2) }),
      "malformed",
    ),
    fails(
      "impossible time",
      "the first second of the year 10000, inside and in the clear",
      craftDrop({ header: craftDropHeader(undefined, lastTime + 1n) }),
      "malformed",
    ),
  ];
}

function payloadVectors(): Vector[] {
  const size = dropValue.length;
  const parts = ["sealtree/drop/v1", testScope, dropName, craftDropHeader(), craftFrame(64, 1, size, dropValue)];
  const sealed = (...list: (string | Uint8Array)[]) => craftDrop({ change: () => encodeParts(list) });
  const framed = (frame: Uint8Array) => craftDrop({ frame });
  return [
    fails("another label", "the label of a record", craftDrop({ label: "sealtree/value/v1" }), "integrity"),
    fails("a part missing", "well sealed; the frame is left out", sealed(...parts.slice(0, 4)), "integrity"),
    fails("a part too many", "well sealed; one empty part more", sealed(...parts, ""), "integrity"),
    fails(
      "bytes after the parts",
      "well sealed; one zero more",
      craftDrop({ change: (payload) => Buffer.concat([payload, Buffer.of(0)]) }),
      "integrity",
    ),
    fails(
      "bytes missing from the last part",
      "well sealed; it is shorter than it says",
      craftDrop({ change: (payload) => payload.subarray(0, -1) }),
      "integrity",
    ),
    fails("empty payload", "well sealed", craftDrop({ change: () => Buffer.alloc(0) }), "integrity"),
    fails("padding", "well sealed; the last byte is not zero", framed(padded(63, 1)), "integrity"),
    fails("padding right after the value", "well sealed", framed(padded(5 + size, 1)), "integrity"),
    fails("frame of 128 bytes", "well sealed; 64 would do", framed(craftFrame(128, 1, size, dropValue)), "integrity"),
    fails(
      "frame of 80 bytes",
      "well sealed; not a padded length",
      framed(craftFrame(80, 1, 70, dropValue)),
      "integrity",
    ),
    fails("frame of 4 bytes", "well sealed; it has no length", framed(Buffer.of(1, 0, 0, 0)), "integrity"),
    fails("kind 0", "well sealed; no such kind", framed(craftFrame(64, 0, size, dropValue)), "integrity"),
    fails("kind 3", "well sealed; no such kind", framed(craftFrame(64, 3, size, dropValue)), "integrity"),
    fails(
      "largest length",
      "well sealed; 2^32 - 1 bytes",
      framed(craftFrame(64, 1, 0xffffffff, dropValue)),
      "integrity",
    ),
  ];
}

function ageVectors(): Vector[] {
  const age = (change: (bytes: Buffer) => Uint8Array) =>
    printDrop([craftDropHeader(), change(dropBytes(good).subarray(headerBytes))]);
  const headerEnd = dropBytes(good).subarray(headerBytes).indexOf("\n---") + "\n--- ".length + 43 + 1;
  return [
    fails("zero stanzas", "an age file for nobody", craftDrop({ scalars: [] }), "malformed"),
    fails("age version", "another version of age", age(flip("age-encryption.org/v".length, 0x03)), "malformed"),
    fails(
      "age header alone",
      "no payload",
      age((bytes) => bytes.subarray(0, headerEnd)),
      "malformed",
    ),
    fails(
      "age header cut",
      "it does not end",
      age((bytes) => bytes.subarray(0, 80)),
      "malformed",
    ),
    fails(
      "armor",
      "the age file of a drop is binary",
      printDrop([craftDropHeader(), Buffer.from(craftAgeFile([testScalar], Buffer.alloc(200)))]),
      "malformed",
    ),
    fails("age header MAC", "one bit", age(flip(headerEnd - 40, 0x01)), "integrity"),
    fails("age body", "one bit", age(flip(-20, 0x01)), "integrity"),
    fails(
      "age body cut",
      "the last byte of the tag is missing",
      age((bytes) => bytes.subarray(0, -1)),
      "integrity",
    ),
    fails(
      "age body longer",
      "one byte more",
      age((bytes) => Buffer.concat([bytes, Buffer.of(0)])),
      "integrity",
    ),
  ];
}

function textVectors(): Vector[] {
  return [
    fails("empty text", "no character", "", "malformed"),
    fails("prefix alone", "nothing after st1d.", "st1d.", "malformed"),
    fails("header alone", "17 bytes", printDrop([craftDropHeader()]), "malformed"),
    fails("header cut", "16 bytes", printDrop([craftDropHeader().subarray(0, 16)]), "malformed"),
    fails("no prefix", "st1d. is missing", good.slice(5), "malformed"),
    fails("prefix of a record", "st1. is another thing", `st1.${good.slice(5)}`, "malformed"),
    fails("prefix in upper case", "ST1D. is another text", `ST1D.${good.slice(5)}`, "malformed"),
    fails("unknown version", "st2d. is not defined", `st2d.${good.slice(5)}`, "malformed"),
    fails("padded base64url", "= at the end", `${good}=`, "malformed"),
    fails("standard base64", "the last characters in the other alphabet", `${good.slice(0, -4)}+/AA`, "malformed"),
    fails("not canonical", "a spare bit of the last character is set", setSpareBit(good), "malformed"),
    fails("trailing line feed", "one more character", `${good}\n`, "malformed"),
    fails("leading space", "one more character", ` ${good}`, "malformed"),
  ];
}

function opens(
  name: string,
  comment: string,
  parts: DropParts,
  value: Uint8Array = dropValue,
  change: Fields = {},
): Vector {
  const output = {
    value_id: "5445535456414c31",
    created: testTime,
    stanzas: 1,
    kind: "text",
    value: hex(value),
    ...change,
  };
  return { name, comment, input: inputOf(craftDrop(parts)), expect: "ok", output };
}

function fails(name: string, comment: string, drop: string, expect: Verdict, change: Fields = {}): Vector {
  return { name, comment, input: { ...inputOf(drop), ...change }, expect };
}

function inputOf(drop: string): Fields {
  return { scope: testScope, name: dropName, identity: testIdentity, drop };
}

function changeByte(offset: number, mask: number): string {
  return printDrop([flip(offset, mask)(dropBytes(good))]);
}

function padded(offset: number, byte: number): Buffer {
  const frame = craftFrame(64, 1, dropValue.length, dropValue);
  frame[offset] = byte;
  return frame;
}

/** Throws when the last character has no spare bit: then the vector would be a good one. */
function setSpareBit(drop: string): string {
  if (dropBytes(drop).length % 3 === 0) throw new Error("the last character has no spare bit");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return drop.slice(0, -1) + alphabet.charAt(alphabet.indexOf(drop.slice(-1)) ^ 1);
}
