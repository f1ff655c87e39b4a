import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findReceipt, mergeReceipts, printReceipt, type Receipt } from "../../src/deploy/receipt.ts";

const item = (fingerprint: string, more = {}) => ({
  address: "prod/api/KEY",
  fingerprint: fingerprint.repeat(16),
  changedAtMs: undefined,
  isPending: undefined,
  ...more,
});
const receipt = (items: Record<string, ReturnType<typeof item>>, more: Partial<Receipt> = {}): Receipt => ({
  target: "vault",
  kind: "vault",
  place: "https://vault.example.test, secret/apps/api",
  commit: "c".repeat(40),
  timeMs: 1_700_000_000_000,
  actor: "alice",
  items: new Map(Object.entries(items)),
  ...more,
});

describe("a receipt", () => {
  it("is read back as it was written", () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/);
    const some = fc.record({
      address: name.map((it) => `prod/api/${it}`),
      fingerprint: fc.stringMatching(/^[0-9a-f]{16}$/),
      changedAtMs: fc.option(fc.integer({ min: 0, max: 2 ** 41 }), { nil: undefined }),
      isPending: fc.constantFrom(true as const, undefined),
    });
    const items = fc.uniqueArray(fc.tuple(name, some), { maxLength: 5, selector: ([it]) => it });
    fc.assert(
      fc.property(items, fc.option(fc.constant("bob"), { nil: undefined }), (list, actor) => {
        const one = receipt({}, { items: new Map(list), actor });
        const back = findReceipt(printReceipt(one), "vault");
        expect(back).toEqual({ ...one, items: new Map([...one.items].toSorted(([a], [b]) => (a < b ? -1 : 1))) });
      }),
      { numRuns: 50 },
    );
  });

  const good = printReceipt(receipt({ KEY: item("1") }));
  it.each([
    ["of another target", good.replace('"vault"', '"other"')],
    ["of another version", good.replace('"sealtree": 1', '"sealtree": 2')],
    ["with a field more", good.replace('"kind"', '"value": "x",\n "kind"')],
    ["with a control character in its place", good.replace("secret/apps", String.raw`secret\u001b[31m`)],
    ["with an address that is none", good.replace("prod/api/KEY", "../KEY")],
    ["with a fingerprint that is none", good.replace("1".repeat(16), "1".repeat(15))],
    ["with a commit that is none", good.replace("c".repeat(40), "HEAD")],
    ["with white space more", good.replace("{\n", "{\n\n")],
    ["with an item twice", good.replace(/(\{\n {3}"name"[\s\S]*?\})/, "$1,\n  $1")],
    ["cut off", good.slice(0, -10)],
    ["that is no JSON", "never"],
  ])("%s is none", (_, text) => {
    expect(text).not.toBe(good);
    expect(findReceipt(text, "vault")).toBeUndefined();
  });
});

describe("mergeReceipts", () => {
  const base = receipt({ A: item("1"), B: item("1"), C: item("1") });
  const earlier = receipt({ A: item("2"), B: item("1"), D: item("1") }, { timeMs: base.timeMs + 1 });
  const later = receipt({ A: item("3"), B: item("1"), C: item("1"), E: item("1") }, { timeMs: base.timeMs + 2 });

  it("takes what one of them changed, and the later where both did, whichever way round", () => {
    for (const merged of [mergeReceipts(base, earlier, later), mergeReceipts(base, later, earlier)]) {
      expect([...merged.items].map(([name, { fingerprint }]) => name + fingerprint[0]).toSorted()).toEqual([
        "A3",
        "B1",
        "D1",
        "E1",
      ]);
      expect(merged.timeMs).toBe(later.timeMs);
    }
  });

  it("takes the later one alone when they are of two places", () => {
    expect(mergeReceipts(base, { ...earlier, place: "elsewhere" }, later)).toEqual(later);
  });
});
