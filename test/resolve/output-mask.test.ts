import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaskMatcher } from "../../src/resolve/mask-matcher.ts";
import { maskPatterns } from "../../src/resolve/mask-patterns.ts";
import { createOutputMask } from "../../src/resolve/output-mask.ts";
import { Secret } from "../../src/secret/secret.ts";

function maskChunks(secrets: readonly Secret[], chunks: readonly Uint8Array[]): Buffer {
  const mask = createOutputMask(secrets)();
  return Buffer.concat([...chunks.map((chunk) => mask.push(chunk)), mask.end()]);
}

function maskText(values: readonly string[], ...chunks: string[]): string {
  return maskChunks(
    values.map((value) => Secret.text(value)),
    chunks.map((chunk) => Buffer.from(chunk)),
  ).toString();
}

/** Marks every byte of every occurrence, then writes one mark for each stretch that overlaps. */
function maskNaively(patterns: readonly Uint8Array[], whole: Buffer): Buffer {
  const found = patterns.flatMap((pattern) => {
    const stretches: { start: number; end: number }[] = [];
    for (let start = whole.indexOf(pattern); start !== -1; start = whole.indexOf(pattern, start + 1)) {
      stretches.push({ start, end: start + pattern.length });
    }
    return stretches;
  });
  const parts: Buffer[] = [];
  let end = 0;
  for (const stretch of found.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (stretch.start >= end) parts.push(whole.subarray(end, stretch.start), Buffer.from("[masked]"));
    end = Math.max(end, stretch.end);
  }
  return Buffer.concat([...parts, whole.subarray(end)]);
}

function cut(whole: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let from = 0;
  for (const size of sizes) {
    chunks.push(whole.subarray(from, from + size));
    from += size;
  }
  return [...chunks, whole.subarray(from)];
}

describe("createOutputMask", () => {
  it("gives what replacing in the whole output gives, however the output is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 6, maxLength: 12 });
    const slice = fc.record({
      index: fc.nat({ max: 4 }),
      from: fc.nat({ max: 2 }),
      to: fc.integer({ min: 5, max: 12 }),
    });
    const sizes = fc.array(fc.nat({ max: 12 }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 5 }), fc.array(slice), sizes, (texts, slices, cuts) => {
        const secrets = texts.map((value) => Secret.text(value));
        const parts = slices.map(({ index, from, to }) => texts[index % texts.length]?.slice(from, to) ?? "");
        const whole = Buffer.from(parts.join("c"));
        expect(maskChunks(secrets, cut(whole, cuts)).toString()).toBe(
          maskNaively(maskPatterns(secrets), whole).toString(),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it("gives the same for any bytes and any values", () => {
    const values = fc.array(fc.uint8Array({ minLength: 6, maxLength: 20 }), { maxLength: 4 });
    const sizes = fc.array(fc.nat({ max: 30 }), { maxLength: 10 });
    fc.assert(
      fc.property(values, fc.uint8Array({ maxLength: 60 }), sizes, (items, noise, cuts) => {
        const secrets = items.map((bytes) => Secret.fromBytes(bytes));
        const forms = maskPatterns(secrets);
        const whole = Buffer.concat([noise, ...forms, noise]);
        expect(maskChunks(secrets, cut(whole, cuts)).equals(maskNaively(forms, whole))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves no part of values that overlap", () => {
    expect(maskText(["abcdef", "defghi"], "-abcdefghi-")).toBe("-[masked]-");
  });

  it("masks a value inside the start of a longer one", () => {
    expect(maskText(["aaaaab", "caaaaabx"], "caaaaab!")).toBe("c[masked]!");
  });

  it("masks the longest of values that contain each other", () => {
    expect(maskText(["secret", "secret-longer"], "a secret-longer b secret-long")).toBe("a [masked] b [masked]-long");
  });

  it("writes at once what cannot be the start of a value", () => {
    const mask = createOutputMask([Secret.text("secret")])();
    expect(mask.push(Buffer.from("Password: ")).toString()).toBe("Password: ");
    expect(mask.push(Buffer.from("se")).toString()).toBe("");
    expect(mask.push(Buffer.from("t")).toString()).toBe("set");
    expect(mask.push(Buffer.from("secr")).toString()).toBe("");
    expect(mask.end().toString()).toBe("secr");
  });

  it("passes bytes that are not text through unchanged", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(maskChunks([Secret.text("secret")], [bytes, bytes]).equals(Buffer.concat([bytes, bytes]))).toBe(true);
  });

  it("leaves values of less than 6 bytes alone", () => {
    expect(maskText(["12345", "1", ""], "12345 1 ")).toBe("12345 1 ");
    expect(maskText(["éééé"], "éééé")).toBe("[masked]");
  });

  it("masks each line of a value", () => {
    expect(maskText(["first line\r\n  second line\n}\n"], "x second line\nfirst line }")).toBe(
      "x [masked]\n[masked] }",
    );
  });

  it("masks encoded forms", () => {
    const value = 'pa"ss/wörd + 7>?';
    const url = new URLSearchParams({ v: value }).toString().slice(2);
    const forms = [
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      url,
      Buffer.from(value).toString("base64"),
      Buffer.from(value).toString("base64url"),
    ];
    expect(maskText([value], forms.join("\n"))).toBe(forms.map(() => "[masked]").join("\n"));
  });

  it.each(["", "u", "us", "user:"])("masks base64 of a text that has the value after %j", (before) => {
    const encoded = Buffer.from(`${before}canary-password:`).toString("base64");
    const masked = maskText(["canary-password"], encoded);
    expect(masked).toContain("[masked]");
    expect(masked.replace("[masked]", "").length).toBeLessThan(before.length * 2 + 6);
  });
});

describe("MaskMatcher", () => {
  it("is linear in a text that keeps starting a value", () => {
    const values = Array.from({ length: 200 }, (_, index) => Buffer.from(`${"a".repeat(500)}${index}`));
    const matcher = new MaskMatcher(values);
    let state = 0;
    for (let index = 0; index < 1_000_000; index++) state = matcher.next(state, 0x61);
    expect(matcher.depth(state)).toBe(500);
    expect(matcher.longest(matcher.next(state, 0x37))).toBe(501);
  });
});
