import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openDrop, sealDrop, type DropPlace } from "../../src/crypto/drop.ts";
import { maxValueBytes } from "../../src/crypto/frame.ts";
import { generateIdentity, parseIdentities, type Identity } from "../../src/crypto/identity.ts";
import { decodeParts, encodeParts } from "../../src/crypto/pae.ts";
import { maxDropChars, parseDropHeader, readSealedHeader } from "../../src/crypto/sealed-header.ts";
import { isSealtreeError } from "../../src/errors.ts";
import { Secret } from "../../src/secret/secret.ts";
import { craftDrop, craftDropHeader, dropBytes, dropName, printDrop } from "../vectors/craft-drop.ts";
import { testIdentity, testScope, testTime } from "../vectors/test-keys.ts";

const place: DropPlace = { scope: testScope, name: dropName };
const origin = { valueId: "5445535456414c31", createdAt: testTime };
const reader = parseIdentities(testIdentity);

async function recipientsOf(...identities: readonly Identity[]) {
  return (await Promise.all(identities.map((identity) => identity.recipients()))).flat();
}

async function seal(secret: Secret, identities = reader) {
  return await sealDrop({ recipients: await recipientsOf(...identities), mixing: "refused" }, place, origin, secret);
}

/** The code of what opening throws; undefined when it opens, also for nobody. */
async function failureOf(drop: string): Promise<string | undefined> {
  try {
    await openDrop(drop, place, reader);
    return undefined;
  } catch (error) {
    if (isSealtreeError(error)) return error.code;
    throw error;
  }
}

describe("a drop", () => {
  it("opens to the bytes and the kind it was sealed with, and shows id, time and stanzas without a key", async () => {
    const kinds = fc.constantFrom("text" as const, "binary" as const);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), kinds, async (value, kind) => {
        const secret = Secret.of(value, kind);
        const drop = await seal(secret);
        expect((await openDrop(drop, place, reader))?.equals(secret)).toBe(true);
        expect(readSealedHeader(drop)).toEqual({ kind: "drop", generation: undefined, stanzas: 1, ...origin });
      }),
      { numRuns: 30 },
    );
  });

  it("opens for each of its readers and for nobody else", async () => {
    const made = [await generateIdentity("hybrid"), await generateIdentity("hybrid"), await generateIdentity("hybrid")];
    const [first = [], second = [], stranger = []] = made.map(({ identity }) => parseIdentities(identity));
    const drop = await seal(Secret.text("test value"), [...first, ...second]);
    expect(parseDropHeader(drop).stanzas).toBe(2);
    for (const identities of [first, second]) expect(await openDrop(drop, place, identities)).toBeDefined();
    expect(await openDrop(drop, place, stranger)).toBeUndefined();
  });

  it("looks different each time, and tells no length below a step of padding", async () => {
    const drops = [await seal(Secret.text("a")), await seal(Secret.text("a")), await seal(Secret.text("a".repeat(59)))];
    expect(new Set(drops).size).toBe(3);
    expect(new Set(drops.map(({ length }) => length)).size).toBe(1);
  });

  it("takes the largest value a record takes, and no larger one", async () => {
    const drop = await seal(Secret.of(Buffer.alloc(maxValueBytes, 7), "binary"));
    expect(drop.length).toBeLessThan(maxDropChars);
    expect((await openDrop(drop, place, reader))?.reveal()).toHaveLength(maxValueBytes);
    await expect(seal(Secret.of(Buffer.alloc(maxValueBytes + 1), "binary"))).rejects.toMatchObject({
      code: "E_VALUE_TOO_LARGE",
    });
  });

  it("is not sealed to nobody", async () => {
    await expect(seal(Secret.text("test value"), [])).rejects.toMatchObject({ code: "E_NO_RECIPIENTS" });
  });

  it("does not open with any bit of it changed, or cut anywhere", async () => {
    const bytes = dropBytes(craftDrop());
    for (let offset = 0; offset < bytes.length; offset++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(offset) ^ (1 << (offset % 8)), offset);
      const opened = await openDrop(printDrop([changed]), place, reader).catch(() => undefined);
      expect(opened, `byte ${offset}`).toBeUndefined();
      expect(await failureOf(printDrop([bytes.subarray(0, offset)]))).toMatch(/^E_RECORD_/);
    }
  });

  it("names the place it was sealed for only when that is an address", async () => {
    await expect(openDrop(craftDrop({ name: "OTHER" }), place, reader)).rejects.toThrow(
      "the drop of prod/api/STRIPE_KEY does not open here: it was sealed for prod/api/OTHER",
    );
    await expect(openDrop(craftDrop({ name: "\u001b[2J" }), place, reader)).rejects.toThrow(
      "it was sealed for another place",
    );
  });

  it("is malformed for any other text, and never a crash", async () => {
    const texts = fc.oneof(
      fc.string(),
      fc.base64String().map((text) => `st1d.${text}`),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => printDrop([craftDropHeader(), bytes])),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await failureOf(text)).toBe("E_RECORD_MALFORMED");
      }),
    );
  });
});

describe("decodeParts", () => {
  it("gives back what encodeParts took", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (parts) => {
        expect(decodeParts(encodeParts(parts))?.map((part) => [...part])).toEqual(parts.map((part) => [...part]));
      }),
    );
  });

  it("takes no bytes that encodeParts does not make", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const parts = decodeParts(bytes);
        if (parts !== undefined) expect([...encodeParts(parts)]).toEqual([...bytes]);
      }),
    );
    expect(decodeParts(Buffer.concat([encodeParts(["a"]), Buffer.of(0)]))).toBeUndefined();
    expect(decodeParts(encodeParts(["a"]).subarray(0, -1))).toBeUndefined();
  });
});
