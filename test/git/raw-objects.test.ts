import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSealtreeError } from "../../src/errors.ts";
import { openRawObjects, type RawObjects } from "../../src/git/raw-objects.ts";
import { makeHistory, placeOf } from "../history/made-history.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { mutations } from "./mutated-bytes.ts";

function idOf(type: string, bytes: Uint8Array): string {
  return createHash("sha1").update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
}

/** Puts an object where git looks for another. */
function plant({ root }: TestRepository, id: string, type: string, bytes: Uint8Array): void {
  const folder = join(root, ".git", "objects", id.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, id.slice(2)),
    deflateSync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])),
  );
}

async function withObjects(repository: TestRepository, work: (objects: RawObjects) => Promise<void>): Promise<void> {
  const objects = openRawObjects(placeOf(repository));
  try {
    await work(objects);
  } finally {
    objects.close();
  }
}

describe("read", () => {
  it("gives objects of every type and size, in any number at once", async () => {
    const repository = createRepository();
    const texts = Array.from({ length: 300 }, (_, index) => `${index}\n`.repeat(index % 9 === 0 ? 30_000 : index % 5));
    const [commit = ""] = makeHistory(repository, [
      { files: Object.fromEntries(texts.map((text, index) => [`f${index}`, text])) },
    ]);
    await withObjects(repository, async (objects) => {
      const ids = texts.map((text) => idOf("blob", Buffer.from(text)));
      const read = await Promise.all(ids.map((id) => objects.read(id, "blob")));
      expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(texts);
      expect(Buffer.from(await objects.read(commit, "commit")).toString()).toMatch(/^tree [0-9a-f]{40}\n/);
    });
  });

  it("refuses what is missing, of another type, too large, or not what its id says, and goes on", async () => {
    const repository = createRepository();
    const [commit = ""] = makeHistory(repository, [{ files: { a: "text" } }]);
    const large = Buffer.alloc(17 * 1024 * 1024, "large ");
    plant(repository, idOf("blob", large), "blob", large);
    plant(repository, idOf("blob", Buffer.from("good")), "blob", Buffer.from("evil"));
    await withObjects(repository, async (objects) => {
      const refused = (id: string, type: "commit" | "blob", message: RegExp) =>
        expect(objects.read(id, type)).rejects.toMatchObject({
          code: "E_OBJECT_INVALID",
          message: expect.stringMatching(message),
        });
      await Promise.all([
        refused("1".repeat(40), "blob", /missing/),
        refused(commit, "blob", /is a commit/),
        refused(idOf("blob", large), "blob", /larger than 16 MiB/),
        refused(idOf("blob", Buffer.from("good")), "blob", /not what its id says/),
      ]);
      expect(Buffer.from(await objects.read(idOf("blob", Buffer.from("text")), "blob")).toString()).toBe("text");
    });
  });

  it("gives the object or fails as it says, however the file that git keeps it in is damaged", async () => {
    const repository = createRepository();
    repository.write("a", "text\n".repeat(20));
    const id = repository.git("hash-object", "-w", "a").trim();
    const file = join(repository.root, ".git", "objects", id.slice(0, 2), id.slice(2));
    const whole = readFileSync(file, "latin1");
    chmodSync(file, 0o644);
    const outcomes: string[] = [];
    for (const mutate of fc.sample(mutations(fc.constantFrom("\0", "x")), { numRuns: 60, seed: 4 })) {
      writeFileSync(file, mutate(whole), "latin1");
      await withObjects(repository, async (objects) => {
        const read = await Promise.all(
          [0, 1].map(async () => {
            try {
              return Buffer.from(await objects.read(id, "blob")).toString();
            } catch (error) {
              if (isSealtreeError(error)) return error.code;
              throw error;
            }
          }),
        );
        outcomes.push(...read);
      });
    }
    const known = [repository.read("a"), "E_OBJECT_INVALID", "E_GIT_FAILED"];
    expect(outcomes.filter((outcome) => !known.includes(outcome))).toEqual([]);
    expect(new Set(outcomes)).toEqual(new Set(known));
  });

  it("says that git failed where there is no git", async () => {
    const repository = createRepository();
    const { root } = placeOf(repository);
    const objects = openRawObjects({ root, env: { PATH: repository.home } });
    try {
      await expect(objects.read("1".repeat(40), "blob")).rejects.toMatchObject({ code: "E_GIT_FAILED" });
    } finally {
      objects.close();
    }
  });
});
