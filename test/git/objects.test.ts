import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openObjects, type BulkBlob } from "../../src/git/objects.ts";
import { createRepository } from "../support/repository.ts";
import { makeHistory, placeOf } from "../history/made-history.ts";

const idOf = (text: string) =>
  createHash("sha1")
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest("hex");

async function readAll(blobs: AsyncIterable<BulkBlob>): Promise<BulkBlob[]> {
  const all: BulkBlob[] = [];
  for await (const blob of blobs) all.push(blob);
  return all;
}

describe("readBlobs", () => {
  it("gives many blobs of every size in their order", async () => {
    const repository = createRepository();
    const texts = Array.from({ length: 700 }, (_, index) => `${index} `.repeat(index % 7 === 0 ? 20_000 : index % 5));
    makeHistory(repository, [{ files: Object.fromEntries(texts.map((text, index) => [`f${index}`, text])) }]);
    const objects = openObjects(placeOf(repository));
    try {
      const blobs = await readAll(objects.readBlobs(texts.map(idOf), 1 << 20));
      expect(blobs.map(({ bytes }) => Buffer.from(bytes ?? []).toString())).toEqual(texts);
      expect(await readAll(objects.readBlobs([], 1))).toEqual([]);
    } finally {
      objects.close();
    }
  });

  it("says what it does not read, and goes on", async () => {
    const repository = createRepository();
    const [commit = ""] = makeHistory(repository, [{ files: { small: "ab", large: "abc" } }]);
    const objects = openObjects(placeOf(repository));
    try {
      const ids = [idOf("abc"), commit, "0".repeat(40), idOf("ab")];
      expect(await readAll(objects.readBlobs(ids, 2))).toEqual([
        { id: ids[0], bytes: undefined, why: "too large" },
        { id: ids[1], bytes: undefined, why: "not a blob" },
        { id: ids[2], bytes: undefined, why: "missing" },
        { id: ids[3], bytes: Buffer.from("ab") },
      ]);
      expect(Buffer.from((await objects.readBlob(`${commit}:small`, 9)) ?? []).toString()).toBe("ab");
    } finally {
      objects.close();
    }
  });

  it("can be left in the middle", async () => {
    const repository = createRepository();
    const texts = Array.from({ length: 40 }, (_, index) => `${index}`.repeat(100_000));
    makeHistory(repository, [{ files: Object.fromEntries(texts.map((text, index) => [`f${index}`, text])) }]);
    const objects = openObjects(placeOf(repository));
    for await (const { bytes } of objects.readBlobs(texts.map(idOf), 1 << 20)) {
      expect(bytes?.length).toBe(100_000);
      break;
    }
    objects.close();
  });
});
