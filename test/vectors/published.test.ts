import { describe, expect, it } from "vitest";
import { listVectorFiles, readVectors } from "./read-vectors.ts";
import { makeVectorFiles } from "./vector-files.ts";

const files = makeVectorFiles();

describe("the published vectors", () => {
  it.each([...files])("%s is made again byte for byte", async (file, text) => {
    await expect(text).toMatchFileSnapshot(file);
  });

  it("are the files that the generator makes, and no others", () => {
    expect(listVectorFiles()).toEqual([...files.keys()].sort());
  });

  it.each(listVectorFiles())("names in %s are unique", (file) => {
    const names = readVectors(file).map((vector) => vector.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
