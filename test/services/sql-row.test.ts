import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { isSealtreeError } from "../../src/errors.ts";
import { Secret } from "../../src/secret/secret.ts";
import {
  digestRows,
  openRow,
  sealRow,
  type RowHead,
  type RowLock,
  type SealedRow,
} from "../../src/services/sql-row.ts";
import { parseRowKey, readersId } from "../../src/services/sql-row-key.ts";

const key = Secret.of(Buffer.alloc(32, 7), "binary");
const other = Secret.of(Buffer.alloc(32, 8), "binary");
const byKey: RowLock = { readers: { kind: "key", key } };
const head: RowHead = {
  owner: { type: "service", id: "test-billing" },
  kind: "value",
  name: "ALPHA",
  sequence: 7,
  address: "prod/api/ALPHA",
  fingerprint: "0123456789abcdef",
  changedAtMs: 1_767_225_600_000,
};
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const heads = fc.record({
  owner: fc.record({ type: text, id: text }),
  kind: fc.constantFrom("value", "deleted", "owner"),
  name: text,
  sequence: fc.maxSafeNat(),
  address: text,
  fingerprint: text,
  changedAtMs: fc.maxSafeNat(),
});

/** The code of the failure that opening ends with; undefined when it opens. */
async function refusal(row: SealedRow, lock: { keys?: Secret[]; identities?: never[] } = { keys: [key] }) {
  try {
    await openRow(lock, row);
    return undefined;
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return error.code;
  }
}

describe("a row", () => {
  it("opens as what was sealed, whatever it is and wherever it belongs", async () => {
    await fc.assert(
      fc.asyncProperty(heads, fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (any, bytes, withIntegrity) => {
        const integrityKey = withIntegrity ? other : undefined;
        const secret = Secret.fromBytes(bytes);
        const row = await sealRow({ ...byKey, integrityKey }, any, secret);
        expect((await openRow({ keys: [other, key], integrityKey }, row)).equals(secret)).toBe(true);
        expect(row).toMatchObject(any);
      }),
      { numRuns: 60 },
    );
  });

  it("opens nowhere else: any other column is refused", async () => {
    const secret = Secret.text("test-value");
    await fc.assert(
      fc.asyncProperty(heads, heads, async (one, two) => {
        const row = await sealRow(byKey, one, secret);
        for (const column of ["owner", "kind", "name", "sequence", "address", "fingerprint", "changedAtMs"] as const) {
          if (JSON.stringify(one[column]) === JSON.stringify(two[column])) continue;
          expect(await refusal({ ...row, [column]: two[column] })).toBeDefined();
        }
        expect(await refusal({ ...row, readers: `${row.readers}0` })).toBeDefined();
      }),
      { numRuns: 30 },
    );
  });

  it("does not take an owner for another one that is written alike", async () => {
    const row = await sealRow(byKey, { ...head, owner: { type: "ab", id: "c" } }, Secret.text("test-value"));
    expect(await refusal({ ...row, owner: { type: "a", id: "bc" } })).toBeDefined();
    const moved = { ...row, address: `${row.address}0`, fingerprint: row.fingerprint.slice(1) };
    expect(await refusal(moved)).toBe("E_RECORD_INTEGRITY");
  });

  it.each(["key", "age"])("is refused with any bit of its bytes flipped, sealed to a %s", async (kind) => {
    const pair = await generateIdentity("x25519");
    const identities = parseIdentities(pair.identity) as never[];
    const lock: RowLock = kind === "key" ? byKey : { readers: { kind: "recipients", recipients: [pair.recipient] } };
    const row = await sealRow(lock, head, Secret.text("test-value"));
    const codes = new Set<string | undefined>();
    for (const column of ["wrappedKey", "sealed", "mac"] as const) {
      for (let bit = 0; bit < row[column].length * 8; bit++) {
        const bytes = Buffer.from(row[column]);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        codes.add(await refusal({ ...row, [column]: bytes }, kind === "key" ? { keys: [key] } : { identities }));
      }
    }
    expect(
      [...codes].filter((code) => !["E_RECORD_INTEGRITY", "E_RECORD_MALFORMED", "E_NO_ACCESS"].includes(code ?? "")),
    ).toEqual([]);
  });

  it("is refused cut short or with something behind it", async () => {
    const row = await sealRow(byKey, head, Secret.text("test-value"));
    for (const column of ["wrappedKey", "sealed", "mac"] as const) {
      for (const bytes of [
        row[column].subarray(1),
        row[column].subarray(0, -1),
        Buffer.concat([row[column], Buffer.of(0)]),
        Buffer.alloc(0),
      ]) {
        expect(await refusal({ ...row, [column]: bytes })).toBeDefined();
      }
    }
    expect(await refusal({ ...row, sequence: Number.NaN })).toBe("E_RECORD_MALFORMED");
    expect(await refusal({ ...row, sequence: 0.5 })).toBe("E_RECORD_MALFORMED");
  });

  it("is random anew each time, its key too", async () => {
    const rows = await Promise.all(
      Array.from({ length: 50 }, async () => await sealRow(byKey, head, Secret.text("test"))),
    );
    for (const column of ["wrappedKey", "sealed", "mac"] as const) {
      expect(new Set(rows.map((row) => Buffer.from(row[column]).toString("hex"))).size).toBe(50);
    }
  });

  it("says little of the length of its value", async () => {
    const sizes = await Promise.all(
      Array.from(
        { length: 59 },
        async (_, size) => (await sealRow(byKey, head, Secret.text("x".repeat(size)))).sealed.length,
      ),
    );
    expect(new Set(sizes).size).toBe(1);
  });

  it("keeps values of up to 1 MiB, and no byte more", async () => {
    const largest = Secret.of(randomBytes(1024 * 1024), "binary");
    const row = await sealRow(byKey, head, largest);
    expect((await openRow({ keys: [key] }, row)).equals(largest)).toBe(true);
    const larger = Secret.of(Buffer.alloc(1024 * 1024 + 1), "binary");
    await expect(sealRow(byKey, head, larger)).rejects.toMatchObject({ code: "E_VALUE_TOO_LARGE" });
  });

  it("repeats no name of the table that is not plain in a message", async () => {
    const row = await sealRow(byKey, { ...head, name: "\u001b[31mtest\n" }, Secret.text("test-value"));
    await expect(openRow({ keys: [key] }, { ...row, sequence: 8 })).rejects.not.toThrow("test");
  });
});

describe("the digest of rows", () => {
  const rows = fc.uniqueArray(
    fc.record({
      name: text,
      kind: fc.constantFrom("value" as const, "deleted" as const),
      sequence: fc.maxSafeNat(),
      mac: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
    { selector: ({ name }) => name, maxLength: 8 },
  );

  it("is of the rows, in whatever order they come", () => {
    fc.assert(fc.property(rows, (some) => digestRows(some).equals(digestRows(some.toReversed()))));
  });

  it("is another one when any row is", () => {
    fc.assert(
      fc.property(rows, rows, (some, others) => {
        const same = JSON.stringify(sorted(some)) === JSON.stringify(sorted(others));
        return digestRows(some).equals(digestRows(others)) === same;
      }),
    );
  });

  function sorted(some: readonly { name: string; mac: Uint8Array }[]) {
    return some.map((it) => ({ ...it, mac: [...it.mac] })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
});

describe("a key of a table", () => {
  it.each(["hex", "base64", "base64url"] as const)("is read as %s", (encoding) => {
    const bytes = Buffer.alloc(32, 0xfb);
    expect(parseRowKey(Secret.text(`${bytes.toString(encoding)}\n`)).reveal()).toEqual(bytes);
  });

  it("is 32 bytes, and nothing else", () => {
    expect(parseRowKey(Secret.of(Buffer.alloc(32, 0x80), "binary")).reveal()).toHaveLength(32);
    for (const text of ["", "test", "0".repeat(63), "A".repeat(42), "A".repeat(44)]) {
      expect(() => parseRowKey(Secret.text(text))).toThrow(expect.objectContaining({ code: "E_INPUT_INVALID" }));
    }
  });

  it("has a name that tells it from others, and recipients have one whatever their order", async () => {
    const [one, two] = [(await generateIdentity("x25519")).recipient, (await generateIdentity("x25519")).recipient];
    const of = (...recipients: (typeof one)[]) => readersId({ kind: "recipients", recipients });
    expect(of(one, two)).toBe(of(two, one, two));
    expect(
      new Set([of(one), of(two), of(one, two), readersId({ kind: "key", key }), readersId({ kind: "key", key: other })])
        .size,
    ).toBe(5);
  });
});
