import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRecordHeader } from "../../src/crypto/record.ts";
import { scanReaders } from "../../src/history/scan-readers.ts";
import { listSightings, parseSighting } from "../../src/history/scan-scope.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { parseGenerationFile } from "../../src/store/generation-file.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { generationFile, generationId, testFingerprint } from "./made-history.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const scan = (text: string) => listSightings(Buffer.from(text)).map(parseSighting);

describe("listSightings", () => {
  it("sees in every scope file what the strict reader sees", () => {
    const name = fc.constantFrom("A", "B_2", "yes", "null", "c.d-e", "y");
    const record = fc.tuple(fc.nat(1000), fc.nat(5)).map(([value, generation]) => makeRecord(value, generation));
    fc.assert(
      fc.property(fc.dictionary(name, record), (records) => {
        const text = printScopeFile(parseScopePath("dev/app"), makeEntries(records, { A: [" st1.AA: st1.AA"] }));
        const expected = Object.entries(records).map(([key, value]) => ({ name: key, ...parseRecordHeader(value) }));
        const sorted = <T extends { name: string }>(list: readonly T[]) =>
          list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(sorted(scan(text).flatMap((it) => (it === undefined ? [] : [it])))).toEqual(sorted(expected));
      }),
    );
  });

  it("sees both sides of a conflict that was committed", () => {
    const [a, b] = [makeRecord(1, 1), makeRecord(2, 1)];
    const text = `$sealtree: 1\n<<<<<<< ours\nA: ${a}\n=======\nA: ${b}\n>>>>>>> theirs\n`;
    expect(scan(text).map((it) => it?.valueId)).toEqual(["0000000000000001", "0000000000000002"]);
  });

  it("sees the value id of a drop", () => {
    const header = Buffer.from("01aaaaaaaaaaaaaaaa0000000065530000", "hex");
    const drop = `st1d.${Buffer.concat([header, Buffer.from("age-encryption.org/v1\n-> X25519 ")]).toString("base64url")}`;
    expect(scan(`A: ${drop}\n`)).toEqual([
      { name: "A", valueId: "aaaaaaaaaaaaaaaa", generation: undefined, createdAt: 0x65530000 },
    ]);
  });

  it("takes any bytes and gives short texts", () => {
    const piece = fc.constantFrom(
      ": st1",
      ".",
      "d.",
      "\n",
      "A",
      '"',
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "\u0000",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        for (const text of listSightings(Buffer.from(pieces.join("")))) {
          expect(text.length).toBeLessThan(200);
          parseSighting(text);
        }
      }),
    );
  });

  it("needs time in proportion to a hostile file's size", () => {
    expect(listSightings(Buffer.from(": st1".repeat(800_000)))).toHaveLength(1);
    expect(listSightings(Buffer.from(`${" ".repeat(60)}: st1\n`.repeat(60_000)))).toHaveLength(59_999);
  });
});

describe("scanReaders", () => {
  it("sees in every generation file who the strict reader sees", () => {
    const some = fc.subarray(["alice", "bob", "yes", "recovery-2026"], { minLength: 1 });
    fc.assert(
      fc.property(some, some, (mintedFor, wrappedFor) => {
        const [text = ""] = Object.values(generationFile("dev/app", 1, mintedFor, wrappedFor));
        const strict = parseGenerationFile(Buffer.from(text), parseScopePath("dev/app"), generationId(1));
        const seen = scanReaders(Buffer.from(text));
        const pairs = (list: typeof strict.mintedFor) =>
          [...list].flatMap(([name, prints]) => prints.map((print) => `${name} ${print}`));
        expect(seen).toEqual({ mintedFor: pairs(strict.mintedFor), wrappedFor: pairs(strict.wrappedFor) });
      }),
    );
  });

  it("sees who was written in by hand, and says when a list is missing", () => {
    const print = testFingerprint("bob");
    const text = `minted_for: {}\r\nwrapped_for: { bob:  [${print}],carol: [ ${print} ]}\r\nkey: |\n  wrapped_for: {dave: [${print}]}\n`;
    expect(scanReaders(Buffer.from(text))).toEqual({ mintedFor: [], wrappedFor: [`bob ${print}`, `carol ${print}`] });
    expect(scanReaders(Buffer.from("minted_for: {}\n"))).toBeUndefined();
  });
});
