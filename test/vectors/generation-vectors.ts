import { createHash } from "node:crypto";
import { encodeGeneration, generationId, hashReaders, type ReaderList } from "../../src/crypto/generation.ts";
import {
  firstDek,
  firstGeneration,
  otherRecipient,
  secondDek,
  testRecipient,
  testScope,
  testTime,
} from "./test-keys.ts";
import { hex, type Vector } from "./vector.ts";

/** Fingerprint of a recipient's canonical text (docs/format.md, Fingerprint). */
export function fingerprint(recipient: string): string {
  return createHash("sha256").update(recipient).digest("hex").slice(0, 16);
}

/** Recipients and their fingerprints. */
export function fingerprintVectors(): Vector[] {
  return [testRecipient, otherRecipient].map((recipient, index) => ({
    name: `recipient ${index + 1}`,
    comment: "first 8 bytes of SHA-256 of the text",
    input: { recipient },
    expect: "ok",
    output: { fingerprint: fingerprint(recipient) },
  }));
}

/** Names of data keys, hashes of reader lists, and payloads. */
export function generationVectors(): Vector[] {
  return [...idVectors(), ...readerVectors(), ...payloadVectors()];
}

function idVectors(): Vector[] {
  const cases: readonly [string, string, Uint8Array, string][] = [
    ["id", "the name of the first key", firstDek, testScope],
    ["id of another key", "another key, the same scope", secondDek, testScope],
    ["id in another scope", "the same key, another scope", firstDek, "prod/web"],
  ];
  return cases.map(([name, comment, dek, scope]) => ({
    name,
    comment,
    input: { kind: "id", dek: hex(dek), scope },
    expect: "ok",
    output: { generation: generationId(dek, scope) },
  }));
}

function readerVectors(): Vector[] {
  const [a, b, c] = ["0123456789abcdef", "1111111111111111", "ffffffffffffffff"] as const;
  const cases: readonly [string, string, ReaderList][] = [
    ["no reader", "the hash of an empty list", new Map()],
    ["one reader", "one pair", new Map([["alice", [a]]])],
    [
      "two readers",
      "pairs are sorted, whatever the order of the list",
      new Map([
        ["deploy", [c]],
        ["alice", [b, a]],
      ]),
    ],
    [
      "the same pairs in order",
      "gives the same hash as the case before",
      new Map([
        ["alice", [a, b]],
        ["deploy", [c]],
      ]),
    ],
    [
      "a name that begins another",
      "alice-2 sorts by the bytes of the pair",
      new Map([
        ["alice-2", [a]],
        ["alice", [c]],
      ]),
    ],
  ];
  return cases.map(([name, comment, readers]) => ({
    name,
    comment,
    input: { kind: "readers", readers: Object.fromEntries(readers) },
    expect: "ok",
    output: { hash: hex(hashReaders(readers)) },
  }));
}

function payloadVectors(): Vector[] {
  const readers: ReaderList = new Map([["alice", [fingerprint(testRecipient)]]]);
  const fields = { dek: firstDek, createdAt: testTime, mintedForHash: hashReaders(readers), scope: testScope };
  const first = Buffer.from(encodeGeneration({ ...fields, previous: undefined }));
  const next = Buffer.from(encodeGeneration({ ...fields, dek: secondDek, previous: firstGeneration }));
  const output = { created: testTime, minted_for_hash: hex(fields.mintedForHash), scope: testScope };
  const late = Buffer.from(first);
  late.writeUInt8(0x80, 33);
  const version = Buffer.from(first);
  version.writeUInt8(2, 0);
  const shorter = Buffer.from(first);
  shorter.writeUInt16BE(testScope.length - 1, 89);
  const bad: readonly [string, string, Uint8Array][] = [
    ["empty payload", "no byte", Buffer.alloc(0)],
    ["payload of another version", "the first byte is 2", version],
    ["payload one byte short", "the scope is cut", first.subarray(0, -1)],
    ["payload one byte long", "a byte after the scope", Buffer.concat([first, Buffer.of(0)])],
    ["payload with a shorter scope length", "the last byte of the scope is outside", shorter],
    ["payload without a scope length", "90 bytes", first.subarray(0, 90)],
    ["payload of an impossible time", "created is beyond the year 9999", late],
  ];
  return [
    {
      name: "first payload",
      comment: "no generation before it: 16 zero bytes",
      input: { kind: "payload", payload: hex(first) },
      expect: "ok",
      output: { ...output, dek: hex(firstDek), previous: null },
    },
    {
      name: "next payload",
      comment: "replaces the first",
      input: { kind: "payload", payload: hex(next) },
      expect: "ok",
      output: { ...output, dek: hex(secondDek), previous: firstGeneration },
    },
    ...bad.map(([name, comment, payload]): Vector => ({
      name,
      comment,
      input: { kind: "payload", payload: hex(payload) },
      expect: "malformed",
    })),
  ];
}
