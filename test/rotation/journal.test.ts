import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { parseJournal, printJournal, type Journal } from "../../src/rotation/journal.ts";
import { parseAddress, parseSecretName } from "../../src/secret/address.ts";
import { makeRecord } from "../history/made-records.ts";

const address = parseAddress("prod/db/PASSWORD");
const user = parseSecretName("DB_USER");
const id = fc.constantFrom("app_a", "AKIATEST0000", "sha256:00ff", "x".repeat(256));
const hex = fc.constantFrom("0000000000000001", "00ff00ff00ff00ff");
const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
const values = fc
  .tuple(fc.nat(9), fc.boolean())
  .map(
    ([seed, hasUser]) =>
      new Map([[address.name, makeRecord(seed, 1)], ...(hasUser ? ([[user, makeRecord(seed + 1, 1)]] as const) : [])]),
  );
const common = {
  address: fc.constant(address),
  run: hex,
  rotator: fc.constantFrom("postgres", "aws-iam"),
  rule: hex,
  reason: fc.constantFrom("rotation" as const, "emergency" as const, "rollback" as const),
  startedAtMs: time,
  lease: fc.option(fc.record({ holder: hex, untilMs: time }), { nil: undefined }),
  rejected: fc.nat(3),
  base: fc.constant(
    new Map([
      [address.name, "00ff00ff00ff00ff"],
      [user, null],
    ]),
  ),
};
const previous = fc.record({ id, values, revokeAfterMs: time, awaitsMerge: fc.boolean() });
const journals: fc.Arbitrary<Journal> = fc.oneof(
  fc.record({
    ...common,
    state: fc.constant("claimed" as const),
    known: fc.option(fc.array(id, { maxLength: 3 }), { nil: undefined }),
    pending: fc.constant(undefined),
    previous: fc.constant(undefined),
  }),
  fc.record({
    ...common,
    state: fc.constant("pending" as const),
    known: fc.constant(undefined),
    pending: fc.record({ id, values }),
    previous: fc.constant(undefined),
  }),
  fc.record({
    ...common,
    state: fc.constantFrom("promoted" as const, "suspended" as const),
    known: fc.constant(undefined),
    pending: fc.constant(undefined),
    previous,
  }),
);

function refusal(text: string, at = address): string {
  try {
    parseJournal(Buffer.from(text), at);
  } catch (error) {
    if (hasCode(error, "E_JOURNAL_MALFORMED")) return error.message;
    throw error;
  }
  return "accepted";
}

const [sample] = fc.sample(journals, { numRuns: 1, seed: 3 });
const text = sample === undefined ? "" : printJournal(sample);

describe("a journal", () => {
  it("reads back as it was", () => {
    fc.assert(
      fc.property(journals, (journal) => {
        expect(parseJournal(Buffer.from(printJournal(journal)), address)).toEqual(journal);
      }),
    );
  });

  it("is refused when a line is changed, doubled, taken out or swapped, and the refusal names no line's content", () => {
    const lines = text.split("\n");
    const required = /^(?:\$|secret:|run:|state:|rotator:|rule:|reason:|started:|base:| {2}PASSWORD: "?00ff)/;
    expect(lines.filter((line) => required.test(line))).toHaveLength(11);
    for (const [index, line] of lines.entries()) {
      const without = [...lines.slice(0, index), ...lines.slice(index + 1)].join("\n");
      if (required.test(line)) expect(refusal(without)).not.toBe("accepted");
      const doubled = [...lines.slice(0, index), line, ...lines.slice(index)].join("\n");
      if (line.trim() !== "") expect(refusal(doubled)).not.toBe("accepted");
    }
    expect(refusal(text.replaceAll('"', "'"))).not.toBe("accepted");
    expect(refusal(`${text}\n# a comment\n`)).not.toBe("accepted");
    expect(refusal(text.replace(/st1\.\S{6}/, "plaintext"))).not.toMatch(/plaintext/);
  });

  it("belongs to one place", () => {
    expect(refusal(text, parseAddress("prod/db/OTHER"))).toContain("another secret than the one it is found at");
    expect(refusal(text, parseAddress("dev/db/PASSWORD"))).toContain("another secret than the one it is found at");
  });

  it("is read or refused whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.nat(text.length), fc.uint8Array({ minLength: 1, maxLength: 3 }), (at, bytes) => {
        const cut = Buffer.from(text);
        const mutated = Buffer.concat([cut.subarray(0, at), bytes, cut.subarray(at + bytes.length)]);
        expect(typeof refusal(mutated.toString("latin1"))).toBe("string");
      }),
    );
  });
});
