import { createDecipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { recordBytes } from "../vectors/craft-record.ts";
import { listVectorFiles, readVectors } from "../vectors/read-vectors.ts";
import { runVector } from "../vectors/run-vector.ts";
import type { Fields, Vector } from "../vectors/vector.ts";

describe.each(listVectorFiles())("%s", (file) => {
  it.each(readVectors(file))("$name", async (vector) => {
    const outcome = await runVector(file, vector.input);
    expect(outcome.expect).toBe(vector.expect);
    expect(outcome.output).toEqual(withoutIntermediates(vector));
  });
});

describe("the colliding record", () => {
  it("has a tag that is valid under the derived keys of both data keys", () => {
    const vector = readVectors("open.json").find(({ name }) => name === "colliding ciphertext, other key");
    const { record, gcm } = (vector?.input ?? {}) as {
      record: string;
      gcm: Record<"key" | "nonce" | "context", string>[];
    };
    const bytes = recordBytes(record);
    const frames = gcm.map(({ key, nonce, context }) => {
      const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "hex"), Buffer.from(nonce, "hex"));
      decipher.setAAD(Buffer.from(context, "hex")).setAuthTag(bytes.subarray(153));
      return Buffer.concat([decipher.update(bytes.subarray(89, 153)), decipher.final()]);
    });
    expect(frames).toHaveLength(2);
    expect(frames[0]).not.toEqual(frames[1]);
    expect(frames[1]?.subarray(0, 5).toString("hex")).toBe("020000003b");
  });
});

function withoutIntermediates({ output }: Vector): Fields | undefined {
  const intermediates = ["context", "salt", "key", "commitment", "nonce"];
  return output && Object.fromEntries(Object.entries(output).filter(([field]) => !intermediates.includes(field)));
}
